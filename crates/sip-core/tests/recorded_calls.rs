//! The transactions of recorded sessions.

mod layer;

use std::time::Instant;

use layer::{STREAM, events, layer, server_id};
use ocs_sip_core::transaction::{Event, Flow};
use ocs_sip_core::{ConnectionId, Message};

mod captured {
    //! Requests of real clients.

    use super::*;
    use ocs_sip_core::Limits;
    use ocs_sip_core::dialog::{Dialog, DialogState, Incoming};

    macro_rules! message {
        ($name:literal) => {
            Message::parse(
                include_bytes!(concat!("data/transactions/", $name, ".sip"))[..].into(),
                &Limits::default(),
            )
            .unwrap()
        };
    }

    #[test]
    fn two_clients_with_the_same_identifiers() {
        let now = Instant::now();
        let mut layer = layer();
        let bob = message!("bob-conference-invite");
        let alice = message!("alice-conference-invite");
        assert_eq!(bob.call_id(), alice.call_id());
        layer.handle_message(now, STREAM, bob).unwrap();
        layer
            .handle_message(now, Flow::Stream(ConnectionId(8)), alice)
            .unwrap();
        assert_eq!(events(&mut layer).len(), 2);
    }

    #[test]
    fn a_call() {
        let now = Instant::now();
        let mut layer = layer();
        let invite = message!("alice-invite");
        layer.handle_message(now, STREAM, invite.clone()).unwrap();
        let (id, _) = server_id(&mut layer);
        let mut dialog = Dialog::uas(&invite, "4832928842").unwrap();
        let ok = dialog.respond(&invite, 200);
        layer.respond(now, id, ok).unwrap();
        layer
            .handle_message(now, STREAM, message!("alice-ack"))
            .unwrap();
        match layer.poll_event() {
            Some(Event::Ack { message, .. }) => assert!(dialog.matches(&message)),
            other => panic!("{other:?}"),
        }
        layer
            .handle_message(now, STREAM, message!("alice-bye"))
            .unwrap();
        let (_, bye) = server_id(&mut layer);
        assert_eq!(dialog.handle_request(&bye), Ok(Incoming::Accepted));
        assert_eq!(dialog.state(), DialogState::Terminated);
        assert!(dialog.remote_epid().is_some());
    }
}
