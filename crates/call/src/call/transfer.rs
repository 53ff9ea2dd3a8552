//! Transfers: REFER and its implicit subscription (RFC 3515), in the dialog of the call.
//!
//! The subscription shares the dialog with the call, so it is not one of `ocs_sip_core::subscription`, whose machines each have a dialog of
//! their own; of a transfer no more is needed than the first line of what it notifies.

use std::time::Instant;

use ocs_sip_core::header::{ReferTo, Substate};
use ocs_sip_core::status::reason_phrase;
use ocs_sip_core::uri::escape_header;
use ocs_sip_core::{HeaderName, Message, Method, Uri};
use rand_core::CryptoRng;

use super::{Call, Purpose};
use crate::headers::phrase;
use crate::{Error, Event, Refusal, RequestId, State, TransactionId, Transfer};

/// The media type of what is notified (RFC 3420).
const SIPFRAG: &str = "message/sipfrag;version=2.0";

/// How long a subscription says that it lives, in seconds: until the transfer is over, and not longer than UCMA waits for it.
const EXPIRES: u32 = 600;

/// The transfers of a call: one of ours and one of the peer's at a time.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    sent: Option<Sent>,
    received: Option<Received>,
    /// How many of the peer were accepted: later ones are told apart by `id` (RFC 3515 2.4.6).
    accepted: u32,
}

/// Our REFER.
#[derive(Debug)]
struct Sent {
    id: RequestId,
    cseq: u32,
    give_up: Instant,
}

/// The peer's REFER.
#[derive(Debug)]
enum Received {
    Asked { id: TransactionId, request: Message },
    Accepted { event: String },
}

impl Transfers {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.sent.as_ref().map(|sent| sent.give_up)
    }
}

impl<R: CryptoRng> Call<R> {
    /// Asks the peer to call somebody else (RFC 3515); with [`Transfer::replaces`] in place of a call that is there (an attended
    /// transfer, RFC 3891). [`Event::TransferProgress`] tells how it goes, [`Event::TransferEnded`] how it ended.
    ///
    /// # Errors
    /// [`Error::WrongState`] if the call is not established, or another transfer of ours goes on; [`Error::Message`] if the target is no
    /// URI.
    pub fn refer(&mut self, now: Instant, transfer: &Transfer) -> Result<(), Error> {
        let leg = match &mut self.leg {
            Some(leg) if self.state == State::Established && self.transfers.sent.is_none() => leg,
            _ => return Err(Error::state("a transfer")),
        };
        Uri::parse(&transfer.target).map_err(ocs_sip_core::Error::from)?;
        let mut refer = leg.dialog.request(Method::Refer);
        let cseq = leg.dialog.local_cseq();
        let target = transfer.target.as_str();
        if let Some(replaces) = &transfer.replaces {
            let replaces = escape_header(replaces);
            refer.push_parts(
                HeaderName::ReferTo,
                &["<", target, "?Replaces=", &replaces, ">"],
            );
        } else {
            refer.push_parts(HeaderName::ReferTo, &["<", target, ">"]);
        }
        let from = ["<", leg.dialog.local_uri(), ">"];
        refer.push_parts(HeaderName::ReferredBy, &from);
        self.config.put_capabilities(&mut refer, false);
        let id = self.send(refer, Purpose::Transfer);
        let give_up = now + self.config.transfer_timeout;
        self.transfers.sent = Some(Sent { id, cseq, give_up });
        Ok(())
    }

    /// The final response to our REFER.
    pub(super) fn refer_answered(
        &mut self,
        now: Instant,
        id: RequestId,
        status: u16,
        response: &Message,
    ) {
        let mine = self.transfers.sent.as_ref();
        if mine.is_some_and(|sent| sent.id == id) && status >= 300 {
            self.transfer_ended(status, phrase(response));
        }
        if matches!(status, 408 | 481) {
            self.dialog_gone(now, status);
        }
    }

    fn transfer_ended(&mut self, status: u16, reason: String) {
        self.transfers.sent = None;
        self.event(Event::TransferEnded { status, reason });
    }

    /// A NOTIFY or BENOTIFY in the dialog: the status to answer it with.
    pub(super) fn notified(&mut self, notify: &Message) -> u16 {
        let Some(sent) = &self.transfers.sent else {
            return 481;
        };
        // An old peer may leave out Event.
        let mine = match notify.event() {
            Ok(Some(event)) => {
                let number = event.id().map(str::parse);
                event.is("refer") && number.is_none_or(|id| id == Ok(sent.cseq))
            }
            Ok(None) => true,
            Err(_) => false,
        };
        if !mine {
            return 481;
        }
        let state = notify.subscription_state();
        let over = matches!(state, Ok(Some(state)) if state.state == Substate::Terminated);
        match status_line(notify.body()) {
            Some((status, reason)) if status >= 200 => self.transfer_ended(status, reason),
            _ if over => self.transfer_ended(408, reason_phrase(408).to_owned()),
            Some((status, reason)) => self.event(Event::TransferProgress { status, reason }),
            None => {}
        }
        200
    }

    /// The peer's REFER.
    pub(super) fn referred(&mut self, id: TransactionId, request: &Message) {
        match self.read_refer(request) {
            Ok(transfer) => {
                let referred_by = request.header(HeaderName::ReferredBy);
                self.event(Event::Referred {
                    transfer,
                    referred_by: referred_by.map(str::to_owned),
                });
                let request = request.clone();
                self.transfers.received = Some(Received::Asked { id, request });
            }
            Err(status) => self.refuse(id, request, &Refusal::new(status)),
        }
    }

    fn read_refer(&self, request: &Message) -> Result<Transfer, u16> {
        if self.state != State::Established {
            return Err(403);
        }
        if self.transfers.received.is_some() {
            return Err(491);
        }
        let mut all = request.parse_all::<ReferTo<'_>>(HeaderName::ReferTo);
        let (Some(Ok(refer_to)), None) = (all.next(), all.next()) else {
            return Err(400);
        };
        let (method, replaces) = (refer_to.method(), refer_to.replaces());
        let (Ok(method), Ok(replaces)) = (method, replaces) else {
            return Err(400);
        };
        if method != Method::Invite {
            return Err(403);
        }
        let uri = refer_to.address.uri_text();
        let target = uri.split_once('?').map_or(uri, |(uri, _)| uri);
        Ok(Transfer {
            target: target.to_owned(),
            replaces: replaces.map(std::borrow::Cow::into_owned),
        })
    }

    /// Accepts what [`Event::Referred`] asks for: 202, and a first notification, 100. Then call, and tell with
    /// [`refer_progress`](Self::refer_progress) how it goes. Nothing happens without such a request.
    pub fn accept_refer(&mut self) {
        let Some(Received::Asked { id, request }) = self.transfers.received.take() else {
            return;
        };
        let mut response = Message::response_to(&request, 202, None);
        self.config.put_contact(&mut response, false);
        self.respond(id, response);
        let event = match (self.transfers.accepted, request.cseq()) {
            (1.., Ok(cseq)) => format!("refer;id={}", cseq.number),
            _ => "refer".to_owned(),
        };
        self.transfers.accepted = self.transfers.accepted.saturating_add(1);
        self.transfers.received = Some(Received::Accepted { event });
        self.refer_progress(100, reason_phrase(100));
    }

    /// Declines what [`Event::Referred`] asks for. A status outside 300 to 699 becomes 603. Nothing happens without such a request.
    pub fn decline_refer(&mut self, status: u16) {
        let asked = |received: &mut Received| matches!(received, Received::Asked { .. });
        if let Some(Received::Asked { id, request }) = self.transfers.received.take_if(asked) {
            let status = Some(status).filter(|status| (300..700).contains(status));
            self.refuse(id, &request, &Refusal::new(status.unwrap_or(603)));
        }
    }

    /// Tells the peer which response the call has got that it asked for; a final one ends the transfer. Nothing happens
    /// without a transfer that was accepted.
    pub fn refer_progress(&mut self, status: u16, reason: &str) {
        let (Some(Received::Accepted { event }), Some(leg)) =
            (&self.transfers.received, &mut self.leg)
        else {
            return;
        };
        let mut notify = leg.dialog.request(Method::Notify);
        self.config.put_contact(&mut notify, false);
        notify.push(HeaderName::Event, event);
        let state = if status < 200 {
            format!("active;expires={EXPIRES}")
        } else {
            self.transfers.received = None;
            "terminated;reason=noresource".to_owned()
        };
        notify.push(HeaderName::SubscriptionState, &state);
        let reason = reason.replace(['\r', '\n', '\0'], " ");
        notify.set_body(SIPFRAG, format!("SIP/2.0 {status} {reason}\r\n"));
        self.send(notify, Purpose::Notify);
    }

    /// The final response to a NOTIFY: one that is refused ends the subscription (RFC 3265 3.2.2).
    pub(super) fn notify_answered(&mut self, status: u16) {
        let accepted = |received: &mut Received| matches!(received, Received::Accepted { .. });
        if status >= 300 {
            self.transfers.received.take_if(accepted);
        }
    }

    /// Gives up our transfer if it takes too long.
    pub(super) fn transfer_timeout(&mut self, now: Instant) {
        let late = self.transfers.poll_timeout();
        if late.is_some_and(|at| at <= now) {
            self.transfer_ended(408, reason_phrase(408).to_owned());
        }
    }

    /// The dialog is over: so are its transfers.
    pub(super) fn drop_transfers(&mut self) {
        if let Some(Received::Asked { id, request }) = self.transfers.received.take() {
            self.refuse(id, &request, &Refusal::new(481));
        }
        self.transfers.sent = None;
    }
}

/// Status and phrase of a `message/sipfrag` that starts with a status line.
fn status_line(body: &[u8]) -> Option<(u16, String)> {
    let line = body.split(|c| matches!(c, b'\r' | b'\n')).next()?;
    let line = std::str::from_utf8(line).ok()?;
    let rest = line.strip_prefix("SIP/2.0 ")?.trim_start();
    let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = status.parse().ok()?;
    (100..700)
        .contains(&status)
        .then(|| (status, reason.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines() {
        let line = |body: &str| status_line(body.as_bytes());
        let ringing = Some((180, "Ringing".to_owned()));
        assert_eq!(line("SIP/2.0 180 Ringing\r\n"), ringing);
        assert_eq!(line("SIP/2.0 180 Ringing"), ringing);
        assert_eq!(line("SIP/2.0 200\nContact: x"), Some((200, String::new())));
        for body in [
            "",
            "SIP/2.0",
            "SIP/2.0 99 x",
            "SIP/2.0 700 x",
            "SIP/2.0 x y",
            "INVITE a SIP/2.0",
        ] {
            assert_eq!(line(body), None, "{body}");
        }
        assert_eq!(status_line(b"SIP/2.0 200 \xFF"), None);
    }
}
