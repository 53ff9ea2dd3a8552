//! Reading.

use std::borrow::Cow;

use memchr::memchr2;
use ocs_sip_core::Message;
use ocs_sip_core::header::HeaderValue;

use crate::param::{Params, read_id};
use crate::{Error, ErrorId, Kind, Limits};

/// A value of ms-diagnostics, ms-diagnostics-public or ms-client-diagnostics (\[MS-OCER\] 2.2.1), also of the HTTP header
/// X-Ms-diagnostics (\[MS-OCAUTHWS\] 3.2.4.1): `ErrorId;reason="...";source="..."`, with parameters in any order.
///
/// It borrows from the text; the parameters are read when they are asked for.
#[derive(Debug, Clone)]
pub struct Diagnostics<'a> {
    /// The number that decides.
    pub error_id: ErrorId,
    /// What follows the number's dot, such as `1.2` of `24081.1.2` (OCS 2007 and UCMA); mostly empty.
    pub sub_codes: &'a str,
    params: Params<'a>,
}

impl<'a> Diagnostics<'a> {
    /// Reads one value within the default [`Limits`].
    pub fn parse(value: &'a str) -> Result<Self, Error> {
        Self::parse_within(value, &Limits::default())
    }

    /// Reads one value. Only a missing number and an excess of length are errors.
    pub fn parse_within(value: &'a str, limits: &Limits) -> Result<Self, Error> {
        if value.len() > limits.diagnostics {
            return Err(Error::TooLong {
                what: "diagnostics",
                limit: limits.diagnostics,
            });
        }
        let end = memchr2(b';', b',', value.as_bytes()).unwrap_or(value.len());
        let (id, sub_codes) = read_id(&value[..end]).ok_or(Error::ErrorId)?;
        Ok(Self {
            error_id: ErrorId(id),
            sub_codes,
            params: Params::new(value, end),
        })
    }

    /// Reads the values of a line that may hold several, with commas between them. The grammar allows one; a proxy may have joined lines.
    pub fn parse_list(line: &'a str) -> impl Iterator<Item = Result<Self, Error>> + use<'a> {
        let mut rest = Some(line);
        std::iter::from_fn(move || {
            let value = Self::parse(rest.take()?);
            if let Ok(value) = &value {
                rest = value.params().after_value();
            }
            Some(value)
        })
    }

    /// The first parameter of this name, without quotes and escapes; the name is compared without case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let param = self
            .params()
            .find(|param| param.name.eq_ignore_ascii_case(name));
        param.map(|param| param.value())
    }

    /// `reason`: for people and logs. It decides nothing.
    #[must_use]
    pub fn reason(&self) -> Option<Cow<'a, str>> {
        self.get("reason")
    }

    /// `source`: the server that wrote it. Never in ms-diagnostics-public.
    #[must_use]
    pub fn source(&self) -> Option<Cow<'a, str>> {
        self.get("source")
    }

    /// All parameters in order, known or not.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        self.params.clone()
    }
}

impl<'a> HeaderValue<'a> for Diagnostics<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        Self::parse(value).ok()
    }
}

/// All diagnostics of a message that can be read, those that say most first: ms-diagnostics before ms-diagnostics-public before
/// ms-client-diagnostics. A reader of a failure takes the first.
pub fn diagnostics_of(message: &Message) -> impl Iterator<Item = (Kind, Diagnostics<'_>)> {
    Kind::ALL.into_iter().flat_map(|kind| {
        let lines = message.lines(kind.name());
        let values = lines
            .flat_map(Diagnostics::parse_list)
            .filter_map(Result::ok);
        values.map(move |value| (kind, value))
    })
}
