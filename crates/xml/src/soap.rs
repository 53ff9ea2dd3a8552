//! Envelopes of SOAP 1.1, around the methods of this system.

use crate::{Error, Reader, Tag, Writer};

/// The namespace of `Envelope`, `Body` and `Fault`.
pub const NAMESPACE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// Writes an envelope around what `body` writes. `prefix` is the one of the envelope; `bound` are prefix and namespace of what is in it, declared at
/// its root.
pub fn write(prefix: &str, bound: (&str, &str), body: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer::new();
    writer.open_prefixed(prefix, NAMESPACE, "Envelope");
    writer.bind(bound.0, bound.1);
    writer.open_prefixed(prefix, NAMESPACE, "Body");
    body(&mut writer);
    writer.finish()
}

/// Reads a document that is an envelope to its end, and gives each element of the body to `each`, which leaves it. Headers are passed over.
///
/// # Errors
/// What is wrong with the document, [`Error::MissingElement`] and [`Error::RepeatedElement`] of the body among it; what `each` says.
pub fn read<'a>(
    mut reader: Reader<'a>,
    mut each: impl FnMut(&Tag<'a>, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    reader.root(NAMESPACE, "Envelope")?;
    let mut found = false;
    while let Some(part) = reader.child()? {
        if !part.is(NAMESPACE, "Body") {
            reader.skip()?;
            continue;
        }
        if std::mem::replace(&mut found, true) {
            return Err(Error::RepeatedElement {
                element: "Envelope",
                child: "Body",
            });
        }
        while let Some(tag) = reader.child()? {
            each(&tag, &mut reader)?;
        }
    }
    reader.finish()?;
    if found {
        Ok(())
    } else {
        Err(Error::MissingElement {
            element: "Envelope",
            child: "Body",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn methods(document: &str) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let reader = Reader::new(document.as_bytes(), &Limits::default())?;
        read(reader, |tag, reader| {
            names.push(format!("{} {}", tag.namespace, tag.name));
            reader.skip()
        })?;
        Ok(names)
    }

    #[test]
    fn what_is_written_is_read() {
        let document = write("s", ("m", "urn:methods"), |writer| {
            for name in ["one", "two"] {
                writer.open_prefixed("m", "urn:methods", name);
                writer.close();
            }
        });
        assert_eq!(
            document,
            format!(
                r#"<s:Envelope xmlns:s="{NAMESPACE}" xmlns:m="urn:methods"><s:Body><m:one/><m:two/></s:Body></s:Envelope>"#
            )
        );
        let read = methods(&document).unwrap();
        assert_eq!(read, ["urn:methods one", "urn:methods two"]);
    }

    #[test]
    fn headers_are_passed_over_and_there_is_one_body() {
        let envelope = |content: &str| {
            methods(&format!(
                r#"<Envelope xmlns="{NAMESPACE}">{content}</Envelope>"#
            ))
        };
        let body = r#"<Body><x xmlns="urn:y"/></Body>"#;
        let with_header = envelope(&format!("<Header><a>b</a></Header>{body}"));
        assert_eq!(with_header.unwrap(), ["urn:y x"]);
        let (element, child) = ("Envelope", "Body");
        let missing = Error::MissingElement { element, child };
        assert_eq!(envelope("<Header/>"), Err(missing));
        let repeated = Error::RepeatedElement { element, child };
        assert_eq!(envelope(&format!("{body}{body}")), Err(repeated));
        assert!(methods("<x/>").is_err());
        assert!(envelope("<Body><x></Body>").is_err());
    }
}
