//! What the declarations of schemas do beside plain fields.

use ocs_xml::{Error, Limits, Reader, SmolStr, content, element, from_slice, to_string, words};

const NS: &str = "urn:example:a";

words! {
    /// A type.
    pub enum Kind: open {
        /// One.
        One = "one",
    }
}

content! {
    /// A part.
    #[derive(Default)]
    pub struct Part(NS, "part") {
        /// A leaf.
        leaf_opt inner: u32,
    }
}

element! {
    /// A thing.
    #[derive(Default)]
    pub struct Thing(NS, "thing") {
        /// An attribute.
        attr_opt id: u32,
        /// The type.
        xsi_type kind: Kind,
        /// First version.
        part_opt first: Part,
        /// Second version.
        parts second: Part => 1,
        /// Third version.
        leaf_opt third: SmolStr => 2,
    }
}

element! {
    /// A thing without namespace.
    #[derive(Default)]
    pub struct Bare("", "bare") {
        /// An attribute.
        attr_opt id: u32,
        /// A leaf.
        leaf_opt name: SmolStr,
    }
}

const XSI: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
const DELIMITER: &str =
    "<ct:delimiter xmlns:ct=\"http://schemas.microsoft.com/2006/09/sip/commontypes\"/>";

fn thing(text: &str) -> Result<Thing, Error> {
    from_slice(text.as_bytes(), &Limits::default())
}

#[test]
fn types_lose_their_prefix() {
    let text = format!("<thing xmlns=\"{NS}\" id=\"1\" {XSI} xsi:type=\"one\"/>");
    let read = thing(&text).unwrap();
    assert_eq!(read.kind, Some(Kind::One));
    assert_eq!(to_string(&read), text);
    let prefixed = format!("<p:thing xmlns:p=\"{NS}\" {XSI} xsi:type=\"p:one\" p:id=\"1\"/>");
    assert_eq!(thing(&prefixed).unwrap(), read);
    // Another type, and an attribute of another namespace.
    let other = format!("<thing xmlns=\"{NS}\" type=\"one\" xmlns:q=\"urn:q\" q:id=\"1\"/>");
    let read = thing(&other).unwrap();
    assert_eq!(
        (read.kind, read.id, read.extra.attributes().len()),
        (None, None, 2)
    );
}

#[test]
fn unknown_elements_stay_between_the_delimiters() {
    let text = format!(
        "<thing xmlns=\"{NS}\"><first><inner>1</inner></first><x/>{DELIMITER}<second/><y/>{DELIMITER}<third>t</third>{DELIMITER}<z/></thing>"
    );
    let read = thing(&text).unwrap();
    assert_eq!(read.extra.elements().count(), 3);
    assert_eq!(to_string(&read), text);
    let twice = format!("<thing xmlns=\"{NS}\"><first/><first/></thing>");
    assert!(matches!(
        thing(&twice),
        Err(Error::RepeatedElement { child: "first", .. })
    ));
}

#[test]
fn schemas_without_namespace_go_by_names() {
    let text = "<p:bare xmlns:p=\"urn:p\" p:id=\"1\"><p:name>n</p:name></p:bare>";
    let read: Bare = from_slice(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!((read.id, read.name.as_deref()), (Some(1), Some("n")));
    assert!(read.extra.is_empty());
    // With a namespace they do not.
    assert!(thing("<thing xmlns=\"urn:p\"/>").is_err());
}

#[test]
fn one_namespace_for_another() {
    let text = "<thing xmlns=\"urn:old\" id=\"1\"><first/><x/></thing>";
    let mut reader = Reader::new(text.as_bytes(), &Limits::default()).unwrap();
    reader.alias("urn:old", NS);
    let read: Thing = reader.document().unwrap();
    assert_eq!(to_string(&read), text.replace("urn:old", NS));
}

#[test]
fn the_default_namespace_comes_back() {
    let text = "<a xmlns=\"urn:a\"><b xmlns=\"urn:b\"><c/></b><d/><e xmlns=\"\"><f/></e><g/></a>";
    let mut reader = Reader::new(text.as_bytes(), &Limits::default()).unwrap();
    let mut seen = vec![reader.any_root().unwrap().namespace.to_owned()];
    let mut depth = 1;
    while depth > 0 {
        match reader.child().unwrap() {
            Some(tag) => {
                seen.push(tag.namespace.to_owned());
                depth += 1;
            }
            None => depth -= 1,
        }
    }
    assert_eq!(seen, ["urn:a", "urn:b", "urn:b", "urn:a", "", "", "urn:a"]);
}

#[test]
fn text_may_hold_what_only_looks_like_an_end_of_cdata() {
    let read = |text: &str| from_slice::<Bare>(text.as_bytes(), &Limits::default());
    assert_eq!(
        read("<bare><name>a>b]]</name></bare>")
            .unwrap()
            .name
            .as_deref(),
        Some("a>b]]")
    );
    assert!(matches!(
        read("<bare><name>a]]>b</name></bare>"),
        Err(Error::Syntax { .. })
    ));
}
