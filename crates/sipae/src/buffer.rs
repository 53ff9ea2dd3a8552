//! The text that a signature covers (\[MS-SIPAE\] 3.2.4.1, 3.3.4; the versions in 3.1).
//!
//! It is a concatenation of fields of the message, each between `<` and `>`, exactly as they stand in
//! it. Bodies, display names and most headers are not part of it.

use ocs_sip_core::header::{HeaderValue, NameAddr};
use ocs_sip_core::{HeaderName, Message};

use crate::{Error, Version};

/// The first five fields: those of the authentication header itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt<'a> {
    /// The scheme: `NTLM`, `Kerberos`, `TLS-DSK`.
    pub scheme: &'a str,
    /// `crand` of a client, `srand` of a server: 8 hexadecimal digits.
    pub rand: &'a str,
    /// `cnum` or `snum`, decimal.
    pub num: &'a str,
    /// The protection space.
    pub realm: &'a str,
    /// The target as in the header, for Kerberos with `sip/`.
    pub targetname: &'a str,
}

/// What to do with a `sips:` URI in P-Asserted-Identity.
///
/// Whether it belongs into the field of the sip URI is not known. What is signed leaves it out, as the interoperable client does;
/// what is verified may try both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SipsIdentity {
    /// It is not a sip URI: the field stays empty.
    #[default]
    Omitted,
    /// It takes the place of a sip URI.
    AsSip,
}

/// The two URIs of P-Asserted-Identity or P-Preferred-Identity that are signed; empty where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SignedIdentities<'a> {
    /// The first sip URI.
    pub sip: &'a str,
    /// The first tel URI.
    pub tel: &'a str,
}

impl<'a> SignedIdentities<'a> {
    /// Takes them from `message`: from P-Asserted-Identity if that is there at all, else from P-Preferred-Identity.
    #[must_use]
    pub fn of(message: &'a Message, sips: SipsIdentity) -> Self {
        let asserted = message.header(HeaderName::PAssertedIdentity).is_some();
        let name = if asserted {
            HeaderName::PAssertedIdentity
        } else {
            HeaderName::PPreferredIdentity
        };
        let mut found = Self::default();
        for value in message.values(name) {
            let uri = identity_uri(value);
            let has_scheme = |scheme: &str| {
                uri.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            };
            let is_sip = has_scheme("sip:") || sips == SipsIdentity::AsSip && has_scheme("sips:");
            if found.sip.is_empty() && is_sip {
                found.sip = uri;
            } else if found.tel.is_empty() && has_scheme("tel:") {
                found.tel = uri;
            }
        }
        found
    }
}

/// The URI of one value of an identity header: what stands between the brackets, or the whole of a value without them.
fn identity_uri(value: &str) -> &str {
    match NameAddr::parse_value(value) {
        Some(address) if address.is_bracketed() => address.uri_text(),
        _ => match value.split_once('<') {
            // Not a name-addr by the grammar, but there are brackets: what they hold, as the interoperable client takes it.
            Some((_, rest)) => rest.split_once('>').map_or("", |(uri, _)| uri),
            None => value,
        },
    }
}

/// Writes the signature buffer of `message` to `out`, in place of what was there.
///
/// Allocates nothing once `out` is large enough (some 400 bytes for usual messages). Fails if From, To, Call-ID or CSeq is absent or
/// malformed.
///
/// ```
/// use ocs_sip_core::{Limits, Message};
/// use ocs_sipae::buffer::{self, Salt, SipsIdentity};
/// use ocs_sipae::Version;
///
/// let message = Message::parse(
///     "BYE sip:bob@contoso.com SIP/2.0\r\nFrom: <sip:alice@contoso.com>;tag=a1;epid=01\r\n\
///      To: <sip:bob@contoso.com>;tag=b2\r\nCall-ID: c1\r\nCSeq: 2 BYE\r\n\r\n".into(),
///     &Limits::default(),
/// )?;
/// let salt = Salt { scheme: "NTLM", rand: "0a1b2c3d", num: "7", realm: "R", targetname: "fe01" };
/// let mut out = Vec::new();
/// buffer::write(&mut out, Version::V4, &salt, &message, SipsIdentity::Omitted)?;
/// assert_eq!(
///     out,
///     b"<NTLM><0a1b2c3d><7><R><fe01><c1><2><BYE><sip:alice@contoso.com><a1><sip:bob@contoso.com><b2><><><>",
/// );
/// # Ok::<(), ocs_sipae::Error>(())
/// ```
pub fn write(
    out: &mut Vec<u8>,
    version: Version,
    salt: &Salt<'_>,
    message: &Message,
    sips: SipsIdentity,
) -> Result<(), Error> {
    out.clear();
    let from = message.from_header()?;
    let to = message.to_header()?;
    let call_id = message.call_id()?;
    let cseq = message.cseq()?;
    for text in [
        salt.scheme,
        salt.rand,
        salt.num,
        salt.realm,
        salt.targetname,
        call_id,
        cseq.number_text,
        cseq.method_text,
        from.uri_text(),
        from.tag().unwrap_or(""),
    ] {
        field(out, text);
    }
    if version.covers_identities() {
        field(out, to.uri_text());
    }
    field(out, to.tag().unwrap_or(""));
    if version.covers_identities() {
        let identities = SignedIdentities::of(message, sips);
        field(out, identities.sip);
        field(out, identities.tel);
    }
    field(out, message.header(HeaderName::Expires).unwrap_or(""));
    if let Some(status) = message.status() {
        let digits = [status / 100 % 10, status / 10 % 10, status % 10].map(|d| b'0' + d as u8);
        out.push(b'<');
        out.extend_from_slice(&digits);
        out.push(b'>');
    }
    Ok(())
}

#[inline]
fn field(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'<');
    out.extend_from_slice(text.as_bytes());
    out.push(b'>');
}

/// Whether a second attempt with [`SipsIdentity::AsSip`] would sign something else.
pub(crate) fn has_sips_identity(message: &Message) -> bool {
    [
        HeaderName::PAssertedIdentity,
        HeaderName::PPreferredIdentity,
    ]
    .into_iter()
    .any(|name| message.header(name).is_some())
        && SignedIdentities::of(message, SipsIdentity::Omitted)
            != SignedIdentities::of(message, SipsIdentity::AsSip)
}
