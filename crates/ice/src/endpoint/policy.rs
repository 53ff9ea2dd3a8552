//! \[MS-ICE2BWM\] over \[MS-TURNBWM\]: what is asked of the policy server, which is a relay of the endpoint, and when.

use std::time::{Duration, Instant};

use ocs_stun::attribute::MsServiceQuality;
use ocs_turn::bandwidth::{
    Amount, BandwidthMessage, LocationProfile, Path, Request, ReservationId, Response,
};

use crate::CandidateType;
use crate::bandwidth::{Policy, Sites};
use crate::io::SelectedPair;

/// What a stream needs, as the policy server is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// The least that is of use, and the most.
    pub amount: Amount,
    /// What the stream is; audio by default.
    pub service_quality: MsServiceQuality,
    /// Where the two sides are.
    pub location: LocationProfile,
    /// SIP Call Identifier, for the server's logs.
    pub call: Option<Box<[u8]>>,
    /// SIP Dialog Identifier, for the server's logs.
    pub dialog: Option<Box<[u8]>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was asked yet.
    New,
    Checking,
    /// There is a policy.
    Checked,
    Committing,
    Committed {
        reservation: ReservationId,
        /// When it is to be updated.
        update: Instant,
    },
    Cancelling,
    /// There is no policy, or it is over.
    Over,
}

/// What comes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Checks may begin, under this policy.
    Policy(Option<Policy>),
    /// The selected pairs may be used.
    Committed,
    /// They may not.
    Denied,
    /// The reservation is gone, as it should be.
    Cancelled,
    Nothing,
}

/// The conversation with the policy server.
#[derive(Debug)]
pub(super) struct Manager {
    demand: Demand,
    sites: Option<Sites>,
    state: State,
}

impl Manager {
    pub(super) const fn new(demand: Demand) -> Self {
        Self {
            demand,
            sites: None,
            state: State::New,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Nobody answers.
    fn give_up(&mut self) {
        self.state = State::Over;
    }

    fn request(&self, message: BandwidthMessage, sites: &Sites) -> Request {
        Request {
            amount: Some(self.demand.amount),
            // A peer that shows its relay only is where that is (inferred).
            remote_site: sites.remote_site.or(sites.remote_relay),
            local_site: sites.local_site,
            service_quality: Some(self.demand.service_quality),
            location: Some(self.demand.location),
            ..Request::new(message)
        }
    }

    /// The question before the checks. What a former round reserved is not updated any more, and ends.
    pub(super) fn check(&mut self, sites: Sites) -> Request {
        self.sites = Some(sites);
        self.state = State::Checking;
        Request {
            remote_relay: sites.remote_relay,
            call: self.demand.call.clone(),
            ..self.request(BandwidthMessage::Check, &sites)
        }
    }

    /// The reservation for the selected pair, if there is a policy.
    pub(super) fn commit(&mut self, pair: &SelectedPair) -> Option<Request> {
        let sites = self.sites.filter(|_| self.state == State::Checked)?;
        self.state = State::Committing;
        let relay = |end: &crate::End| {
            let relayed = end.kind == CandidateType::Relayed;
            relayed.then_some(end.address)
        };
        let request = self.request(BandwidthMessage::Commit, &sites);
        Some(Request {
            local_site: request.local_site.or(sites.local_relay),
            local_relay: relay(&pair.local),
            remote_relay: relay(&pair.remote),
            dialog: self.demand.dialog.clone(),
            ..request
        })
    }

    /// Another amount from now on; for the server, if something is reserved.
    pub(super) fn change(&mut self, amount: Amount) -> Option<Request> {
        self.demand.amount = amount;
        self.update(Some(amount))
    }

    fn update(&self, amount: Option<Amount>) -> Option<Request> {
        let State::Committed { reservation, .. } = self.state else {
            return None;
        };
        Some(Request {
            reservation: Some(reservation),
            amount,
            dialog: self.demand.dialog.clone(),
            ..Request::new(BandwidthMessage::Update)
        })
    }

    /// What keeps the reservation, when it is time for that.
    pub(super) fn handle_timeout(&mut self, now: Instant, period: Duration) -> Option<Request> {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return None;
        }
        let request = self.update(None);
        self.schedule(now + period);
        request
    }

    fn schedule(&mut self, at: Instant) {
        if let State::Committed { update, .. } = &mut self.state {
            *update = at;
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Committed { update, .. } => Some(update),
            _ => None,
        }
    }

    /// The end: what is reserved is to be cancelled.
    pub(super) fn end(&mut self) -> Option<Request> {
        let cancel = self.update(Some(Amount::ZERO));
        if cancel.is_some() {
            self.state = State::Cancelling;
        } else if !self.is_cancelling() {
            self.give_up();
        }
        cancel
    }

    /// Whether the answer to that is still to come.
    pub(super) fn is_cancelling(&self) -> bool {
        self.state == State::Cancelling
    }

    /// The server's answer; without a response it has no policy. Updates go out once in a `period`.
    pub(super) fn handle_answer(
        &mut self,
        now: Instant,
        period: Duration,
        response: Option<&Response>,
    ) -> Verdict {
        let reservation = response.and_then(|response| response.reservation);
        match (self.state, response) {
            (State::Checking, Some(response)) => {
                self.state = State::Checked;
                Verdict::Policy(Some(policy(response)))
            }
            (State::Checking, None) => {
                self.give_up();
                Verdict::Policy(None)
            }
            (State::Committing, Some(_)) => {
                let Some(reservation) = reservation else {
                    self.state = State::Checked;
                    return Verdict::Denied;
                };
                self.state = State::Committed {
                    reservation,
                    update: now + period,
                };
                Verdict::Committed
            }
            (State::Committing, None) => {
                self.give_up();
                Verdict::Committed
            }
            (State::Committed { .. }, Some(_)) => {
                self.schedule(now + period);
                Verdict::Nothing
            }
            // The server does not know the reservation any more.
            (State::Committed { .. }, None) => {
                self.give_up();
                Verdict::Nothing
            }
            (State::Cancelling, _) => {
                self.give_up();
                Verdict::Cancelled
            }
            (State::New | State::Checked | State::Over, _) => Verdict::Nothing,
        }
    }
}

/// What an answer allows. About the way to a relay that nobody has it says nothing.
fn policy(response: &Response) -> Policy {
    let site = |path: Option<Path>| path.is_some_and(|path| path.valid);
    let relay = |path: Option<Path>| path.is_none_or(|path| path.valid);
    Policy {
        local_site: site(response.local_site),
        local_relay: relay(response.local_relay),
        remote_site: site(response.remote_site),
        remote_relay: relay(response.remote_relay),
    }
}
