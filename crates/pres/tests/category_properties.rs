//! Values of categories that nobody wrote by hand: every schema, cut and filled at random, and hostile ones.

#[path = "common/categories.rs"]
mod all;

use all::ALL;
use ocs_pres::category::Category;
use ocs_pres::category::free_busy::{BitOrder, Packed, Slot};
use ocs_pres::category::routing::{CallSettings, Handling};
use ocs_pres::grammar::{CategoryPublicationManifest, ContainerManifestList};
use ocs_pres::legacy::{Presentity, SetPresence, pidf, xpidf};
use ocs_xml::{Element, Limits, Raw, Value, from_slice, to_string};
use proptest::prelude::*;

/// Writes an element again, with decisions taken from `dice`: drops elements and attributes, repeats elements, puts unknown ones between,
/// changes text.
fn vary(node: roxmltree::Node<'_, '_>, dice: &mut impl Iterator<Item = u8>, out: &mut String) {
    use std::fmt::Write;
    let mut roll = || dice.next().unwrap_or(0);
    let name = node.tag_name();
    write!(
        out,
        "<{} xmlns=\"{}\"",
        name.name(),
        name.namespace().unwrap_or_default()
    )
    .unwrap();
    for attribute in node.attributes() {
        if roll() < 230 {
            let value = text(attribute.value(), roll());
            match attribute.namespace() {
                Some(namespace) => write!(
                    out,
                    " xmlns:p=\"{namespace}\" p:{}=\"{value}\"",
                    attribute.name()
                ),
                None => write!(out, " {}=\"{value}\"", attribute.name()),
            }
            .unwrap();
        }
    }
    if roll() > 220 {
        out.push_str(" unknown=\"&lt;1&gt;\" xmlns:u=\"urn:example:u\" u:other=\"2\"");
    }
    out.push('>');
    let mut children = String::new();
    for child in node.children() {
        if let Some(inside) = child.text().filter(|_| child.is_text()) {
            out.push_str(&text(inside, dice.next().unwrap_or(0)));
        } else if child.is_element() {
            let times = match dice.next().unwrap_or(0) {
                0..=19 => 0,
                20..=243 => 1,
                _ => 2,
            };
            for _ in 0..times {
                vary(child, dice, &mut children);
            }
            if dice.next().unwrap_or(0) > 240 {
                children.push_str("<u:x xmlns:u=\"urn:example:u\" a=\"1\">t<u:y/></u:x>");
            }
        }
    }
    out.push_str(&children);
    write!(out, "</{}>", name.name()).unwrap();
}

fn text(value: &str, roll: u8) -> String {
    match roll {
        251 => String::new(),
        252 => "&#x10FFFF;&amp;&quot; ".to_owned(),
        253 => "4294967295".to_owned(),
        254 => "true".to_owned(),
        255 => value.repeat(3).replace('&', "&amp;").replace('<', "&lt;"),
        _ => value.replace('&', "&amp;").replace('<', "&lt;"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_schema_both_ways(which in 0..ALL.len(), dice in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (name, _, document) = ALL[which];
        let tree = roxmltree::Document::parse(document).unwrap();
        let mut varied = String::new();
        vary(tree.root_element(), &mut dice.into_iter(), &mut varied);
        let raw = Raw::parse(varied.as_bytes(), &Limits::default()).unwrap();
        if let Ok(category) = Category::read(name, &raw) {
            let written = category.to_raw();
            let again = Category::read(name, &written).unwrap();
            prop_assert_eq!(&again, &category);
            prop_assert_eq!(again.to_raw(), written);
        }
    }

    #[test]
    fn slots_both_ways(slots in proptest::collection::vec(0u8..4, 0..400), lowest in any::<bool>()) {
        let order = if lowest { BitOrder::LeastSignificantFirst } else { BitOrder::MostSignificantFirst };
        let slots: Vec<Slot> = slots.into_iter().map(|n| [Slot::Free, Slot::Tentative, Slot::Busy, Slot::OutOfOffice][usize::from(n)]).collect();
        let packed = Packed::pack(slots.iter().copied(), order);
        let mut out = String::new();
        packed.format(&mut out);
        let read = Packed::parse(&out).unwrap();
        prop_assert_eq!(&read, &packed);
        prop_assert!(read.slots(order).take(slots.len()).eq(slots.iter().copied()));
        prop_assert!(read.len() < slots.len() + 4);
    }

    #[test]
    fn settings_survive_the_wire(target in "[a-z]{1,8}", wait in 0u32..100, hours in any::<bool>(), at_once in any::<bool>()) {
        let mut settings = CallSettings::default().ring_for(wait);
        settings = if at_once { settings.forward_to(&*target) } else { settings.unanswered_to(&*target) };
        if hours {
            settings = settings.in_working_hours();
        }
        let routing = settings.build();
        let read: ocs_pres::category::Routing = from_slice(to_string(&routing).as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&read, &routing);
        let rules = read.rules();
        prop_assert_eq!(rules.working_hours_only, hours);
        match rules.handling {
            Handling::Forward(Some(to)) => prop_assert!(at_once && to.uri.as_deref() == Some(&*target)),
            Handling::Ring(ring) => prop_assert!(!at_once && ring.total == Some(wait) && ring.unanswered.is_some()),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_all(&octets);
    }
}

/// Reads octets as everything there is. None of it may panic, and what is read is written so that it can be read again.
fn read_all(octets: &[u8]) {
    fn both<T: Element + PartialEq + std::fmt::Debug>(octets: &[u8]) {
        if let Ok(first) = from_slice::<T>(octets, &Limits::default()) {
            let again: T = from_slice(to_string(&first).as_bytes(), &Limits::default()).unwrap();
            assert_eq!(again, first);
        }
    }
    both::<ContainerManifestList>(octets);
    both::<CategoryPublicationManifest>(octets);
    both::<Presentity>(octets);
    both::<pidf::Presence>(octets);
    let _ = xpidf::Presence::read(octets, &Limits::default()).map(|presence| presence.enhanced());
    let _ = Presentity::read(octets, &Limits::default()).map(|presentity| presentity.enhanced());
    if let Ok(request) = SetPresence::read(octets, &Limits::default()) {
        let written = request.write();
        assert_eq!(
            SetPresence::read(written.as_bytes(), &Limits::default()).unwrap(),
            request
        );
    }
    if let Ok(raw) = Raw::parse(octets, &Limits::default()) {
        for (name, _, _) in ALL {
            let _ = Category::read(name, &raw);
        }
    }
}

#[test]
fn every_document_cut_anywhere() {
    for (_, _, document) in ALL {
        for end in 0..document.len() {
            assert!(Raw::parse(&document.as_bytes()[..end], &Limits::default()).is_err());
        }
    }
    let others: [&[u8]; 5] = [
        include_bytes!("data/sipe/setpresence.xml"),
        include_bytes!("data/sipe/presentity.xml"),
        include_bytes!("data/vectors/presentity-2005.xml"),
        include_bytes!("data/vectors/publicationGrammar-containerManifestList.xml"),
        include_bytes!("data/vectors/publicationGrammar-categoryPublicationManifest-state.xml"),
    ];
    for document in others {
        for end in (0..=document.len()).step_by(7).chain([document.len()]) {
            read_all(&document[..end]);
        }
    }
}

#[test]
fn documents_that_grow_or_nest() {
    let bomb = r#"<!DOCTYPE n [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><note><body type="personal">&b;</body></note>"#;
    assert!(Raw::parse(bomb.as_bytes(), &Limits::default()).is_err());
    read_all(bomb.as_bytes());
    let deep = format!(
        "{}{}",
        "<state>".repeat(100_000),
        "</state>".repeat(100_000)
    );
    assert!(Raw::parse(deep.as_bytes(), &Limits::default()).is_err());
    // Linear, however many there are.
    let wide = format!(
        "<note>{}</note>",
        "<body type=\"personal\">x</body>".repeat(20_000)
    );
    let raw = Raw::parse(wide.as_bytes(), &Limits::default()).unwrap();
    let Category::Note(note) = Category::read("note", &raw).unwrap() else {
        panic!()
    };
    assert_eq!(note.body.len(), 20_000);
    let unknown = format!("<state>{}</state>", "<x/>".repeat(100_000));
    let raw = Raw::parse(unknown.as_bytes(), &Limits::default()).unwrap();
    let category = Category::read("state", &raw).unwrap();
    assert_eq!(
        Category::read("state", &category.to_raw()).unwrap(),
        category
    );
}

#[test]
fn as_many_delimiters_as_fit() {
    let delimiter =
        r#"<ct:delimiter xmlns:ct="http://schemas.microsoft.com/2006/09/sip/commontypes"/>"#;
    let text = format!("<state>{}<x/></state>", delimiter.repeat(1000));
    let raw = Raw::parse(text.as_bytes(), &Limits::default()).unwrap();
    let category = Category::read("state", &raw).unwrap();
    assert_eq!(
        Category::read("state", &category.to_raw()).unwrap(),
        category
    );
}
