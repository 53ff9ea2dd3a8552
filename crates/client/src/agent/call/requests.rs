//! What calls want sent, and what they tell.

use std::time::Instant;

use ocs_call::{Action, Event as Told, RequestId, State};
use ocs_sip_core::Message;
use ocs_sip_core::transaction::ClientId;

use super::CallId;
use crate::Event;
use crate::agent::sending::Purpose;
use crate::agent::{UserAgent, Wish};

impl UserAgent {
    pub(in crate::agent) fn drive_calls(&mut self, now: Instant) -> bool {
        let mut busy = false;
        // While the connection is made anew, what calls want to say waits.
        let mute = !self.is_signed_in() && self.wish == Wish::In;
        let calls: Vec<CallId> = self.calls().collect();
        for id in calls {
            while !mute
                && let Some(action) = self
                    .calls
                    .lines
                    .get_mut(&id)
                    .and_then(|l| l.call.poll_action())
            {
                busy = true;
                self.call_action(now, id, action);
            }
            while let Some(told) = self
                .calls
                .lines
                .get_mut(&id)
                .and_then(|l| l.call.poll_event())
            {
                busy = true;
                self.call_told(now, id, told);
            }
        }
        // Who takes the last event of a call wants to look at the call, too.
        let untold = |id: CallId| {
            let mut events = self.events.iter();
            events.any(|event| matches!(event, Event::Call { id: of, .. } if *of == id))
        };
        self.calls
            .lines
            .retain(|id, line| line.call.state() != State::Ended || untold(*id));
        busy
    }

    fn call_action(&mut self, now: Instant, call: CallId, action: Action) {
        match action {
            Action::Request { id, message } => {
                let purpose = Purpose::Call { call, request: id };
                match self.send_request(now, message, purpose) {
                    Some(client) => self.calls.moved(call, id, client),
                    None => self.call_lost(now, call, id),
                }
            }
            Action::Ack(ack) => self.send_ack(ack),
            Action::Cancel(request) => {
                let line = self.calls.lines.get(&call);
                if let Some(client) = line.and_then(|line| line.clients.get(&request)) {
                    self.layer.cancel(now, *client);
                }
            }
            Action::Respond { id, message } => {
                let Some(line) = self.calls.lines.get_mut(&call) else {
                    return;
                };
                let Some(server) = line.servers.get(&id).copied() else {
                    return;
                };
                let invite = message.cseq().is_ok_and(|c| c.method_text == "INVITE");
                match message.status() {
                    Some(200..300) if invite => {
                        // It may come again until its ACK; what came before it does not.
                        line.servers.retain(|other, _| *other >= id);
                    }
                    Some(..200) | None => {}
                    Some(_) => _ = line.servers.remove(&id),
                }
                self.respond(now, server, message);
            }
        }
    }

    fn call_told(&mut self, now: Instant, id: CallId, told: Told) {
        self.transfer_follows(now, id, &told);
        self.events.push_back(Event::Call { id, event: told });
    }

    pub(in crate::agent) fn call_response(
        &mut self,
        now: Instant,
        call: CallId,
        request: RequestId,
        response: &Message,
    ) {
        match self.calls.lines.get_mut(&call) {
            Some(line) => {
                line.call.handle_response(now, request, response);
                let is_final = response.status().is_some_and(|status| status >= 200);
                let invite = response
                    .cseq()
                    .is_ok_and(|cseq| cseq.method_text == "INVITE");
                if is_final && !invite {
                    line.clients.remove(&request);
                }
            }
            None => self.end_stray_dialog(now, response),
        }
    }

    /// A request was lost with the connection.
    pub(in crate::agent) fn call_lost(&mut self, now: Instant, call: CallId, request: RequestId) {
        if let Some(line) = self.calls.lines.get_mut(&call) {
            line.clients.remove(&request);
            line.call.handle_lost(now, request);
        }
    }

    pub(in crate::agent) fn call_no_response(
        &mut self,
        now: Instant,
        call: CallId,
        request: RequestId,
    ) {
        if let Some(line) = self.calls.lines.get_mut(&call) {
            line.clients.remove(&request);
            line.call.handle_no_response(now, request);
        }
    }

    /// One more 2xx to the INVITE with this transaction. False if it is of no call.
    pub(in crate::agent) fn late_answer_of_call(
        &mut self,
        now: Instant,
        id: ClientId,
        response: &Message,
    ) -> bool {
        let found = self.calls.lines.values_mut().find_map(|line| {
            let mut all = line.clients.iter();
            let (request, _) = all.find(|(_, client)| **client == id)?;
            Some((*request, line))
        });
        match found {
            Some((request, line)) => {
                line.call.handle_response(now, request, response);
                true
            }
            None => false,
        }
    }
}
