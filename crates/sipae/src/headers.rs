//! The authentication headers of this system (\[MS-SIPAE\] 2.2): challenges, credentials, infos.
//!
//! Parameters are read in any order, quoted or not, the first of a name counts; they are written in the order and with the quotes
//! that servers and clients of this system use.

use std::fmt::Write as _;

use ocs_sip_core::header::{AuthHeader, Scheme};

use crate::buffer::Salt;
use crate::{Error, Signature, Version};

/// All parameters of the three headers, in one pass.
#[derive(Default)]
struct Params<'a> {
    realm: Option<&'a str>,
    targetname: Option<&'a str>,
    qop: Option<&'a str>,
    opaque: Option<&'a str>,
    version: Option<&'a str>,
    gssapi_data: Option<&'a str>,
    sts_uri: Option<&'a str>,
    crand: Option<&'a str>,
    cnum: Option<&'a str>,
    response: Option<&'a str>,
    srand: Option<&'a str>,
    snum: Option<&'a str>,
    rspauth: Option<&'a str>,
}

impl<'a> Params<'a> {
    fn read(header: &AuthHeader<'a>) -> Self {
        let mut all = Self::default();
        let mut unknown = None;
        for param in header.params() {
            // The length leaves at most three names to compare with.
            let candidates: [(&str, &mut Option<&'a str>); 3] = match param.name.len() {
                5 => [
                    ("realm", &mut all.realm),
                    ("crand", &mut all.crand),
                    ("srand", &mut all.srand),
                ],
                7 => [
                    ("version", &mut all.version),
                    ("rspauth", &mut all.rspauth),
                    ("sts-uri", &mut all.sts_uri),
                ],
                4 | 3 => [
                    ("qop", &mut all.qop),
                    ("cnum", &mut all.cnum),
                    ("snum", &mut all.snum),
                ],
                6 | 8 => [
                    ("opaque", &mut all.opaque),
                    ("response", &mut all.response),
                    ("", &mut unknown),
                ],
                _ => [
                    ("targetname", &mut all.targetname),
                    ("gssapi-data", &mut all.gssapi_data),
                    ("", &mut unknown),
                ],
            };
            for (name, slot) in candidates {
                if param.name.eq_ignore_ascii_case(name) {
                    slot.get_or_insert(param.value);
                    break;
                }
            }
        }
        all
    }

    /// `version`; absent is 2.
    fn version(&self) -> Result<u32, Error> {
        self.version.map_or(Ok(Version::V2.number()), |text| {
            ocs_sip_core::syntax::parse_u32(text).ok_or(Error::MalformedParameter("version"))
        })
    }

    fn check_qop(&self) -> Result<(), Error> {
        match self.qop {
            Some(qop) if !qop.eq_ignore_ascii_case("auth") => Err(Error::Qop),
            _ => Ok(()),
        }
    }
}

/// A challenge: WWW-Authenticate or Proxy-Authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// The scheme.
    pub scheme: Scheme,
    /// The protection space, compared with case.
    pub realm: &'a str,
    /// The server: its FQDN, for Kerberos with `sip/` before it.
    pub targetname: &'a str,
    /// The highest version of the server as a number; 2 where the parameter is absent.
    pub version: u32,
    /// Names the half-open association that the token belongs to.
    pub opaque: Option<&'a str>,
    /// The token, base64.
    pub gssapi_data: Option<&'a str>,
    /// Where certificates for TLS-DSK come from ([MS-OCAUTHWS]).
    pub sts_uri: Option<&'a str>,
}

impl<'a> Challenge<'a> {
    /// Reads a challenge. Digest, which has other parameters, is [`Error::UnknownScheme`].
    pub fn read(header: &AuthHeader<'a>) -> Result<Self, Error> {
        let scheme = known_scheme(header)?;
        let params = Params::read(header);
        Ok(Self {
            scheme,
            realm: params.realm.ok_or(Error::MissingParameter("realm"))?,
            targetname: params
                .targetname
                .ok_or(Error::MissingParameter("targetname"))?,
            version: params.version()?,
            opaque: params.opaque,
            gssapi_data: params.gssapi_data,
            sts_uri: params.sts_uri,
        })
    }

    /// Appends the header value: the first challenge as `realm, targetname, version, sts-uri`, one with a token as
    /// `opaque, gssapi-data, targetname, realm, version`. Version 2 is not written.
    pub fn write(&self, out: &mut String) {
        let mut writer = Writer::new(out, self.scheme.as_str());
        if let Some(token) = self.gssapi_data {
            writer.optional("opaque", self.opaque);
            writer.quoted("gssapi-data", token);
            writer.quoted("targetname", self.targetname);
            writer.quoted("realm", self.realm);
        } else {
            writer.quoted("realm", self.realm);
            writer.quoted("targetname", self.targetname);
            writer.optional("opaque", self.opaque);
        }
        writer.version(self.version);
        writer.optional("sts-uri", self.sts_uri);
    }
}

/// The three parameters of a signature as they stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureParams<'a> {
    /// `crand` or `srand`.
    pub rand: &'a str,
    /// `cnum` or `snum`.
    pub num: &'a str,
    /// `response` or `rspauth`, hexadecimal digits.
    pub signature: &'a str,
}

impl SignatureParams<'_> {
    /// The sequence number, if `num` is one from 1 on. Clients exist that write `(null)`: their signature counts as wrong.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        ocs_sip_core::syntax::parse_u32(self.num).filter(|&number| number > 0)
    }

    /// The decoded signature, if all three parameters have their form.
    #[must_use]
    pub fn decode(&self) -> Option<Signature> {
        let hex = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_hexdigit());
        if !hex(self.rand) || self.signature.is_empty() {
            return None;
        }
        Signature::from_hex(self.signature)
    }
}

fn signature_params<'a>(
    rand: Option<&'a str>,
    num: Option<&'a str>,
    signature: Option<&'a str>,
) -> Option<SignatureParams<'a>> {
    (rand.is_some() || num.is_some() || signature.is_some()).then(|| SignatureParams {
        rand: rand.unwrap_or(""),
        num: num.unwrap_or(""),
        signature: signature.unwrap_or(""),
    })
}

/// Credentials: Authorization or Proxy-Authorization.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The scheme.
    pub scheme: Scheme,
    /// The scheme as written, which is what a signature covers.
    pub scheme_text: &'a str,
    /// The protection space.
    pub realm: &'a str,
    /// The server.
    pub targetname: &'a str,
    /// The association, half-open or established, that the server made.
    pub opaque: Option<&'a str>,
    /// The version while the handshake lasts; 2 where the parameter is absent.
    pub version: u32,
    /// The token, base64; empty at the start of an NTLM handshake.
    pub gssapi_data: Option<&'a str>,
    /// `crand`, `cnum`, `response`, if any of them is there.
    pub signature: Option<SignatureParams<'a>>,
}

impl std::fmt::Debug for Credentials<'_> {
    /// Tokens and signatures are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("scheme", &self.scheme)
            .field("realm", &self.realm)
            .field("targetname", &self.targetname)
            .field("opaque", &self.opaque)
            .field("version", &self.version)
            .field("has_token", &self.gssapi_data.is_some())
            .field("is_signed", &self.signature.is_some())
            .finish()
    }
}

impl<'a> Credentials<'a> {
    /// Reads credentials. An absent `qop` passes for `auth`.
    pub fn read(header: &AuthHeader<'a>) -> Result<Self, Error> {
        let scheme = known_scheme(header)?;
        let params = Params::read(header);
        params.check_qop()?;
        Ok(Self {
            scheme,
            scheme_text: header.scheme_text(),
            realm: params.realm.ok_or(Error::MissingParameter("realm"))?,
            targetname: params
                .targetname
                .ok_or(Error::MissingParameter("targetname"))?,
            opaque: params.opaque,
            version: params.version()?,
            gssapi_data: params.gssapi_data,
            signature: signature_params(params.crand, params.cnum, params.response),
        })
    }

    /// Appends the header value: `qop, opaque, realm, targetname`, while the handshake lasts `gssapi-data, version`, then
    /// `crand, cnum, response`.
    pub fn write(&self, out: &mut String) {
        let mut writer = Writer::new(out, self.scheme_text);
        writer.quoted("qop", "auth");
        writer.optional("opaque", self.opaque);
        writer.quoted("realm", self.realm);
        writer.quoted("targetname", self.targetname);
        writer.optional("gssapi-data", self.gssapi_data);
        writer.version(self.version);
        if let Some(signature) = self.signature {
            writer.quoted("crand", signature.rand);
            writer.quoted("cnum", signature.num);
            writer.quoted("response", signature.signature);
        }
    }

    /// The fields of the signature buffer that these credentials give.
    #[must_use]
    pub fn salt(&self) -> Option<Salt<'a>> {
        salt(
            self.scheme_text,
            self.realm,
            self.targetname,
            self.signature?,
        )
    }
}

/// An authentication info: Authentication-Info or Proxy-Authentication-Info.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info<'a> {
    /// The scheme.
    pub scheme: Scheme,
    /// The scheme as written, which is what a signature covers.
    pub scheme_text: &'a str,
    /// The protection space.
    pub realm: &'a str,
    /// The server.
    pub targetname: &'a str,
    /// The association.
    pub opaque: Option<&'a str>,
    /// The version; 2 where the parameter is absent.
    pub version: u32,
    /// `srand`, `snum`, `rspauth`.
    pub signature: SignatureParams<'a>,
}

impl<'a> Info<'a> {
    /// Reads an info.
    pub fn read(header: &AuthHeader<'a>) -> Result<Self, Error> {
        let scheme = known_scheme(header)?;
        let params = Params::read(header);
        params.check_qop()?;
        Ok(Self {
            scheme,
            scheme_text: header.scheme_text(),
            realm: params.realm.ok_or(Error::MissingParameter("realm"))?,
            targetname: params
                .targetname
                .ok_or(Error::MissingParameter("targetname"))?,
            opaque: params.opaque,
            version: params.version()?,
            signature: signature_params(params.srand, params.snum, params.rspauth)
                .ok_or(Error::MissingParameter("rspauth"))?,
        })
    }

    /// Appends the header value: `rspauth, srand, snum, opaque, qop, targetname, realm`, and `version` in version 4.
    pub fn write(&self, out: &mut String) {
        let mut writer = Writer::new(out, self.scheme_text);
        writer.quoted("rspauth", self.signature.signature);
        writer.quoted("srand", self.signature.rand);
        writer.quoted("snum", self.signature.num);
        writer.optional("opaque", self.opaque);
        writer.quoted("qop", "auth");
        writer.quoted("targetname", self.targetname);
        writer.quoted("realm", self.realm);
        if self.version >= Version::V4.number() {
            writer.version(self.version);
        }
    }

    /// The fields of the signature buffer that this info gives.
    #[must_use]
    pub fn salt(&self) -> Option<Salt<'a>> {
        salt(
            self.scheme_text,
            self.realm,
            self.targetname,
            self.signature,
        )
    }
}

fn salt<'a>(
    scheme: &'a str,
    realm: &'a str,
    targetname: &'a str,
    signature: SignatureParams<'a>,
) -> Option<Salt<'a>> {
    signature.number()?;
    Some(Salt {
        scheme,
        rand: signature.rand,
        num: signature.num,
        realm,
        targetname,
    })
}

/// A scheme whose headers have the parameters of this module.
fn known_scheme(header: &AuthHeader<'_>) -> Result<Scheme, Error> {
    match header.scheme() {
        Some(Scheme::Digest) | None => Err(Error::UnknownScheme),
        Some(scheme) => Ok(scheme),
    }
}

/// Whether two targets are the same server: host names have no case, and the `sip/` of Kerberos does not count
/// (the natural reading of an ambiguous sentence of 3.2.5.2).
#[must_use]
pub fn same_target(a: &str, b: &str) -> bool {
    bare_target(a).eq_ignore_ascii_case(bare_target(b))
}

/// A target without `sip/`.
fn bare_target(target: &str) -> &str {
    match target.split_at_checked(4) {
        Some((service, host)) if service.eq_ignore_ascii_case("sip/") => host,
        _ => target,
    }
}

/// Writes parameters to a string that is used again and again.
struct Writer<'a> {
    out: &'a mut String,
    separator: &'static str,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut String, scheme: &str) -> Self {
        out.push_str(scheme);
        Self {
            out,
            separator: " ",
        }
    }

    fn name(&mut self, name: &str) {
        self.out.push_str(self.separator);
        self.separator = ", ";
        self.out.push_str(name);
        self.out.push('=');
    }

    /// Values are never escaped in this system; what was read from a quoted string can be written as one.
    fn quoted(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.push('"');
        self.out.push_str(value);
        self.out.push('"');
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.quoted(name, value);
        }
    }

    fn version(&mut self, version: u32) {
        if version > Version::V2.number() {
            self.name("version");
            // Writing to a String cannot fail.
            let _ = write!(self.out, "{version}");
        }
    }
}
