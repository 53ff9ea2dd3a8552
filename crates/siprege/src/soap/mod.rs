//! SOAP over SERVICE (\[MS-SIP\] 2.2.4.2, 3.7.4.3): how clients write to what the server keeps for them, and search the directory.

mod call;
mod directory;
mod fault;

pub use call::Call;
pub use directory::{Entry, Search, SearchAnswer, SearchRow};
pub use fault::{Fault, Refusal};

use ocs_xml::{Error, Limits, Reader, Tag, Writer, soap};

/// The type of requests and answers.
pub const CONTENT_TYPE: &str = "application/SOAP+xml";
/// The namespace of the methods.
pub const METHODS: &str = "http://schemas.microsoft.com/winrtc/2002/11/sip";

/// Writes an envelope around what `body` writes, with the prefixes that servers use.
pub(crate) fn envelope(body: impl FnOnce(&mut Writer)) -> String {
    soap::write("SOAP-ENV", ("m", METHODS), body)
}

/// Opens an element of the methods' namespace.
pub(crate) fn open(writer: &mut Writer, name: &str) {
    writer.open_prefixed("m", METHODS, name);
}

/// Writes an element of the methods' namespace that holds a text.
pub(crate) fn field(writer: &mut Writer, name: &str, text: &str) {
    open(writer, name);
    writer.text(text);
    writer.close();
}

/// Writes an element of the methods' namespace that holds a value.
pub(crate) fn value_field<T: ocs_xml::Value>(writer: &mut Writer, name: &str, value: &T) {
    open(writer, name);
    writer.text_value(value);
    writer.close();
}

/// Gives each element of the body to `each`, which leaves it.
pub(crate) fn read<'a>(
    document: &'a [u8],
    limits: &Limits,
    each: impl FnMut(&Tag<'a>, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    soap::read(Reader::new(document, limits)?, each)
}

/// Puts the value of a field into its place.
pub(crate) fn set<T>(
    slot: &mut Option<T>,
    value: T,
    element: &'static str,
    child: &'static str,
) -> Result<(), Error> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::RepeatedElement { element, child }),
    }
}

/// Reads the text of a field as a value.
pub(crate) fn parse<T: ocs_xml::Value>(
    reader: &mut Reader<'_>,
    element: &'static str,
    name: &'static str,
) -> Result<T, Error> {
    T::parse(&reader.text()?).ok_or(Error::Value { element, name })
}
