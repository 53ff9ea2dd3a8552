//! Requests and responses inside a dialog (RFC 3261 12.2).

use super::{Dialog, DialogError, DialogState, Incoming, Role, RouteSet, refreshes_target};
use crate::{HeaderName, Message, Method};

impl Dialog {
    /// The next request of this side, with Request-URI, Route, Max-Forwards, From, To, Call-ID and CSeq (12.2.1.1). Via and
    /// Contact are the caller's.
    ///
    /// For an ACK use [`ack_for_2xx`](Self::ack_for_2xx); a CANCEL is made by the transaction layer.
    pub fn request(&mut self, method: Method) -> Message {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.make(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE with this CSeq number (13.2.2.4). It is a transaction of its own: new branch, sent with
    /// [`Layer::send`](crate::transaction::Layer::send), and sent again for each repetition of the 2xx.
    #[must_use]
    pub fn ack_for_2xx(&self, cseq: u32) -> Message {
        self.make(Method::Ack, cseq)
    }

    /// Uses up the next CSeq number without a request: a notification that travels inside a response counts
    /// (`ms-piggyback-cseq`).
    pub fn skip_cseq(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.local_cseq
    }

    /// The response to a request of this dialog or to the one that made it: with the local tag, and Record-Route where the
    /// response makes the dialog. A 2xx confirms an early dialog of this side, 300 and above ends it.
    pub fn respond(&mut self, request: &Message, code: u16) -> Message {
        let creates = self.role == Role::Uas && self.state == DialogState::Early;
        if creates
            && request.cseq().is_ok_and(|cseq| {
                cseq.number == self.creating_cseq && cseq.method().creates_dialog()
            })
        {
            match code {
                ..200 => {}
                200..300 => self.state = DialogState::Confirmed,
                _ => self.state = DialogState::Terminated,
            }
        }
        Message::response_to(request, code, Some(&self.id.local_tag))
    }

    /// Takes a request that came in this dialog: checks the order, notes the CSeq, the new target and the end by BYE (12.2.2).
    ///
    /// Gaps are fine. An equal CSeq is taken: clients repeat a request that was challenged under the same number. A BENOTIFY is
    /// taken in any order, because it cannot be refused and servers reorder it.
    pub fn handle_request(&mut self, request: &Message) -> Result<Incoming, DialogError> {
        if !self.id.is_of_request(request) {
            return Err(DialogError::OtherDialog);
        }
        let method = request.method().ok_or(DialogError::OtherDialog)?;
        if matches!(method, Method::Ack | Method::Cancel) {
            return Ok(Incoming::Accepted);
        }
        let cseq = request.cseq()?.number;
        let late = self.remote_cseq.is_some_and(|last| cseq < last);
        if late && *method != Method::Benotify {
            return Ok(Incoming::OutOfOrder);
        }
        if !late {
            self.remote_cseq = Some(cseq);
            if refreshes_target(method) {
                self.refresh_target(request);
            }
        }
        if *method == Method::Bye {
            self.state = DialogState::Terminated;
        }
        Ok(Incoming::Accepted)
    }

    /// Takes a response to a request of this side, the creating one included: target refresh, confirmation, end (12.2.1.2).
    ///
    /// The 2xx that confirms the dialog sets the route set anew (13.2.2.4); from then on it is frozen. A 408 or 481 to any
    /// request ends the dialog: for an INVITE's dialog send BYE.
    pub fn handle_response(&mut self, response: &Message) -> Result<(), DialogError> {
        let code = response.status().ok_or(DialogError::OtherDialog)?;
        let cseq = response.cseq()?;
        let method = cseq.method();
        let creating = self.role == Role::Uac
            && self.state == DialogState::Early
            && cseq.number == self.creating_cseq
            && method.creates_dialog();
        if creating && code >= 300 {
            // The final failure of a forked request may carry any fork's tag: it ends all early dialogs.
            if response.call_id()? != self.id.call_id {
                return Err(DialogError::OtherDialog);
            }
            self.state = DialogState::Terminated;
            return Ok(());
        }
        if !self.id.is_of_response(response) {
            return Err(DialogError::OtherDialog);
        }
        match code {
            200..300 => {
                if creating {
                    self.state = DialogState::Confirmed;
                    self.route_set = RouteSet::reversed(response);
                }
                if refreshes_target(&method) {
                    self.refresh_target(response);
                }
                if let Some(epid) = response.to_header()?.epid() {
                    self.remote.epid = Some(epid.to_owned());
                }
            }
            ..200 if creating => self.refresh_target(response),
            408 | 481 => self.state = DialogState::Terminated,
            _ => {}
        }
        // Whatever the answer to a BYE, there is no dialog after it (15.1.1).
        if method == Method::Bye && code >= 200 && !matches!(code, 401 | 407) {
            self.state = DialogState::Terminated;
        }
        Ok(())
    }

    fn make(&self, method: Method, cseq: u32) -> Message {
        let (uri, routes) = self.route_set.apply(&self.remote_target);
        let mut request = Message::request(method.clone(), &uri);
        for route in routes {
            request.push_parts(HeaderName::Route, &["<", route, ">"]);
        }
        request.push(HeaderName::MaxForwards, "70");
        for (name, party) in [
            (HeaderName::From, &self.local),
            (HeaderName::To, &self.remote),
        ] {
            party.with_parts(|parts| request.push_parts(name, parts));
        }
        request.push(HeaderName::CallId, &self.id.call_id);
        let mut number = itoa::Buffer::new();
        let cseq = [number.format(cseq), " ", method.as_str()];
        request.push_parts(HeaderName::CSeq, &cseq);
        request
    }
}
