//! What is read, what is refused, and what comes out again.

use std::fmt::Write as _;

use ocs_xml::{
    COMMON_TYPES, Element, Error, Limits, Raw, Reader, SmolStr, Writer, choice, element,
    from_slice, to_string, words,
};

const CARD: &str = "urn:example:card";

words! {
    /// Which phone.
    pub enum PhoneType: open {
        /// At work.
        Work = "work",
        /// At home.
        Home = "home",
    }
}

words! {
    /// How long something lives.
    pub enum Life {
        /// For ever.
        Static = "static",
        /// As long as its endpoint.
        Endpoint = "endpoint",
    }
}

element! {
    /// A phone.
    pub struct Phone("urn:example:card", "phone") {
        /// Which.
        attr kind: PhoneType = "type",
        /// Number.
        leaf uri: SmolStr,
        /// Texts.
        leaves shown: SmolStr = "displayString",
    }
}

element! {
    /// A text in a language.
    pub struct Text("urn:example:card", "name") {
        /// Language.
        attr_opt lcid: u32 = "LCID",
        /// The text.
        text text: SmolStr,
    }
}

choice! {
    /// Anything of a card.
    pub enum Item("name or phone") {
        /// A name.
        Name(Text),
        /// A phone.
        Phone(Phone),
    }
}

element! {
    /// A card.
    pub struct Card("urn:example:card", "card") {
        /// Life.
        attr_opt life: Life,
        /// What is on it.
        children items: Item,
        /// Later.
        leaf_opt description: SmolStr => 1,
        /// Later still.
        leaf_opt photo: bool => 2,
    }
}

fn read<T: Element>(text: &str) -> Result<T, Error> {
    from_slice(text.as_bytes(), &Limits::default())
}

#[test]
fn typed_elements_come_out_as_they_went_in() {
    for text in [
        r#"<card xmlns="urn:example:card"/>"#.to_owned(),
        r#"<card xmlns="urn:example:card" life="endpoint" x="1"><phone type="boat"><uri>tel:+1</uri></phone><name LCID="1033">A&amp;B</name><phone type="work"><uri>tel:+2</uri><displayString>2</displayString><displayString/></phone></card>"#.to_owned(),
        format!(r#"<card xmlns="urn:example:card"><name>n</name><ct:delimiter xmlns:ct="{COMMON_TYPES}"/><description>d</description><ct:delimiter xmlns:ct="{COMMON_TYPES}"/><photo>true</photo></card>"#),
        format!(r#"<card xmlns="urn:example:card"><ct:delimiter xmlns:ct="{COMMON_TYPES}"/><ct:delimiter xmlns:ct="{COMMON_TYPES}"/><photo>false</photo><new xmlns="urn:new" y="z">t<w/></new></card>"#),
        format!(r#"<card xmlns="urn:example:card"><ct:delimiter xmlns:ct="{COMMON_TYPES}"/><later/></card>"#),
    ] {
        let card: Card = read(&text).unwrap();
        assert_eq!(to_string(&card), text);
    }
}

#[test]
fn order_and_prefixes_do_not_matter() {
    let card: Card = read(
        "\u{FEFF}<?xml version='1.0' encoding='utf-16'?><!-- a --><c:card xmlns:c='urn:example:card'>\n \
         <c:photo> 1 </c:photo><c:name><![CDATA[<x>]]>&#x41;</c:name></c:card>\n",
    )
    .unwrap();
    assert_eq!(card.photo, Some(true));
    let Item::Name(name) = &card.items[0] else {
        panic!("no name");
    };
    assert_eq!(name.text, "<x>A");
}

#[test]
fn an_element_without_namespace_passes_one_of_another_does_not() {
    let card: Card = read("<card><phone type='work'><uri>tel:+1</uri></phone></card>").unwrap();
    assert_eq!(card.items.len(), 1);
    let card: Card = read("<card><phone xmlns='urn:other' type='work'/></card>").unwrap();
    assert!(card.items.is_empty());
    assert_eq!(card.extra.elements().count(), 1);
    assert_eq!(
        read::<Card>("<card xmlns='urn:other'/>"),
        Err(Error::Root {
            expected: "card",
            found: "card".into()
        })
    );
}

#[test]
fn what_the_schema_wants_is_missed() {
    assert_eq!(
        read::<Phone>("<phone><uri>tel:+1</uri></phone>"),
        Err(Error::MissingAttribute {
            element: "phone",
            attribute: "type"
        })
    );
    assert_eq!(
        read::<Phone>("<phone type='work'/>"),
        Err(Error::MissingElement {
            element: "phone",
            child: "uri"
        })
    );
    assert_eq!(
        read::<Phone>("<phone type='work'><uri/><uri/></phone>"),
        Err(Error::RepeatedElement {
            element: "phone",
            child: "uri"
        })
    );
    assert_eq!(
        read::<Card>("<card life='long'/>"),
        Err(Error::Value {
            element: "card",
            name: "life"
        })
    );
}

/// An element with 65 attributes.
fn many_attributes(name: &str) -> String {
    let mut text = String::from("<a");
    for n in 0..65 {
        let _ = write!(text, " {name}{n}='u'");
    }
    text + "/>"
}

#[test]
fn documents_that_are_none() {
    let deep = "<a>".repeat(100_000);
    let wide = format!("<a {}/>", "x='1' ".repeat(100_000));
    let many = many_attributes("x");
    let declarations = many_attributes("xmlns:x");
    for (text, want) in [
        ("", "no root"),
        (" ", "no root"),
        ("x", "text outside"),
        ("<a>", "ends early"),
        ("<a", ""),
        ("</a>", ""),
        ("<a></b>", ""),
        ("<a/><b/>", "second root"),
        ("<a/>x", "text outside"),
        ("<a/>&amp;", "text outside"),
        ("<![CDATA[x]]><a/>", "text outside"),
        ("<!DOCTYPE a><a/>", "type definition"),
        (
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "type definition",
        ),
        ("<a>&x;</a>", "unknown entity"),
        ("<a b='&x;'/>", "unknown entity"),
        ("<a>&#0;</a>", "not allowed"),
        ("<a>&#xD800;</a>", "not allowed"),
        ("<a>&#xFFFF;</a>", "not allowed"),
        ("<a>\u{1}</a>", "not allowed"),
        ("<a b='1' b='2'/>", "twice"),
        ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "twice"),
        ("<a xmlns='u' xmlns='v'/>", "twice"),
        ("<a xmlns='a>b'/>", "in the name of a namespace"),
        ("<a xmlns='a\rb'/>", "in the name of a namespace"),
        ("<p:a/>", "without namespace"),
        ("<a p:b='1'/>", "without namespace"),
        ("<a xmlns:p=''/>", "not allowed"),
        ("<a xmlns:xmlns='u'/>", "not allowed"),
        ("<a xmlns='u&amp;v'/>", "name of a namespace"),
        ("<a b='<'/>", ""),
        ("<a b=1/>", "malformed"),
        ("<a b/>", "malformed"),
        ("<a ='1'/>", ""),
        ("<1a/>", "bad name"),
        ("<a:b:c/>", "bad name"),
        ("<a>]]></a>", "]]>"),
        (&deep, "deeper"),
        (&wide, "more than 64"),
        (&many, "more than 64"),
        (&declarations, "more than 64"),
    ] {
        let error = Raw::parse(text.as_bytes(), &Limits::default()).unwrap_err();
        let shown = &text[..text.len().min(60)];
        assert!(error.to_string().contains(want), "{shown}: {error}");
    }
    assert_eq!(
        Raw::parse(
            &[b' '; 11],
            &Limits {
                size: 10,
                ..Limits::default()
            }
        ),
        Err(Error::TooLong { limit: 10 })
    );
    assert_eq!(
        Raw::parse(b"<a>\xFF</a>", &Limits::default()),
        Err(Error::NotUtf8 { offset: 3 })
    );
}

#[test]
fn every_truncation_is_an_error() {
    let text = r#"<a xmlns="u" xmlns:p="v"><p:b c="&lt;" p:d='2'><!-- e --><![CDATA[f]]>g&#65;</p:b><h/></a>"#;
    Raw::parse(text.as_bytes(), &Limits::default()).unwrap();
    for end in 0..text.len() {
        Raw::parse(&text.as_bytes()[..end], &Limits::default()).unwrap_err();
    }
}

#[test]
fn an_element_taken_out_stands_on_its_own() {
    let text = r#"<l xmlns="u" xmlns:p="v" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:t="w"><p:b><c q="1" p:r="2" xsi:type="t:T">x &gt; y</c></p:b></l>"#;
    let mut reader = Reader::new(text.as_bytes(), &Limits::default()).unwrap();
    reader.root("u", "l").unwrap();
    let tag = reader.child().unwrap().unwrap();
    assert_eq!((tag.namespace, tag.prefix, tag.name), ("v", "p", "b"));
    let raw = reader.raw().unwrap();
    assert_eq!(reader.child().unwrap(), None);
    reader.finish().unwrap();
    assert_eq!(raw.name(), "b");
    assert_eq!(
        raw.as_str(),
        r#"<p:b xmlns:p="v" xmlns="u" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:t="w"><c q="1" p:r="2" xsi:type="t:T">x &gt; y</c></p:b>"#
    );
    assert_eq!(
        Raw::parse(raw.as_str().as_bytes(), &Limits::default()).unwrap(),
        raw
    );
}

#[test]
fn an_element_without_namespace_stays_without() {
    let bare = Raw::parse(b"<a><b/></a>", &Limits::default()).unwrap();
    let own = Raw::parse(b"<a xmlns=\"u\"><b/></a>", &Limits::default()).unwrap();
    let inside = Raw::parse(b"<p:a xmlns:p='v'><b/></p:a>", &Limits::default()).unwrap();
    let mut writer = Writer::new();
    writer.open("u", "l");
    for raw in [&bare, &own, &inside] {
        raw.write(&mut writer);
    }
    writer.open("w", "m");
    own.write(&mut writer);
    writer.close();
    writer.close();
    bare.write(&mut writer);
    assert_eq!(
        writer.finish(),
        r#"<l xmlns="u"><a xmlns=""><b/></a><a><b/></a><p:a xmlns="" xmlns:p='v'><b/></p:a><m xmlns="w"><a xmlns="u"><b/></a></m></l><a><b/></a>"#
    );
}

#[test]
fn comments_and_instructions_are_left_out() {
    let raw = Raw::parse(
        b"<a><!-- x --><?y z?>t<![CDATA[&]]></a>",
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(raw.as_str(), "<a>t&amp;</a>");
}

#[test]
fn what_xml_cannot_carry_is_replaced() {
    let mut writer = Writer::new();
    writer.open("", "a");
    writer.attr("b", "\u{1}\n\t\"<'\u{FFFE}");
    writer.text("]]>\r\u{0}");
    let text = writer.finish();
    assert_eq!(
        text,
        "<a b=\"\u{FFFD}&#10;&#9;&quot;&lt;&apos;\u{FFFD}\">]]&gt;&#13;\u{FFFD}</a>"
    );
    Raw::parse(text.as_bytes(), &Limits::default()).unwrap();
}

#[test]
fn elements_become_raw_and_typed_again() {
    let phone = Phone {
        kind: PhoneType::Home,
        uri: "tel:+1".into(),
        shown: vec!["1".into()],
        extra: ocs_xml::Extra::default(),
    };
    let raw = Raw::of(&phone);
    assert_eq!(raw.name(), "phone");
    assert_eq!(raw.decode::<Phone>().unwrap(), phone);
    assert!(raw.decode::<Card>().is_err());
    assert_eq!(
        Raw::parse(to_string(&phone).as_bytes(), &Limits::default()).unwrap(),
        raw
    );
    assert_eq!(CARD, Phone::NAMESPACE);
}
