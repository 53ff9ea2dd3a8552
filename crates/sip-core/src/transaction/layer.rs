//! The layer: inputs to machines, and what they want done.

use std::collections::VecDeque;
use std::time::Instant;

use super::client::{self, Client};
use super::invite_client::{self, InviteClient};
use super::invite_server::{self, InviteServer};
use super::server::{self, Server};
use super::table::{Cancel, Entry, Machine, Table};
use super::{
    ClientId, EndCause, Event, Flow, ServerId, Step, Timers, TransactionError, TransactionLimits,
    Transmit, key, made,
};
use crate::{Message, Method};

/// All transactions of one element; see the [module](crate::transaction).
#[derive(Debug)]
pub struct Layer {
    timers: Timers,
    limits: TransactionLimits,
    last_id: u64,
    table: Table,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    /// Where keys are written for lookups.
    key: Vec<u8>,
}

impl Layer {
    /// A layer with the default [`TransactionLimits`].
    #[must_use]
    pub fn new(timers: Timers) -> Self {
        Self::with_limits(timers, TransactionLimits::default())
    }

    /// A layer with limits of its own.
    #[must_use]
    pub fn with_limits(timers: Timers, limits: TransactionLimits) -> Self {
        Self {
            timers: timers.clamped(),
            limits,
            last_id: 0,
            table: Table::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            key: Vec::new(),
        }
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Sends a request and starts its transaction. The top Via with its unique branch is the caller's to put in.
    pub fn request(
        &mut self,
        now: Instant,
        flow: Flow,
        request: Message,
    ) -> Result<ClientId, TransactionError> {
        let method = request.method().ok_or(TransactionError::Kind)?;
        if matches!(method, Method::Ack | Method::Benotify | Method::Cancel) {
            return Err(TransactionError::Method(method.clone()));
        }
        if !key::client(&mut self.key, flow, &request, method.as_str())? {
            return Err(TransactionError::NoBranch);
        }
        // What the ACK and the CANCEL are made of has to be there.
        request.cseq()?;
        if self.table.find(&self.key).is_some() {
            return Err(TransactionError::BranchInUse);
        }
        if self.table.len() >= self.limits.transactions {
            return Err(TransactionError::Full {
                limit: self.limits.transactions,
            });
        }
        let id = self.next_id();
        self.start_client(now, flow, id, request);
        Ok(ClientId(id))
    }

    /// Cancels an INVITE (RFC 3261 9.1). The CANCEL goes out at once if a provisional response is there, else with the
    /// first one; if a final response comes first, it never goes out and nothing is heard of it.
    ///
    /// Gives the transaction of the CANCEL, whose answer comes as [`Event::Response`] and may be ignored. The INVITE itself
    /// ends by its own final response, by a 2xx that crossed (acknowledge it and send BYE), or by [`Event::Timeout`] 64 T1
    /// after the CANCEL. `None` if there is nothing to cancel: no INVITE, or it has its final response.
    pub fn cancel(&mut self, now: Instant, id: ClientId) -> Option<ClientId> {
        let entry = self.table.get_mut(id.0)?;
        let Machine::InviteClient {
            machine, cancel, ..
        } = &mut entry.machine
        else {
            return None;
        };
        let proceeding = match machine.state {
            invite_client::State::Calling => false,
            invite_client::State::Proceeding => true,
            _ => return None,
        };
        if let Cancel::Waiting(cancel) | Cancel::Sent(cancel) = *cancel {
            return Some(cancel);
        }
        self.last_id += 1;
        let cancel_id = ClientId(self.last_id);
        *cancel = Cancel::Waiting(cancel_id);
        if proceeding {
            self.send_cancel(now, id.0);
        }
        Some(cancel_id)
    }

    /// Answers a request.
    ///
    /// Provisional responses may be many; after the final one only further 2xx to an INVITE are taken, until timer L.
    pub fn respond(
        &mut self,
        now: Instant,
        id: ServerId,
        response: Message,
    ) -> Result<(), TransactionError> {
        let code = response.status().ok_or(TransactionError::Kind)?;
        let entry = self.table.get_mut(id.0).ok_or(TransactionError::Unknown)?;
        let flow = entry.flow;
        let keep = |response: &Message| (!flow.is_reliable()).then(|| response.clone());
        let step = match &mut entry.machine {
            Machine::InviteServer {
                machine,
                response: kept,
            } => {
                let step = machine.respond(now, code, &self.timers);
                if step == Step::Send {
                    // A 2xx is the user's to repeat.
                    *kept = if code / 100 == 2 {
                        None
                    } else {
                        keep(&response)
                    };
                }
                step
            }
            Machine::Server {
                machine,
                response: kept,
            } => {
                let step = machine.respond(now, code, &self.timers);
                if step == Step::Send {
                    *kept = keep(&response);
                }
                step
            }
            _ => return Err(TransactionError::Unknown),
        };
        if step != Step::Send {
            return Err(TransactionError::Answered);
        }
        self.send(flow, response);
        self.table.settle(id.0);
        Ok(())
    }

    /// Sends a message outside all transactions: the ACK of a 2xx, BENOTIFY, what a proxy forwards of
    /// [`Event::Stray`] and [`Event::Ack`].
    pub fn send(&mut self, flow: Flow, message: Message) {
        self.transmits.push_back(Transmit { flow, message });
    }

    /// Takes a message that came on `flow`.
    ///
    /// An error means that the message cannot be matched; nothing has changed. Requests with such faults are
    /// to be refused before they get here.
    pub fn handle_message(
        &mut self,
        now: Instant,
        flow: Flow,
        message: Message,
    ) -> Result<(), TransactionError> {
        match message.method() {
            None => self.handle_response(now, flow, message),
            Some(Method::Ack) => self.handle_ack(now, flow, message),
            Some(Method::Benotify) => {
                self.events.push_back(Event::Benotify { flow, message });
                Ok(())
            }
            Some(method) => {
                let method = method.clone();
                self.handle_request(now, flow, message, &method)
            }
        }
    }

    /// The connection is gone, or a datagram peer cannot be reached: all its transactions end. Costs are linear in
    /// their number.
    pub fn handle_flow_closed(&mut self, flow: Flow) {
        while let Some((id, entry)) = self.table.remove_one_of(flow) {
            match entry.machine {
                Machine::InviteClient { machine, .. } => {
                    use invite_client::State::{Calling, Proceeding};
                    if matches!(machine.state, Calling | Proceeding) {
                        let id = ClientId(id);
                        self.events.push_back(Event::FlowFailed { id });
                    }
                }
                Machine::Client { machine, .. } => {
                    if machine.state != client::State::Completed {
                        let id = ClientId(id);
                        self.events.push_back(Event::FlowFailed { id });
                    }
                }
                Machine::InviteServer { machine, .. } => {
                    use invite_server::State::{Proceeding, Trying};
                    if matches!(machine.state, Trying | Proceeding) {
                        self.ended(id, EndCause::FlowClosed);
                    }
                }
                Machine::Server { machine, .. } => {
                    if machine.state != server::State::Completed {
                        self.ended(id, EndCause::FlowClosed);
                    }
                }
            }
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(id) = self.table.due(now) {
            let Some(entry) = self.table.get_mut(id) else {
                continue;
            };
            let flow = entry.flow;
            let (step, cause) = match &mut entry.machine {
                Machine::InviteClient { machine, .. } => (machine.timeout(now), None),
                Machine::Client { machine, .. } => (machine.timeout(now, &self.timers), None),
                Machine::InviteServer { machine, .. } => {
                    let cause = if machine.state == invite_server::State::Completed {
                        EndCause::NoAck
                    } else {
                        EndCause::Unanswered
                    };
                    (machine.timeout(now, &self.timers), Some(cause))
                }
                Machine::Server { machine, .. } => {
                    let step = machine.timeout(now, &self.timers);
                    (step, Some(EndCause::Unanswered))
                }
            };
            match (step, cause) {
                (Step::Send, _) => {
                    if let Some(message) = entry.machine.repeated(flow.is_reliable()) {
                        self.send(flow, message);
                    }
                }
                (Step::TimedOut, Some(cause)) => self.ended(id, cause),
                (Step::TimedOut, None) => {
                    let id = ClientId(id);
                    self.events.push_back(Event::Timeout { id });
                }
                _ => {}
            }
            self.table.settle(id);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.table.next_deadline()
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn ended(&mut self, id: u64, cause: EndCause) {
        let id = ServerId(id);
        self.events.push_back(Event::Ended { id, cause });
    }

    /// Starts a client transaction under the key that stands in `self.key`, and sends its request.
    fn start_client(&mut self, now: Instant, flow: Flow, id: u64, request: Message) {
        let reliable = flow.is_reliable();
        let machine = if request.method() == Some(&Method::Invite) {
            Machine::InviteClient {
                machine: InviteClient::new(now, reliable, &self.timers),
                request: request.clone(),
                ack: None,
                cancel: Cancel::No,
            }
        } else {
            Machine::Client {
                machine: Client::new(now, reliable, &self.timers),
                request: (!reliable).then(|| request.clone()),
            }
        };
        self.table.insert(&self.key, id, flow, machine);
        self.send(flow, request);
    }

    fn send_cancel(&mut self, now: Instant, id: u64) {
        let Some(entry) = self.table.get_mut(id) else {
            return;
        };
        let flow = entry.flow;
        let Machine::InviteClient {
            machine,
            request,
            cancel,
            ..
        } = &mut entry.machine
        else {
            return;
        };
        let Cancel::Waiting(cancel_id) = *cancel else {
            return;
        };
        *cancel = Cancel::Sent(cancel_id);
        machine.cancelled(now, &self.timers);
        let message = made::cancel(request);
        self.table.settle(id);
        // The INVITE had a Via with a branch, so the CANCEL has one.
        if let Ok(true) = key::client(&mut self.key, flow, &message, Method::Cancel.as_str()) {
            self.start_client(now, flow, cancel_id.0, message);
        }
    }

    fn handle_response(
        &mut self,
        now: Instant,
        flow: Flow,
        message: Message,
    ) -> Result<(), TransactionError> {
        let code = message.status().ok_or(TransactionError::Kind)?;
        let cseq = message.cseq()?;
        let found = key::client(&mut self.key, flow, &message, cseq.method_text)?
            .then(|| self.table.find(&self.key))
            .flatten();
        let Some((id, entry)) = found.and_then(|id| Some((id, self.table.get_mut(id)?))) else {
            self.events.push_back(Event::Stray { flow, message });
            return Ok(());
        };
        let mut send_cancel = false;
        let (step, ack_now) = match &mut entry.machine {
            Machine::InviteClient {
                machine,
                request,
                ack,
                cancel,
            } => {
                let step = machine.response(now, code, &self.timers);
                send_cancel = code < 200 && matches!(cancel, Cancel::Waiting(_));
                let ack_now = match step {
                    Step::DeliverAndSend => {
                        let made = made::ack(request, &message);
                        *ack = (!flow.is_reliable()).then(|| made.clone());
                        Some(made)
                    }
                    Step::Send => ack.clone(),
                    _ => None,
                };
                (step, ack_now)
            }
            Machine::Client { machine, .. } => (machine.response(now, code, &self.timers), None),
            // Keys of clients and servers differ.
            _ => return Ok(()),
        };
        if let Some(ack) = ack_now {
            self.send(flow, ack);
        }
        if matches!(step, Step::Deliver | Step::DeliverAndSend) {
            let id = ClientId(id);
            self.events.push_back(Event::Response { id, message });
        }
        self.table.settle(id);
        if send_cancel {
            self.send_cancel(now, id);
        }
        Ok(())
    }

    fn handle_ack(
        &mut self,
        now: Instant,
        flow: Flow,
        message: Message,
    ) -> Result<(), TransactionError> {
        let mut id = None;
        // An ACK without branch: first as part of a dialog, then as the answer to the first INVITE of one, which had no To tag.
        for with_to_tag in [true, false] {
            key::server(&mut self.key, flow, &message, &Method::Invite, with_to_tag)?;
            id = self.table.find(&self.key);
            if id.is_some() {
                break;
            }
        }
        let mut step = Step::Deliver;
        if let Some(id) = id
            && let Some(entry) = self.table.get_mut(id)
        {
            if let Machine::InviteServer { machine, .. } = &mut entry.machine {
                step = machine.ack(now, &self.timers);
            }
            self.table.settle(id);
        }
        if step == Step::Deliver {
            self.events.push_back(Event::Ack { flow, message });
        }
        Ok(())
    }

    fn handle_request(
        &mut self,
        now: Instant,
        flow: Flow,
        message: Message,
        method: &Method,
    ) -> Result<(), TransactionError> {
        message.cseq()?;
        key::server(&mut self.key, flow, &message, method, true)?;
        if let Some(id) = self.table.find(&self.key)
            && !self.handle_repetition(now, id)
        {
            return Ok(());
        }
        if self.table.len() >= self.limits.transactions
            || self.table.served(flow) >= self.limits.per_flow
        {
            let response = made::response(&message, 503, &self.key);
            self.send(flow, response);
            return Ok(());
        }
        if *method == Method::Cancel {
            return self.handle_cancel(now, flow, message);
        }
        let id = self.next_id();
        let reliable = flow.is_reliable();
        let machine = if *method == Method::Invite {
            Machine::InviteServer {
                machine: InviteServer::new(now, reliable, &self.timers),
                response: Some(Message::response_to(&message, 100, None)),
            }
        } else {
            Machine::Server {
                machine: Server::new(now, reliable, &self.timers),
                response: None,
            }
        };
        self.table.insert(&self.key, id, flow, machine);
        self.events.push_back(Event::Request {
            id: ServerId(id),
            flow,
            message,
        });
        Ok(())
    }

    /// A request that has a transaction. True when it is to be taken as a new one.
    fn handle_repetition(&mut self, now: Instant, id: u64) -> bool {
        let Some(entry) = self.table.get_mut(id) else {
            return true;
        };
        let flow = entry.flow;
        let step = match &mut entry.machine {
            Machine::InviteServer { machine, .. } => machine.request(now, &self.timers),
            Machine::Server { machine, .. } => machine.request(),
            _ => Step::Nothing,
        };
        match step {
            Step::Restart => {
                self.table.remove(id);
                return true;
            }
            Step::Send => {
                if let Some(message) = entry.machine.repeated(flow.is_reliable()) {
                    self.send(flow, message);
                }
            }
            _ => {}
        }
        self.table.settle(id);
        false
    }

    fn handle_cancel(
        &mut self,
        now: Instant,
        flow: Flow,
        message: Message,
    ) -> Result<(), TransactionError> {
        key::server(&mut self.key, flow, &message, &Method::Invite, true)?;
        let target = self.table.find(&self.key);
        let code = if target.is_some() { 200 } else { 481 };
        let response = made::response(&message, code, &self.key);
        if !flow.is_reliable() {
            // Kept to answer repetitions.
            key::server(&mut self.key, flow, &message, &Method::Cancel, true)?;
            let id = self.next_id();
            let mut machine = Server::new(now, false, &self.timers);
            machine.respond(now, code, &self.timers);
            let response = Some(response.clone());
            self.table
                .insert(&self.key, id, flow, Machine::Server { machine, response });
        }
        self.send(flow, response);
        if let Some(target) = target
            && let Some(Entry {
                machine: Machine::InviteServer { machine, .. },
                ..
            }) = self.table.get(target)
        {
            use invite_server::State::{Proceeding, Trying};
            if matches!(machine.state, Trying | Proceeding) {
                let target = ServerId(target);
                self.events.push_back(Event::Cancel { target, message });
            }
        }
        Ok(())
    }
}
