//! What a recorded client (SIPE 1.25) wrote and was sent, and the examples of the specifications.

use ocs_siprege::acl::{self, AccessList, Ace, Right, Rights, SetAce};
use ocs_siprege::adhoc::{AdhocList, Step};
use ocs_siprege::contacts::{
    Action, Change, Contact, ContactDelta, ContactList, Event, GroupId, Limits, Mirror,
    MirrorConfig, Operation, Request, Roster, read_group_answer,
};
use ocs_siprege::soap::{Call, Entry, Refusal, Search, SearchAnswer};
use ocs_xml::{from_slice, to_string};

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("data/", $name))
    };
}

fn xml() -> ocs_xml::Limits {
    ocs_xml::Limits::default()
}

fn request(body: &str) -> Request {
    match Call::read(body.as_bytes(), &xml()) {
        Ok(Call::Contacts(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// Clients differ in the prefix of the envelope and in the blank of empty elements.
fn in_our_form(body: &str) -> String {
    body.replace(" />", "/>")
        .replace("<s:", "<SOAP-ENV:")
        .replace("</s:", "</SOAP-ENV:")
        .replace("xmlns:s=", "xmlns:SOAP-ENV=")
}

#[test]
fn the_server_of_a_recorded_session() {
    let steps = [
        (
            data!("sipe/02-set-contact.xml"),
            data!("sipe/03-delta.xml"),
            None,
        ),
        (
            data!("sipe/04-add-group.xml"),
            data!("sipe/05-delta.xml"),
            Some(data!("sipe/06-answer.xml")),
        ),
        (
            data!("sipe/07-set-contact.xml"),
            data!("sipe/08-delta.xml"),
            None,
        ),
    ];
    let mut roster = Roster::new();
    assert_eq!(roster.export(), data!("sipe/01-list.xml"));
    for (body, delta, answer) in steps {
        let applied = roster.apply(&request(body), &Limits::default()).unwrap();
        assert_eq!(applied.delta, delta);
        assert_eq!(applied.answer.as_deref(), answer);
    }
    assert_eq!(roster.export(), data!("sipe/09-list.xml"));
    let applied = roster
        .apply(
            &request(data!("sipe/10-delete-contact.xml")),
            &Limits::default(),
        )
        .unwrap();
    assert_eq!(applied.delta, data!("sipe/11-delta.xml"));
}

#[test]
fn the_client_of_a_recorded_session() {
    let mut mirror = Mirror::new(MirrorConfig::default());
    assert_eq!(mirror.poll_action(), Some(Action::Subscribe));
    mirror.handle_subscribed(200, data!("sipe/01-list.xml").as_bytes());
    let own = GroupId::DEFAULT.into();
    mirror.set_contact(Contact::new(
        "sip:alice@contoso.com",
        "sip:alice@contoso.com",
        own,
    ));
    let group = mirror.add_group("Friends");
    let service = |mirror: &mut Mirror| match mirror.poll_action() {
        Some(Action::Service(body)) => body,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        service(&mut mirror),
        in_our_form(data!("sipe/02-set-contact.xml"))
    );
    assert_eq!(mirror.poll_action(), None);
    mirror.handle_notification(data!("sipe/03-delta.xml").as_bytes());
    mirror.handle_answer(200, None, b"");
    assert_eq!(
        service(&mut mirror),
        in_our_form(data!("sipe/04-add-group.xml"))
    );
    mirror.handle_notification(data!("sipe/05-delta.xml").as_bytes());
    mirror.handle_answer(200, None, data!("sipe/06-answer.xml").as_bytes());
    let events: Vec<Event> = std::iter::from_fn(|| mirror.poll_event()).collect();
    let friends = GroupId::new(2).unwrap();
    assert!(events.contains(&Event::Done {
        id: group,
        group: Some(friends)
    }));
    mirror.set_contact(Contact::new("carol@contoso.com", "Carol", friends.into()));
    assert_eq!(
        service(&mut mirror),
        in_our_form(data!("sipe/07-set-contact.xml"))
    );
    mirror.handle_notification(data!("sipe/08-delta.xml").as_bytes());
    mirror.handle_answer(200, None, b"");
    assert_eq!(to_string(mirror.list()), data!("sipe/09-list.xml"));
    mirror.delete_contact("sip:alice@contoso.com");
    assert_eq!(
        service(&mut mirror),
        in_our_form(data!("sipe/10-delete-contact.xml"))
    );
    mirror.handle_notification(data!("sipe/11-delta.xml").as_bytes());
    assert!(mirror.list().contact("alice@contoso.com").is_none());
}

#[test]
fn documents_come_back_octet_for_octet() {
    let list: ContactList = from_slice(data!("pres/contactlist.xml").as_bytes(), &xml()).unwrap();
    assert_eq!((list.groups.len(), list.contacts.len()), (2, 2));
    assert!(list.contacts[1].extension().is_some());
    assert_eq!(to_string(&list), data!("pres/contactlist.xml").trim_end());

    let text = data!("pres/contactdelta.xml");
    let delta: ContactDelta = from_slice(text.as_bytes(), &xml()).unwrap();
    assert!(matches!(
        &delta.changes[..],
        [Change::AddedGroup(_), Change::ModifiedContact(john), Change::DeletedContact(alice)]
            if john.uri() == "john@contoso.com" && alice == "alice@contoso.com"
    ));
    assert_eq!(to_string(&delta), text.trim_end());

    let set = request(data!("pres/setcontact.xml"));
    assert_eq!(set.delta_num, Some(5));
    let Operation::SetContact(john) = &set.operation else {
        panic!()
    };
    assert_eq!((john.uri(), john.name()), ("john@contoso.com", "John"));
    assert_eq!(request(&set.to_body()), set);

    let id = read_group_answer(data!("pres/addgroup-response.xml").as_bytes(), &xml());
    assert_eq!(id, Ok(GroupId::new(3).unwrap()));
}

#[test]
fn the_delta_of_the_example_leads_from_the_list_of_the_example() {
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.handle_subscribed(200, data!("pres/contactlist.xml").as_bytes());
    mirror.handle_notification(data!("pres/contactdelta.xml").as_bytes());
    let list = mirror.list();
    assert_eq!(list.delta_num, 6);
    assert_eq!(list.groups.len(), 3);
    assert_eq!(list.contacts.len(), 1);
    assert_eq!(
        list.contact("SIP:John@Contoso.com").unwrap().name(),
        "Johnny"
    );
}

#[test]
fn a_search_and_its_answer() {
    let text = data!("sipe/search.xml");
    let Ok(Call::Search(search)) = Call::read(text.as_bytes(), &xml()) else {
        panic!()
    };
    assert_eq!(search.max_results, Some(1));
    assert_eq!(search.rows[0].attribute, "msRTCSIP-PrimaryUserAddress");
    assert_eq!(search.to_body(), in_our_form(text));

    let text = data!("sipe/search-answer.xml");
    let answer = SearchAnswer::read(text.as_bytes(), &xml()).unwrap();
    assert_eq!(answer.entries[0].display_name, "Bob B");
    assert_eq!(answer.entries[0].email, "bob@contoso.com");
    assert_eq!(answer.to_body(), in_our_form(text));

    let hits = |count: usize| std::iter::repeat_n(Entry::default(), count);
    let search = Search {
        rows: Vec::new(),
        max_results: Some(500),
    };
    let answer = SearchAnswer::of(&search, hits(101), SearchAnswer::LIMIT);
    assert!(answer.more_available && answer.entries.len() == 100);
    let answer = SearchAnswer::of(&search, hits(100), SearchAnswer::LIMIT);
    assert!(!answer.more_available);
    let none = SearchAnswer::of(&search, hits(0), 100);
    assert_eq!(
        SearchAnswer::read(none.to_body().as_bytes(), &xml()),
        Ok(none)
    );
}

#[test]
fn a_list_of_rights() {
    let text = data!("sipe/acl.xml");
    let mut list = AccessList::import(text.as_bytes(), &xml()).unwrap();
    assert_eq!(list, AccessList::new());
    assert_eq!(list.export(), text);
    let set = SetAce {
        ace: Ace::user("bob@contoso.com", Rights::BLOCK),
        delta_num: Some(1),
    };
    let Ok(Call::SetAce(read)) = Call::read(set.to_body().as_bytes(), &xml()) else {
        panic!()
    };
    assert_eq!(read, set);
    let applied = list.apply(&read, &acl::Limits::default()).unwrap();
    assert_eq!(
        applied.document,
        r#"<ACLlist deltaNum="2"><userACL><ace type="ALL" rights="AA"/><ace type="USER" mask="sip:bob@contoso.com" rights="BD"/></userACL></ACLlist>"#
    );
    assert_eq!(
        list.apply(&read, &acl::Limits::default()),
        Err(Refusal::wrong_delta())
    );
}

#[test]
fn the_closest_entry_counts() {
    let mut list = AccessList::new();
    let mut set = |ace: Ace| {
        list.apply(
            &SetAce {
                ace,
                delta_num: None,
            },
            &acl::Limits::default(),
        )
        .unwrap();
    };
    let rights = |presence| Rights {
        presence,
        ..Rights::ALLOW
    };
    set(Ace::all(rights(Right::Prompt)));
    set(Ace::domain("contoso.com", rights(Right::Block)));
    set(Ace::domain("emea.Contoso.com", rights(Right::Deny)));
    set(Ace::user("sip:Bob@emea.contoso.com", rights(Right::Allow)));
    let of = |watcher: &str| list.presence_right(&watcher.parse().unwrap());
    assert_eq!(of("bob@emea.contoso.com"), Right::Allow);
    assert_eq!(of("carol@emea.contoso.com"), Right::Deny);
    assert_eq!(of("carol@x.emea.contoso.com"), Right::Deny);
    assert_eq!(of("carol@sip.contoso.com"), Right::Block);
    assert_eq!(of("carol@contoso.com"), Right::Block);
    assert_eq!(of("carol@notcontoso.com"), Right::Prompt);
    assert_eq!(list.list().user.aces.len(), 4);
    let mut list = list.clone();
    for bad in [
        Ace::domain("", Rights::ALLOW),
        Ace::domain("a b", Rights::ALLOW),
        Ace::user("", Rights::ALLOW),
    ] {
        let refused = list.apply(
            &SetAce {
                ace: bad,
                delta_num: None,
            },
            &acl::Limits::default(),
        );
        assert_eq!(refused, Err(Refusal::plain(400)));
    }
}

#[test]
fn a_batched_subscription() {
    let text = data!("sipe/adhoclist.xml");
    let list = AdhocList::parse(text.as_bytes(), &xml()).unwrap();
    let own = "sip:bob@contoso.com";
    let wanted = ["sip:alice@contoso.com", "sip:carol@contoso.com", own];
    assert_eq!(list, AdhocList::create(own, wanted));
    assert_eq!(list.len(), 3);
    assert_eq!(list.to_body(), text.replace('\n', ""));
    for more in [AdhocList::add(own, wanted), AdhocList::delete(own, wanted)] {
        assert_eq!(
            AdhocList::parse(more.to_body().as_bytes(), &xml()),
            Ok(more)
        );
    }
    // Without the empty namespace it is understood too.
    let bare = r#"<adhoclist xmlns="urn:ietf:params:xml:ns:adrl" uri="sip:b@c.d"><add><resource uri="sip:a@c.d"/></add></adhoclist>"#;
    let list = AdhocList::parse(bare.as_bytes(), &xml()).unwrap();
    assert!(matches!(&list.steps[..], [Step::Add(added)] if added.len() == 1));
}
