//! Bodies of messages that hold descriptions (\[MS-SIPRE\] 3.15.4.1).
//!
//! An offer may come in several forms, the least capable first: the answerer takes the last that it understands, and answers with
//! one description. A call context, or the list of files of a transfer, may stand around.

use bytes::Bytes;
use ocs_sip_core::HeaderName;
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_sip_core::mime::{MimeError, MimeLimits, Multipart, MultipartBuilder, Part, PartBuilder};

use crate::negotiation::Fallback;
use crate::{Error, IceVersion, Limits, Sdp};

/// The Content-Type of a description.
pub const SDP_TYPE: &str = "application/sdp";

/// Content-Disposition of every form of an offer.
const DISPOSITION: &str = "session; handling=optional";

/// The parameter of the form with which a proxy tries again after 415 (\[MS-SIPRE\] 2.2.14).
const FALLBACK: &str = "ms-proxy-2007fallback";

/// The descriptions of a body.
#[derive(Debug, Clone)]
pub struct Body {
    /// The forms in order: the last is the best. At least one.
    pub alternatives: Vec<Alternative>,
    /// Other parts: a call context, a request of a file transfer.
    pub others: Vec<Part>,
}

/// One form of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The description.
    pub sdp: Sdp,
    /// Content-ID without brackets.
    pub content_id: Option<String>,
    /// Whether it is the one for Office Communications Server 2007.
    pub fallback_2007: bool,
}

impl Body {
    /// Reads the body of a message with this Content-Type: a description, or a multipart with descriptions in any depth that
    /// [`MimeLimits`] allows.
    ///
    /// A part that is no description that can be read is passed over if there is another.
    ///
    /// # Errors
    /// [`Error::Mime`], [`Error::NoDescription`], [`Error::TooManyAlternatives`]; of [`Sdp::parse`] if no part can be read.
    pub fn parse(content_type: &str, body: &Bytes, limits: &Limits) -> Result<Self, Error> {
        let kind = ContentType::parse_value(content_type).ok_or(Error::NoDescription)?;
        if kind.is(SDP_TYPE) {
            let sdp = Sdp::parse(body.clone(), limits)?;
            let (content_id, fallback_2007) = (None, false);
            return Ok(Self {
                alternatives: vec![Alternative {
                    sdp,
                    content_id,
                    fallback_2007,
                }],
                others: Vec::new(),
            });
        }
        let mime = MimeLimits {
            parts: 64,
            ..MimeLimits::default()
        };
        let multipart = match Multipart::parse(&kind, body, &mime) {
            Err(MimeError::NotMultipart) => return Err(Error::NoDescription),
            other => other?,
        };
        let mut found = Self {
            alternatives: Vec::new(),
            others: Vec::new(),
        };
        let mut last = Error::NoDescription;
        found.collect(&multipart, limits, &mut last)?;
        if found.alternatives.is_empty() {
            return Err(last);
        }
        Ok(found)
    }

    /// Goes through the parts; `last` is the error of the last description that could not be read. The depth is the multipart's.
    fn collect(
        &mut self,
        multipart: &Multipart,
        limits: &Limits,
        last: &mut Error,
    ) -> Result<(), Error> {
        for part in multipart.parts() {
            match part.multipart() {
                Ok(Some(inner)) => {
                    self.collect(&inner, limits, last)?;
                    continue;
                }
                Ok(None) => {}
                Err(ocs_sip_core::Error::Mime(error)) => return Err(error.into()),
                Err(_) => continue,
            }
            if !part.content_type().is_ok_and(|kind| kind.is(SDP_TYPE)) {
                self.others.push(part.clone());
                continue;
            }
            let limit = limits.alternatives;
            if self.alternatives.len() >= limit {
                return Err(Error::TooManyAlternatives { limit });
            }
            match Sdp::parse(part.body().clone(), limits) {
                Ok(sdp) => self.alternatives.push(Alternative {
                    sdp,
                    content_id: part.content_id().map(str::to_owned),
                    fallback_2007: is_fallback(part),
                }),
                Err(error) => *last = error,
            }
        }
        Ok(())
    }

    /// The form that is answered: the last that is `understood`, and offers a stream.
    #[must_use]
    pub fn best(&self, understood: impl Fn(&Sdp) -> bool) -> Option<&Alternative> {
        let usable = |form: &&Alternative| form.sdp.offers_media() && understood(&form.sdp);
        self.alternatives.iter().rev().find(usable)
    }
}

fn is_fallback(part: &Part) -> bool {
    let disposition = part.header(HeaderName::ContentDisposition);
    disposition.is_some_and(|value| {
        let mut parameters = value.split(';').map(str::trim_ascii);
        parameters.any(|parameter| parameter.eq_ignore_ascii_case(FALLBACK))
    })
}

impl Sdp {
    /// Whether there is an `m=` line that is not refused.
    #[must_use]
    pub fn offers_media(&self) -> bool {
        self.active_media().next().is_some()
    }

    /// Which ICE the description is for: that of the last active `m=` line, as SIPE takes it.
    #[must_use]
    pub fn ice_version(&self) -> IceVersion {
        let last = self.active_media().last();
        last.map_or(IceVersion::None, |media| media.ice_version())
    }

    fn active_media(&self) -> impl Iterator<Item = crate::Media<'_>> {
        self.all_media()
            .filter(|media| media.line().is_ok_and(|line| !line.is_rejected()))
    }
}

/// Writes an offer in two forms as `multipart/alternative`: Content-Type and body. The boundary, and the Content-IDs if there are to be
/// some, are the caller's, who has the randomness.
///
/// # Errors
/// [`Error::Mime`]
pub fn alternative(
    offer: &Fallback,
    content_ids: Option<[&str; 2]>,
    boundary: &str,
) -> Result<(String, Bytes), Error> {
    let part = |sdp: &Sdp, id: Option<&str>, disposition: &str| {
        let mut part = PartBuilder::new(SDP_TYPE, sdp.to_bytes());
        if let Some(id) = id {
            part = part.content_id(id);
        }
        part.header(HeaderName::ContentDisposition, disposition)
    };
    let [first, second] = content_ids.map_or([None; 2], |ids| ids.map(Some));
    let fallback = format!("{DISPOSITION}; {FALLBACK}");
    Ok(MultipartBuilder::new("alternative", boundary)?
        .part(part(&offer.fallback, first, &fallback))
        .part(part(&offer.full, second, DISPOSITION))
        .finish()?)
}

/// Puts a body beside other parts, as `multipart/mixed`: an offer and its call context; with `before`, the parts come first, as
/// the request of a file transfer does.
///
/// # Errors
/// [`Error::Mime`]
pub fn mixed(
    (content_type, body): (&str, Bytes),
    others: impl IntoIterator<Item = PartBuilder>,
    before: bool,
    boundary: &str,
) -> Result<(String, Bytes), Error> {
    let mut builder = MultipartBuilder::new("mixed", boundary)?;
    let mut offer = Some(PartBuilder::new(content_type, body));
    if !before && let Some(offer) = offer.take() {
        builder = builder.part(offer);
    }
    for part in others {
        builder = builder.part(part);
    }
    if let Some(offer) = offer {
        builder = builder.part(offer);
    }
    Ok(builder.finish()?)
}
