//! Round trips of arbitrary documents, and arbitrary octets.

use ocs_xml::{Limits, Raw, Writer};
use proptest::prelude::*;

/// An element tree.
#[derive(Debug, Clone)]
struct Node {
    prefix: Option<u8>,
    namespace: u8,
    name: String,
    attributes: Vec<(Option<u8>, String, String)>,
    children: Vec<Result<Node, String>>,
}

fn namespace(n: u8) -> String {
    if n == 0 {
        String::new()
    } else {
        format!("urn:example:{n}")
    }
}

impl Node {
    fn write(&self, writer: &mut Writer) {
        match self.prefix {
            Some(prefix) => writer.open_prefixed(
                &format!("p{prefix}"),
                &namespace(self.namespace + 1),
                &self.name,
            ),
            None => writer.open(&namespace(self.namespace), &self.name),
        }
        let mut used = std::collections::HashSet::new();
        for (prefix, name, value) in &self.attributes {
            if !used.insert(name) {
                continue;
            }
            match prefix {
                // The namespace follows from the prefix, as the prefix of this element is bound already.
                Some(prefix) if Some(*prefix) != self.prefix => {
                    writer.attr_prefixed(
                        &format!("q{prefix}"),
                        &namespace(*prefix + 1),
                        name,
                        value,
                    );
                }
                _ => writer.attr(name, value),
            }
        }
        for child in &self.children {
            match child {
                Ok(node) => node.write(writer),
                Err(text) => writer.text(text),
            }
        }
        writer.close();
    }
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = (
        proptest::option::of(0..3u8),
        0..3u8,
        "[a-z_][a-zA-Z0-9._-]{0,6}",
        proptest::collection::vec(
            (proptest::option::of(0..3u8), "[a-w][a-z]{0,5}", ".{0,12}"),
            0..4,
        ),
    )
        .prop_map(|(prefix, namespace, name, attributes)| Node {
            prefix,
            namespace,
            name,
            attributes,
            children: Vec::new(),
        });
    leaf.prop_recursive(5, 40, 5, |inner| {
        (
            inner.clone(),
            proptest::collection::vec(
                prop_oneof![inner.prop_map(Ok), ".{1,20}".prop_map(Err)],
                0..5,
            ),
        )
            .prop_map(|(mut node, children)| {
                node.children = children;
                node
            })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_stays_the_same(node in node()) {
        let mut writer = Writer::new();
        node.write(&mut writer);
        let text = writer.finish();
        let raw = Raw::parse(text.as_bytes(), &Limits::default()).unwrap();
        // An independent parser takes both, and finds the same in them.
        let want = roxmltree::Document::parse(&text).unwrap();
        let own = roxmltree::Document::parse(raw.as_str()).unwrap();
        prop_assert!(same(own.root_element(), want.root_element()), "{} is not {}", raw, text);
        prop_assert_eq!(&Raw::parse(raw.as_str().as_bytes(), &Limits::default()).unwrap(), &raw);
    }

    #[test]
    fn a_child_taken_out_means_the_same(node in node()) {
        let mut writer = Writer::new();
        node.write(&mut writer);
        let text = writer.finish();
        let mut reader = ocs_xml::Reader::new(text.as_bytes(), &Limits::default()).unwrap();
        reader.any_root().unwrap();
        let outer = roxmltree::Document::parse(&text).unwrap();
        let mut children = outer.root_element().children().filter(roxmltree::Node::is_element);
        while reader.child().unwrap().is_some() {
            let raw = reader.raw().unwrap();
            let own = roxmltree::Document::parse(raw.as_str()).unwrap();
            let want = children.next().unwrap();
            prop_assert!(same(own.root_element(), want), "{} is not {}", raw, text);
            // Wherever it is put, it stays what it is.
            let mut writer = Writer::new();
            writer.open("urn:elsewhere", "l");
            raw.write(&mut writer);
            let text = writer.finish();
            let moved = roxmltree::Document::parse(&text).unwrap();
            prop_assert!(same(moved.root_element().first_element_child().unwrap(), want));
        }
        prop_assert!(children.next().is_none());
    }

    #[test]
    fn octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Raw::parse(&octets, &Limits::default());
    }

    #[test]
    fn what_passes_is_well_formed(text in "(<[a/>]|[<>&;/='\" ab:]|xmlns|]]>|<!--|-->|<!\\[CDATA\\[|<\\?){0,30}") {
        if let Ok(raw) = Raw::parse(text.as_bytes(), &Limits::default()) {
            roxmltree::Document::parse(raw.as_str()).unwrap();
        }
    }
}

fn same(a: roxmltree::Node<'_, '_>, b: roxmltree::Node<'_, '_>) -> bool {
    let attributes = |node: roxmltree::Node<'_, '_>| {
        node.attributes()
            .map(|a| {
                (
                    a.namespace().map(str::to_owned),
                    a.name().to_owned(),
                    a.value().to_owned(),
                )
            })
            .collect::<Vec<_>>()
    };
    a.tag_name().name() == b.tag_name().name()
        && a.tag_name().namespace().unwrap_or("") == b.tag_name().namespace().unwrap_or("")
        && a.text() == b.text()
        && attributes(a) == attributes(b)
        && a.children().count() == b.children().count()
        && a.children().zip(b.children()).all(|(a, b)| same(a, b))
}
