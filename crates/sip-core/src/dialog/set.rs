//! All dialogs of one INVITE (RFC 3261 13.2.2.4).

use std::time::{Duration, Instant};

use super::{Dialog, DialogError, DialogId, DialogState};
use crate::Message;

/// What a response to the INVITE did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForkOutcome {
    /// A 100, or a provisional response without tag: no dialog.
    Progress,
    /// A provisional response made or belongs to this early dialog.
    Early(DialogId),
    /// A 2xx confirmed this dialog. Send the ACK; of several dialogs keep one and send BYE in the others.
    Confirmed {
        /// The dialog.
        id: DialogId,
        /// Whether it is the first of this INVITE.
        first: bool,
    },
    /// The 2xx of a confirmed dialog again: send its ACK again.
    Repeated(DialogId),
    /// The INVITE failed; all early dialogs are over.
    Failed,
    /// More forks than the set may hold. For a 2xx send ACK and BYE by way of [`Dialog::uac`].
    TooMany,
}

/// The dialogs that one INVITE makes when it is forked.
///
/// Early dialogs that never got their 2xx end when [`poll_timeout`](Self::poll_timeout) says so, 64 T1 after the first 2xx.
#[derive(Debug, Clone)]
pub struct DialogSet {
    invite: Message,
    dialogs: Vec<Dialog>,
    max_forks: usize,
    t1_64: Duration,
    early_end: Option<Instant>,
}

impl DialogSet {
    /// Most forks that a set holds if nothing else is said.
    pub const MAX_FORKS: usize = 32;

    /// For an INVITE that was sent.
    #[must_use]
    pub fn new(invite: Message) -> Self {
        Self {
            invite,
            dialogs: Vec::new(),
            max_forks: Self::MAX_FORKS,
            t1_64: Duration::from_secs(32),
            early_end: None,
        }
    }

    /// Holds at most so many dialogs: a peer can make one with each response.
    #[must_use]
    pub fn with_max_forks(mut self, max_forks: usize) -> Self {
        self.max_forks = max_forks;
        self
    }

    /// The INVITE.
    #[must_use]
    pub fn invite(&self) -> &Message {
        &self.invite
    }

    /// All dialogs, in the order in which they were made.
    #[must_use]
    pub fn dialogs(&self) -> &[Dialog] {
        &self.dialogs
    }

    /// One dialog.
    pub fn get_mut(&mut self, id: &DialogId) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().find(|dialog| dialog.id() == id)
    }

    /// Takes a dialog out, to keep it or to end it.
    pub fn take(&mut self, id: &DialogId) -> Option<Dialog> {
        let at = self.dialogs.iter().position(|dialog| dialog.id() == id)?;
        Some(self.dialogs.remove(at))
    }

    /// The ACK of the 2xx that confirmed `id`.
    #[must_use]
    pub fn ack(&self, id: &DialogId) -> Option<Message> {
        let cseq = self.invite.cseq().ok()?.number;
        let dialog = self.dialogs.iter().find(|dialog| dialog.id() == id)?;
        Some(dialog.ack_for_2xx(cseq))
    }

    /// Takes a response to the INVITE.
    pub fn handle_response(
        &mut self,
        now: Instant,
        response: &Message,
    ) -> Result<ForkOutcome, DialogError> {
        let code = response.status().ok_or(DialogError::NoDialog)?;
        if code >= 300 {
            for dialog in &mut self.dialogs {
                if dialog.state() == DialogState::Early {
                    dialog.terminate();
                }
            }
            self.early_end = None;
            return Ok(ForkOutcome::Failed);
        }
        let id = DialogId::of_response(response);
        let Some(id) = id.filter(|_| code > 100) else {
            return if code < 200 {
                Ok(ForkOutcome::Progress)
            } else {
                Err(DialogError::NoTag(crate::HeaderName::To))
            };
        };
        if let Some(dialog) = self.get_mut(&id) {
            let before = dialog.state();
            dialog.handle_response(response)?;
            return Ok(match (code < 200, before) {
                (true, _) => ForkOutcome::Early(id),
                (false, DialogState::Early) => self.confirmed(now, id),
                (false, _) => ForkOutcome::Repeated(id),
            });
        }
        if self.dialogs.len() >= self.max_forks {
            return Ok(ForkOutcome::TooMany);
        }
        self.dialogs.push(Dialog::uac(&self.invite, response)?);
        Ok(if code < 200 {
            ForkOutcome::Early(id)
        } else {
            self.confirmed(now, id)
        })
    }

    fn confirmed(&mut self, now: Instant, id: DialogId) -> ForkOutcome {
        let first = self.early_end.is_none();
        if first {
            self.early_end = Some(now + self.t1_64);
        }
        ForkOutcome::Confirmed { id, first }
    }

    /// When the early dialogs that are left have to end.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let early = |dialog: &Dialog| dialog.state() == DialogState::Early;
        self.early_end.filter(|_| self.dialogs.iter().any(early))
    }

    /// Ends them if it is time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.early_end.is_some_and(|end| end <= now) {
            for dialog in &mut self.dialogs {
                if dialog.state() == DialogState::Early {
                    dialog.terminate();
                }
            }
        }
    }
}
