//! Selection of formats (RFC 3264 6.1).

use super::Violation;
use crate::attribute::Fmtp;
use crate::codec::{Codec, Format, Purpose};
use crate::{Error, Media, Name};

/// Whose preference an answer follows. The codec that is used is the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// The one of the offer, as clients answer.
    #[default]
    Offerer,
    /// Our own, as voice mail answers.
    Own,
}

/// A format that both sides have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NegotiatedFormat {
    /// The format.
    pub codec: Codec,
    /// The payload type in packets that we send: the number of the peer.
    pub send: u8,
    /// The payload type in packets that we get: our number.
    pub receive: u8,
}

/// The formats of a section that are known here, in order, each codec once.
pub(super) fn of_media(media: &Media<'_>) -> Result<Vec<Format>, Error> {
    let maps = media.rtp_maps()?;
    let mut parameters = [None; 128];
    for value in media.values(Name::Fmtp) {
        if let Ok(fmtp) = Fmtp::parse(value) {
            let of = &mut parameters[usize::from(fmtp.payload_type & 0x7f)];
            *of = of.or(Some(fmtp.parameters));
        }
    }
    let mut formats: Vec<Format> = Vec::new();
    for payload_type in media.line()?.payload_types() {
        let Some(map) = maps.get(payload_type) else {
            continue;
        };
        let parameters = parameters[usize::from(payload_type & 0x7f)];
        if let Some(codec) = Codec::of(&map, parameters)
            && !formats.iter().any(|format| format.codec == codec)
        {
            formats.push(Format {
                codec,
                payload_type,
            });
        }
    }
    Ok(formats)
}

/// What both have. In an answer of ours we take the numbers of the offer for both directions.
pub(super) fn common(
    own: &[Format],
    peer: &[Format],
    order: Order,
    answering: bool,
) -> Result<Vec<NegotiatedFormat>, Violation> {
    let of = |formats: &[Format], codec| {
        let mut formats = formats.iter();
        formats
            .find(|format| format.codec == codec)
            .map(|format| format.payload_type)
    };
    let leading = match order {
        Order::Offerer => peer,
        Order::Own => own,
    };
    let common: Vec<NegotiatedFormat> = leading
        .iter()
        .filter_map(|format| {
            let codec = format.codec;
            let (send, receive) = (of(peer, codec)?, of(own, codec)?);
            Some(NegotiatedFormat {
                codec,
                send,
                receive: if answering { send } else { receive },
            })
        })
        .collect();
    let is_media = |format: &NegotiatedFormat| format.codec.purpose() == Purpose::Media;
    if common.iter().any(is_media) {
        Ok(common)
    } else {
        Err(Violation::NoCommonFormat)
    }
}
