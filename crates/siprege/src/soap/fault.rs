//! Why a request over SERVICE was refused.

use ocs_ocer::ErrorId;
use ocs_xml::{Error, Limits, Reader, SmolStr, Writer, soap};

/// A refused request: what the answer carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// The id for `ms-diagnostics` (\[MS-OCER\]), where there is one.
    pub error_id: Option<ErrorId>,
    /// The body, of type [`Fault::CONTENT_TYPE`].
    pub fault: Option<Fault>,
}

impl Refusal {
    /// The request carries another number than the list has: 409 (inferred from what a publication gets; whoever gets it
    /// subscribes again).
    #[must_use]
    pub fn wrong_delta() -> Self {
        Self {
            status: 409,
            error_id: None,
            fault: Some(Fault {
                code: Fault::WRONG_DELTA.into(),
                text: SmolStr::default(),
            }),
        }
    }

    /// A status without more.
    #[must_use]
    pub const fn plain(status: u16) -> Self {
        Self {
            status,
            error_id: None,
            fault: None,
        }
    }

    /// A status with an id of \[MS-OCER\].
    #[must_use]
    pub const fn diagnosed(status: u16, error_id: ErrorId) -> Self {
        Self {
            status,
            error_id: Some(error_id),
            fault: None,
        }
    }
}

impl From<Error> for Refusal {
    /// 400 with 4001, "XML parse failure".
    fn from(_: Error) -> Self {
        Self::diagnosed(400, ErrorId::XML_PARSE_FAILURE)
    }
}

/// The fault body of an answer: `Fault` without namespace as presence servers write it, or a SOAP 1.1 fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `Faultcode`
    pub code: SmolStr,
    /// `faultstring`; mostly empty.
    pub text: SmolStr,
}

impl Fault {
    /// The type of the form without envelope.
    pub const CONTENT_TYPE: &'static str = "application/msrtc-fault+xml";
    /// The code of a request with the wrong number.
    pub const WRONG_DELTA: &'static str = "Client.BadCall.WrongDelta";

    /// Whether the request carried the wrong number.
    #[must_use]
    pub fn is_wrong_delta(&self) -> bool {
        self.code == Self::WRONG_DELTA
    }

    /// Reads either form.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        let root = reader.any_root()?;
        if root.name == "Fault" {
            let fault = Self::read_content(&mut reader)?;
            reader.finish()?;
            return Ok(fault);
        }
        let mut fault = None;
        super::read(document, limits, |tag, reader| {
            if tag.is(soap::NAMESPACE, "Fault") {
                super::set(&mut fault, Self::read_content(reader)?, "Body", "Fault")
            } else {
                reader.skip()
            }
        })?;
        fault.ok_or(Error::MissingElement {
            element: "Body",
            child: "Fault",
        })
    }

    fn read_content(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (mut code, mut text) = (None, None);
        while let Some(tag) = reader.child()? {
            if tag.name.eq_ignore_ascii_case("faultcode") {
                super::set(
                    &mut code,
                    reader.text()?.trim_ascii().into(),
                    "Fault",
                    "faultcode",
                )?;
            } else if tag.name.eq_ignore_ascii_case("faultstring") {
                super::set(&mut text, reader.text()?.into(), "Fault", "faultstring")?;
            } else {
                reader.skip()?;
            }
        }
        Ok(Self {
            code: code.ok_or(Error::MissingElement {
                element: "Fault",
                child: "faultcode",
            })?,
            text: text.unwrap_or_default(),
        })
    }

    /// Writes the form without envelope.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut writer = Writer::new();
        writer.open("", "Fault");
        writer.leaf("", "Faultcode", &self.code);
        if !self.text.is_empty() {
            writer.leaf("", "Faultstring", &self.text);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let limits = Limits::default();
        let plain = r#"<Fault><Faultcode>Client.BadCall.WrongDelta</Faultcode><details><operation index="1"/></details></Fault>"#;
        let fault = Fault::read(plain.as_bytes(), &limits).unwrap();
        assert!(fault.is_wrong_delta());
        assert_eq!(Fault::read(fault.to_body().as_bytes(), &limits), Ok(fault));
        let soap = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>"#;
        let fault = Fault::read(soap.as_bytes(), &limits).unwrap();
        assert_eq!((&*fault.code, &*fault.text), ("s:Client", "no"));
        for bad in [
            "<Fault/>",
            "<x/>",
            "",
            "<Fault><Faultcode>a</Faultcode><Faultcode>b</Faultcode></Fault>",
        ] {
            assert!(Fault::read(bad.as_bytes(), &limits).is_err(), "{bad}");
        }
    }
}
