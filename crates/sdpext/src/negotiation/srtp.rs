//! Negotiation of SRTP (\[MS-SDPEXT\] 3.1.5.1, 3.1.5.2, and the section on optional SRTP).

use super::refusal::Obstacle;
use super::{Config, EncryptionPolicy, Violation};
use crate::attribute::{Crypto, Encryption, KeyParams, Keying, MasterKey, Mki, ScaleRole};
use crate::line::{Kind, Protocol};
use crate::{Error, Media, Name};

/// The keys of a stream: `local` goes into `ocs_srtp::Sender::new`, `remote` into `ocs_srtp::Receiver::add_key`.
///
/// Streams that share a transport ([`Negotiated::multiplexed_with`](super::Negotiated)) have one key on each side: one sender and one
/// receiver serve them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srtp {
    /// The tag of the line that was chosen.
    pub tag: u32,
    /// The key with which we send.
    pub local: KeyParams,
    /// The key with which the peer sends.
    pub remote: KeyParams,
    /// Our role in \[MS-SSRTP\], if that was chosen.
    pub scale: Option<ScaleRole>,
}

/// Tags as clients number their lines, whichever of them are there.
const TAG_SCALE: u32 = 1;
const TAG_MKI: u32 = 2;
const TAG_PLAIN: u32 = 3;

/// Line of ours.
pub(super) fn line(tag: u32, scale: Option<ScaleRole>, key: KeyParams) -> Crypto<'static> {
    Crypto {
        tag,
        scale,
        keying: Keying::AesCm128HmacSha1_80(key),
        session: "",
    }
}

/// The lines of an offer, the best first. What was agreed before is offered alone.
pub(super) fn offer(
    config: &Config,
    key: &MasterKey,
    before: Option<&Srtp>,
) -> Vec<Crypto<'static>> {
    let params = |mki| KeyParams {
        master: key.clone(),
        lifetime: config.lifetime,
        mki,
    };
    if let Some(before) = before {
        return vec![line(before.tag, before.scale, params(before.local.mki))];
    }
    let mut lines = Vec::with_capacity(3);
    if config.scale.is_some() {
        lines.push(line(TAG_SCALE, config.scale, params(Some(Mki::PRODUCTS))));
    }
    if config.mki {
        lines.push(line(TAG_MKI, None, params(Some(Mki::PRODUCTS))));
    }
    lines.push(line(TAG_PLAIN, None, params(None)));
    lines
}

/// The key of a line that can be taken.
fn usable<'l>(config: &Config, line: &'l Crypto<'_>) -> Option<&'l KeyParams> {
    let Keying::AesCm128HmacSha1_80(key) = &line.keying else {
        return None;
    };
    let ours = match line.scale {
        // A line for many without identifier is not taken.
        Some(role) => config.scale == Some(role.opposite()) && key.mki.is_some(),
        None => key.mki.is_none() || config.mki,
    };
    // What does not start with a dash is mandatory (RFC 4568 6.3.7), and nothing of that is known here.
    let mut session = line.session.split_ascii_whitespace();
    (ours && session.all(|parameter| parameter.starts_with('-'))).then_some(key)
}

/// What we answer to an offer: the first line that can be taken, or no encryption.
pub(super) fn answer(
    config: &Config,
    key: Option<&MasterKey>,
    media: &Media<'_>,
    before: Option<&Srtp>,
) -> Result<Option<Srtp>, Obstacle> {
    let required = media.line()?.profile().is_some_and(Protocol::is_secure);
    let attribute = encryption(media)?;
    let lines = media.crypto()?;
    let srtp = lines.iter().find_map(|line| {
        let (remote, key) = (usable(config, line)?, key?);
        Some(Srtp {
            tag: line.tag,
            local: KeyParams {
                master: key.clone(),
                lifetime: config.lifetime,
                mki: remote.mki,
            },
            remote: remote.clone(),
            scale: line.scale.map(ScaleRole::opposite),
        })
    });
    let required = required || attribute == Some(Encryption::Required);
    let rejected = attribute == Some(Encryption::Rejected);
    let srtp = srtp.filter(|_| !rejected);
    match config.encryption {
        EncryptionPolicy::DoNotSupport if required => {
            Err(Violation::CannotSupportEncryption.into())
        }
        EncryptionPolicy::DoNotSupport => Ok(None),
        EncryptionPolicy::Require if rejected || lines.is_empty() => {
            Err(Violation::EncryptionRequired.into())
        }
        _ if srtp.is_some() => Ok(srtp),
        _ if before.is_some() => Err(Violation::CannotChangeEncryption.into()),
        EncryptionPolicy::Support if !required => Ok(None),
        _ => Err(Violation::SrtpNegotiation.into()),
    }
}

/// What an answer of the peer makes of the lines that we offered.
pub(super) fn answered(
    config: &Config,
    offered: &[Crypto<'static>],
    media: &Media<'_>,
    before: Option<&Srtp>,
) -> Result<Option<Srtp>, Obstacle> {
    let secure = media.line()?.profile().is_some_and(Protocol::is_secure);
    let keys = media.lines().filter(|line| {
        matches!(
            line.kind(),
            Kind::Attribute(Name::Crypto | Name::CryptoScale)
        )
    });
    let keys = keys.count();
    if !secure {
        return match config.encryption {
            _ if keys > 0 => Err(Violation::SrtpNegotiation.into()),
            // What is encrypted was offered as such, and is not answered in clear.
            _ if before.is_some() => Err(Violation::CannotChangeEncryption.into()),
            EncryptionPolicy::Require => Err(Violation::EncryptionRequired.into()),
            _ => Ok(None),
        };
    }
    if offered.is_empty() {
        return Err(Violation::CannotSupportEncryption.into());
    }
    if keys != 1 {
        return Err(Violation::OneKeyExpected.into());
    }
    let chosen = media.crypto()?.pop().ok_or(Violation::SrtpNegotiation)?;
    let ours = offered.iter().find(|line| line.tag == chosen.tag);
    let ours = ours.ok_or(Violation::SrtpNegotiation)?;
    let same_kind = chosen.scale == ours.scale.map(ScaleRole::opposite);
    match (usable(config, &chosen), &ours.keying) {
        (Some(remote), Keying::AesCm128HmacSha1_80(local)) if same_kind => Ok(Some(Srtp {
            tag: chosen.tag,
            local: local.clone(),
            remote: remote.clone(),
            scale: ours.scale,
        })),
        _ => Err(Violation::SrtpNegotiation.into()),
    }
}

/// `encryption`; a word that nobody knows is none.
fn encryption(media: &Media<'_>) -> Result<Option<Encryption>, Error> {
    let value = media.single(Name::Encryption)?;
    Ok(value.and_then(Encryption::from_text))
}
