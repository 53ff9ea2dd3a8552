//! Responses to our requests.

use std::time::Instant;

use ocs_sip_core::{Message, Method};
use rand_core::CryptoRng;

use super::{Call, Purpose};
use crate::{Action, RequestId};

impl<R: CryptoRng> Call<R> {
    /// A response to a request of the call, also a further 2xx to an INVITE that has its answer. Challenges (401, 407) are the
    /// caller's to answer: hand in the response to the signed request.
    pub fn handle_response(&mut self, now: Instant, id: RequestId, response: &Message) {
        let Some(status) = response.status() else {
            return;
        };
        if self.is_invite(id) {
            self.invite_answered(now, status, response);
        } else if status >= 200 {
            if let Some(leg) = &mut self.leg {
                // One of another dialog has nothing to say about this one.
                let _ = leg.dialog.handle_response(response);
            }
            match self.take_pending(id) {
                Some(purpose) => self.request_answered(now, id, purpose, status, response),
                None => {
                    self.acknowledge_again(response);
                }
            }
        }
        self.advance();
        self.settle();
    }

    /// A request of the call got no response: its transaction timed out. In a dialog that is the end of the call (RFC 3261 12.2.1.2).
    pub fn handle_no_response(&mut self, now: Instant, id: RequestId) {
        self.failed(now, id, 408);
    }

    /// A request of the call, or its response, was lost with the connection. That says nothing of the peer: a change counts as refused, and the
    /// call goes on.
    pub fn handle_lost(&mut self, now: Instant, id: RequestId) {
        self.failed(now, id, 503);
    }

    fn failed(&mut self, now: Instant, id: RequestId, status: u16) {
        let response = Message::response(status);
        if self.is_invite(id) {
            self.invite_answered(now, status, &response);
        } else if let Some(purpose) = self.take_pending(id) {
            self.request_answered(now, id, purpose, status, &response);
        }
        self.advance();
        self.settle();
    }

    fn is_invite(&self, id: RequestId) -> bool {
        let calling = self.calling.as_ref();
        calling.is_some_and(|calling| calling.request == id)
    }

    fn take_pending(&mut self, id: RequestId) -> Option<Purpose> {
        let at = self.pending.iter().position(|(sent, _)| *sent == id)?;
        self.pending.remove(at).map(|(_, purpose)| purpose)
    }

    fn request_answered(
        &mut self,
        now: Instant,
        id: RequestId,
        purpose: Purpose,
        status: u16,
        response: &Message,
    ) {
        match purpose {
            Purpose::Acknowledge | Purpose::End => {}
            Purpose::Offer => self.offer_answered(now, id, status, response),
            Purpose::Refresh => self.refreshed(now, status, response),
            Purpose::Transfer => self.refer_answered(now, id, status, response),
            Purpose::Notify => self.notify_answered(status),
        }
    }

    /// The 2xx to an INVITE of this dialog again: its ACK was lost. Whether it is one.
    pub(super) fn acknowledge_again(&mut self, response: &Message) -> bool {
        let Some(leg) = &self.leg else {
            return false;
        };
        let again = leg.dialog.id().is_of_response(response)
            && response
                .status()
                .is_some_and(|status| (200..300).contains(&status));
        let Some(cseq) = response.cseq().ok().filter(|_| again) else {
            return false;
        };
        if cseq.method() == Method::Invite {
            let ack = leg.dialog.ack_for_2xx(cseq.number);
            self.actions.push_back(Action::Ack(ack));
            return true;
        }
        false
    }
}
