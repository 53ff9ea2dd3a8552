//! What the application wants changed, until it is offered or answered.

use ocs_sdpext::negotiation::{Session, Stream};

use crate::Error;

/// Changes that are not described yet.
///
/// They do not stand in the session, so that an offer of the peer that comes before ours is judged by what was agreed.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// By index, ascending.
    streams: Vec<(usize, Plan)>,
    pub(super) hold: Option<bool>,
}

#[derive(Debug, Clone)]
enum Plan {
    Removed,
    Added(Stream),
    Changed {
        /// What stood in the session when the change began.
        base: Box<Stream>,
        wanted: Stream,
    },
}

impl Plan {
    /// Puts the plan into its place; whether it fits there.
    fn put(&self, place: &mut Stream) -> bool {
        let (wanted, base) = match self {
            Self::Removed => return false,
            Self::Added(wanted) => (wanted, None),
            Self::Changed { base, wanted } => (wanted, Some(base)),
        };
        if place.kind != wanted.kind {
            return false;
        }
        let mut next = wanted.clone();
        if let Some(base) = base {
            // What a round that came between has settled stays, unless it was changed here.
            if next.formats == base.formats {
                next.formats.clone_from(&place.formats);
            }
            if next.label == base.label {
                next.label = place.label;
            }
            if next.sharing == base.sharing {
                next.sharing = place.sharing;
            }
        }
        *place = next;
        true
    }
}

impl Draft {
    fn set(&mut self, index: usize, plan: Plan) {
        match self.streams.binary_search_by_key(&index, |(at, _)| *at) {
            Ok(at) => self.streams[at].1 = plan,
            Err(at) => self.streams.insert(at, (index, plan)),
        }
    }

    pub(super) fn stream_mut(&mut self, index: usize, session: &Session) -> Option<&mut Stream> {
        let at = match self.streams.binary_search_by_key(&index, |(at, _)| *at) {
            Ok(at) => at,
            Err(at) => {
                let wanted = session.stream(index)?.clone();
                let base = Box::new(wanted.clone());
                let plan = Plan::Changed { base, wanted };
                self.streams.insert(at, (index, plan));
                at
            }
        };
        match &mut self.streams[at].1 {
            Plan::Removed => None,
            Plan::Added(wanted) | Plan::Changed { wanted, .. } => Some(wanted),
        }
    }

    pub(super) fn add(&mut self, stream: Stream, session: &Session) -> Result<usize, Error> {
        let mut after = session.clone();
        self.apply(&mut after)?;
        let index = after.add(stream.clone())?;
        self.set(index, Plan::Added(stream));
        Ok(index)
    }

    pub(super) fn remove(&mut self, index: usize, session: &Session) {
        if index < session.len() {
            self.set(index, Plan::Removed);
        } else {
            self.streams.retain(|(at, _)| *at != index);
        }
    }

    /// Puts everything into a session, for an offer. An error leaves the session half changed.
    pub(super) fn apply(&self, session: &mut Session) -> Result<(), ocs_sdpext::Error> {
        for (index, plan) in &self.streams {
            let stream = *index;
            let fits = match (plan, session.stream_mut(stream)) {
                (Plan::Removed, _) => session.remove(stream).is_ok(),
                (plan, Some(place)) => plan.put(place),
                (Plan::Added(wanted), None) => session.add(wanted.clone())? == stream,
                // The peer has taken it away meanwhile.
                (Plan::Changed { .. }, None) => true,
            };
            if !fits {
                return Err(ocs_sdpext::Error::NoSuchStream { stream });
            }
        }
        self.apply_hold(session);
        Ok(())
    }

    /// Puts into a session what an answer can say; what it cannot, such as a stream more, stays for the next offer.
    pub(super) fn apply_to_answer(&mut self, session: &mut Session) {
        self.streams.retain(|(index, plan)| match plan {
            Plan::Removed => session.remove(*index).is_err(),
            plan => !session
                .stream_mut(*index)
                .is_some_and(|place| plan.put(place)),
        });
        self.apply_hold(session);
        self.hold = None;
    }

    fn apply_hold(&self, session: &mut Session) {
        match self.hold {
            Some(true) => session.hold(),
            Some(false) => session.resume(),
            None => {}
        }
    }

    /// Takes over what an offer that is made again held, where nothing newer is wanted.
    pub(super) fn restore(&mut self, older: Self) {
        for (index, plan) in older.streams {
            if let Err(at) = self.streams.binary_search_by_key(&index, |(at, _)| *at) {
                self.streams.insert(at, (index, plan));
            }
        }
        self.hold = self.hold.or(older.hold);
    }
}
