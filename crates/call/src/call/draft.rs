//! What the application wants changed, until it is offered or answered.

use ocs_sdpext::negotiation::{Session, Stream};

use crate::Error;

/// Changes that are not described yet.
///
/// They do not stand in the session, so that an offer of the peer that comes before ours is judged by what was agreed.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// Plans by index, ascending; none takes the stream away.
    streams: Vec<(usize, Option<Stream>)>,
    pub(super) hold: Option<bool>,
}

impl Draft {
    fn set(&mut self, index: usize, plan: Option<Stream>) {
        match self.streams.binary_search_by_key(&index, |(at, _)| *at) {
            Ok(at) => self.streams[at].1 = plan,
            Err(at) => self.streams.insert(at, (index, plan)),
        }
    }

    pub(super) fn stream_mut(&mut self, index: usize, session: &Session) -> Option<&mut Stream> {
        let at = match self.streams.binary_search_by_key(&index, |(at, _)| *at) {
            Ok(at) => at,
            Err(at) => {
                let plan = session.stream(index)?.clone();
                self.streams.insert(at, (index, Some(plan)));
                at
            }
        };
        self.streams[at].1.as_mut()
    }

    pub(super) fn add(&mut self, stream: Stream, session: &Session) -> Result<usize, Error> {
        let mut after = session.clone();
        self.apply(&mut after)?;
        let index = after.add(stream.clone())?;
        self.set(index, Some(stream));
        Ok(index)
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.set(index, None);
    }

    /// Puts everything into a session, for an offer. An error leaves the session half changed.
    pub(super) fn apply(&self, session: &mut Session) -> Result<(), ocs_sdpext::Error> {
        for (index, plan) in &self.streams {
            let stream = *index;
            let Some(plan) = plan else {
                if stream < session.len() {
                    session.remove(stream)?;
                }
                continue;
            };
            let fits = match session.stream_mut(stream) {
                Some(old) => {
                    let same = old.kind == plan.kind;
                    old.clone_from(plan);
                    same
                }
                None => session.add(plan.clone())? == stream,
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
            None => session.remove(*index).is_err(),
            Some(plan) => match session.stream_mut(*index) {
                Some(old) if old.kind == plan.kind => {
                    old.clone_from(plan);
                    false
                }
                _ => true,
            },
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
