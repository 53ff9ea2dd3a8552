//! Somebody who means harm, and two who go on as if nothing were.

use ocs_pres::doc::content_type;
use ocs_server::{Counters, DocumentKind, Store as _};

use super::phone::{Phone, WHILE};
use super::presence::{Dialog, OWN, SOAP, batch, members, note_in, publish, shown, soap};
use super::{World, aor};

pub(crate) const PROVISIONING: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";
pub(crate) const ADRL: &str = "application/adrl+xml";

/// bob is the one who means harm. alice publishes and carol watches her, all the while.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) alice: Phone,
    pub(crate) bob: Phone,
    pub(crate) carol: Phone,
    pub(crate) watch: Dialog,
    pub(crate) version: u32,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut world = World::new(|_| {});
        let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
        let bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
        let mut carol = Phone::signed_in(&mut world, "carol", "c1", 50_003);
        let body = members(&[(200, 0, &["add sameEnterprise"])]);
        alice.service(&mut world, content_type::SET_CONTAINER_MEMBERS, body);
        let watch = carol.watch(&mut world, &["alice", "bob"]);
        Self {
            world,
            alice,
            bob,
            carol,
            watch,
            version: 0,
        }
    }

    /// alice and carol go on as if nothing were.
    pub(crate) fn life_goes_on(&mut self) {
        assert!(self.carol.news(&mut self.world).is_empty());
        let text = format!("note {}", self.version);
        let answer = self
            .alice
            .publish(&mut self.world, &[note_in(200, self.version, &text)]);
        assert_eq!(answer.status(), Some(200));
        self.version += 1;
        let told = self.carol.told(&mut self.world);
        assert!(self.watch.is(&told));
        assert_eq!(shown(&told), [format!("alice note: {text}")]);
        assert!(!self.world.closed.contains(&self.alice.connection));
    }

    /// What the store has of bob.
    pub(crate) fn kept(&self) -> Vec<Option<String>> {
        use DocumentKind::{AccessList, Contacts, Presence};
        let store = self.world.server.store();
        let kinds = [Contacts, AccessList, Presence];
        kinds
            .map(|kind| store.document(&aor("bob"), kind).unwrap())
            .to_vec()
    }

    /// All leave, and nothing is left.
    pub(crate) fn leave(mut self) {
        for phone in [self.alice, self.bob, self.carol] {
            self.world.close(phone.connection);
        }
        self.world.advance(WHILE);
        assert_eq!(self.world.server.counters(), Counters::default());
    }
}

/// A good document of each kind, with its root and namespace.
pub(crate) fn good() -> [(&'static str, String); 9] {
    let service = "http://schemas.microsoft.com/2006/09/sip/";
    [
        (content_type::PUBLISH, publish("bob@contoso.com", &[note_in(200, 0, "x")])),
        (
            content_type::SET_CONTAINER_MEMBERS,
            members(&[(300, 0, &["add user carol@contoso.com"])]),
        ),
        (
            content_type::SET_SUBSCRIBERS,
            format!("<setSubscribers xmlns=\"{service}presence-subscribers\"><subscriber user=\"carol@contoso.com\" acknowledged=\"true\"/></setSubscribers>"),
        ),
        (
            content_type::SET_DELEGATES,
            "<setDelegates version=\"0\"><delegate uri=\"carol@contoso.com\" action=\"add\"/></setDelegates>".to_owned(),
        ),
        (
            SOAP,
            soap("<m:addGroup><m:name>x</m:name><m:deltaNum>1</m:deltaNum></m:addGroup>"),
        ),
        (
            OWN,
            format!("<roamingList xmlns=\"{service}roaming-self\"><roaming type=\"categories\"/></roamingList>"),
        ),
        (
            PROVISIONING,
            format!("<provisioningGroupList xmlns=\"{service}provisioninggrouplist\"><provisioningGroup name=\"ucPolicy\"/></provisioningGroupList>"),
        ),
        (content_type::BATCH_SUB, batch("subscribe", &["alice"], &["note"])),
        (
            ADRL,
            "<adhoclist xmlns=\"urn:ietf:params:xml:ns:adrl\" uri=\"sip:bob@contoso.com\" name=\"sip:bob@contoso.com\"><create xmlns=\"\"><resource uri=\"sip:alice@contoso.com\"/></create></adhoclist>".to_owned(),
        ),
    ]
}
