//! Calls with sound as the clients of 2016 write them, and what a proxy must leave alone of them.

use ocs_sip_core::{HeaderName, Message, Method};

use super::World;
use super::phone::Phone;

/// A description with octets that are no UTF-8, and an empty line at its end: it is nobody's to read but the peers'.
pub(crate) fn description(name: &str) -> Vec<u8> {
    let mut body = format!(
        "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns={name}\r\nm=audio 27100 RTP/SAVP 117 0 101\r\n"
    )
    .into_bytes();
    body.extend_from_slice(b"a=x-odd:\t \xE9\xFF\x00\r\n\r\n");
    body
}

const AGENT: &str = "UCCAPI/16.0.4522.1000 OC/16.0.4522.1000 (Skype for Business)";

/// Headers of an INVITE that only the peers understand, in the order of a client of 2016.
const HEADERS: [(HeaderName, &str); 10] = [
    (HeaderName::UserAgent, AGENT),
    (HeaderName::Supported, "ms-dialog-route-set-update"),
    (
        HeaderName::MsConversationId,
        "AdM4HIvgt2NHijMqSfaP72eXUqwraA==",
    ),
    (HeaderName::Supported, "timer"),
    (HeaderName::Supported, "histinfo"),
    (HeaderName::Supported, "ms-early-media"),
    (HeaderName::Supported, "100rel"),
    (HeaderName::SessionExpires, "1800;refresher=uac"),
    (HeaderName::MinSe, "90"),
    (
        HeaderName::Allow,
        "INVITE, BYE, ACK, CANCEL, INFO, UPDATE, REFER, NOTIFY, BENOTIFY, OPTIONS",
    ),
];

/// What a proxy of this system writes.
const OF_THE_PROXY: [HeaderName; 13] = [
    HeaderName::Via,
    HeaderName::Route,
    HeaderName::RecordRoute,
    HeaderName::MaxForwards,
    HeaderName::To,
    HeaderName::Authorization,
    HeaderName::ProxyAuthorization,
    HeaderName::AuthenticationInfo,
    HeaderName::PAssertedIdentity,
    HeaderName::PPreferredIdentity,
    HeaderName::HistoryInfo,
    HeaderName::ReferredBy,
    HeaderName::ContentLength,
];

/// Whether all that is not the proxy's came as it was sent: lines, their order, and the octets of the body.
#[track_caller]
pub(crate) fn untouched(sent: &Message, came: &Message) {
    let lines = |message: &Message| -> Vec<(String, String)> {
        let headers = message.headers_iter();
        headers
            .filter(|header| !OF_THE_PROXY.contains(&header.name))
            .map(|header| (header.text.to_owned(), header.value.to_owned()))
            .collect()
    };
    assert_eq!(lines(came), lines(sent));
    assert_eq!(came.body(), sent.body());
}

pub(crate) fn statuses(messages: &[Message]) -> Vec<u16> {
    messages.iter().filter_map(Message::status).collect()
}

/// All calls are over, and the server holds nothing of them.
#[track_caller]
pub(crate) fn idle(world: &World) {
    let counters = world.server.counters();
    assert_eq!((counters.requests, counters.transactions), (0, 0));
    assert_eq!(world.dropped(), 0, "{:?}", world.events);
}

impl Phone {
    /// An INVITE with sound, sent.
    pub(crate) fn call(&mut self, world: &mut World, uri: &str) -> Message {
        self.call_with(world, uri, &[])
    }

    /// The same with further headers.
    pub(crate) fn call_with(
        &mut self,
        world: &mut World,
        uri: &str,
        headers: &[(HeaderName, &str)],
    ) -> Message {
        let mut invite = self.request(Method::Invite, uri);
        for (name, value) in HEADERS.iter().chain(headers) {
            invite.push(*name, value);
        }
        invite.push_named("ms-subnet", "192.168.41.0");
        let invite = invite.with_body("application/sdp", description("offer"));
        self.send(world, invite.clone());
        invite
    }

    /// 183 with an answer, reliable: the first one of this phone.
    pub(crate) fn early_media(&mut self, world: &mut World, invite: &Message) -> Message {
        let response = self
            .say(invite, 183)
            .with(HeaderName::Require, "100rel")
            .with(HeaderName::RSeq, "1")
            .with_body("application/sdp", self.answer_of_media());
        self.send(world, response.clone());
        response
    }

    /// 200 with the answer.
    pub(crate) fn take_call(&mut self, world: &mut World, invite: &Message) -> Message {
        let response = self
            .say(invite, 200)
            .with(HeaderName::Require, "timer")
            .with(HeaderName::SessionExpires, "1800;refresher=uac")
            .with_body("application/sdp", self.answer_of_media());
        self.send(world, response.clone());
        response
    }

    /// An answer that says who makes it, as all clients of this system do.
    pub(crate) fn say(&self, request: &Message, status: u16) -> Message {
        self.make_answer(request, status)
            .with(HeaderName::UserAgent, AGENT)
    }

    /// The answer of this phone: the same early and late, and no other phone's.
    pub(crate) fn answer_of_media(&self) -> Vec<u8> {
        description(&format!("answer of {}", self.epid))
    }

    /// A request of the callee in the dialog of an INVITE that came and what it answered.
    pub(crate) fn as_callee(
        &self,
        method: Method,
        invite: &Message,
        answer: &Message,
        cseq: u32,
    ) -> Message {
        let from = answer.header(HeaderName::To).unwrap();
        let to = invite.header(HeaderName::From).unwrap();
        self.within(method, invite, [from, to], cseq)
    }

    /// The PRACK of a reliable response.
    pub(crate) fn prack(&self, invite: &Message, response: &Message, cseq: u32) -> Message {
        let number = invite.cseq().unwrap().number;
        let rack = format!("1 {number} INVITE");
        self.in_dialog(Method::Prack, invite, response, cseq)
            .with(HeaderName::RAck, &rack)
    }

    /// The ACK of a 2xx, sent.
    pub(crate) fn ack(&mut self, world: &mut World, invite: &Message, answer: &Message) {
        let number = invite.cseq().unwrap().number;
        let ack = self.in_dialog(Method::Ack, invite, answer, number);
        self.send(world, ack);
    }
}

/// A request goes to a peer, which answers it: gives what came there and what came back.
pub(crate) fn round(
    world: &mut World,
    from: &mut Phone,
    to: &mut Phone,
    request: Message,
    status: u16,
) -> (Message, Message) {
    from.send(world, request.clone());
    let came = to.one(world);
    untouched(&request, &came);
    let answer = to.say(&came, status);
    to.send(world, answer.clone());
    let back = from.receive(world).pop().expect("an answer");
    untouched(&answer, &back);
    (came, back)
}

/// A call that both have taken, by the way of the server.
pub(crate) struct Talk {
    /// As the caller sent it, and as it came to the callee.
    pub(crate) invite: Message,
    pub(crate) came: Message,
    /// As the callee sent it, and as it came to the caller.
    pub(crate) answer: Message,
    pub(crate) back: Message,
}

/// The callee has one phone only, or is called by its GRUU.
pub(crate) fn talk(world: &mut World, from: &mut Phone, to: &mut Phone, uri: &str) -> Talk {
    let invite = from.call(world, uri);
    let came = to.one(world);
    let answer = to.take_call(world, &came);
    let back = from.receive(world).pop().unwrap();
    assert_eq!(back.status(), Some(200));
    from.ack(world, &invite, &back);
    assert_eq!(to.one(world).method(), Some(&Method::Ack));
    Talk {
        invite,
        came,
        answer,
        back,
    }
}
