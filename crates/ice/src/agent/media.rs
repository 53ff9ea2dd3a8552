//! Media, and what keeps its path open.

use std::time::Instant;

use bytes::Bytes;
use ocs_stun::TransactionId;
use rand_core::Rng;

use super::{Agent, Path};
use crate::config::Consent;
use crate::io::{Failure, SelectedPair};
use crate::{Component, Error};

/// What is known of one component.
#[derive(Debug, Default)]
pub(super) struct Media {
    /// The pair that was agreed on.
    pub(super) selected: Option<usize>,
    /// Whether it had a valid pair already.
    pub(super) usable: bool,
    /// When something was sent to the peer last.
    pub(super) sent: Option<Instant>,
    /// The path from before a restart, until there is a new one.
    pub(super) previous: Option<Path>,
    /// When consent is asked for next, and when it ends.
    pub(super) consent: Option<(Instant, Instant)>,
}

impl Media {
    pub(super) fn start_consent(&mut self, now: Instant, consent: Option<Consent>) {
        self.consent = consent.map(|consent| (now + consent.interval, now + consent.expiry));
    }
}

impl<R: Rng> Agent<R> {
    /// The pair that carries a component, once that is agreed on.
    pub fn selected(&self, component: Component) -> Option<SelectedPair> {
        let index = self.media[component.index()].selected?;
        Some(self.selected_pair(&self.pairs[index]))
    }

    /// Sends a packet of media: on the selected pair, before there is one on the best valid one.
    ///
    /// # Errors
    /// [`Error::NoPath`] if there is none; [`Error::PacketTooLong`] for the frames of TCP.
    pub fn send(&mut self, now: Instant, component: Component, data: Bytes) -> Result<(), Error> {
        let path = self.media_path(component).ok_or(Error::NoPath)?;
        let length = data.len();
        let framed = matches!(path, Path::Stream { .. } | Path::RelayStream { .. });
        if framed && length > usize::from(u16::MAX) {
            return Err(Error::PacketTooLong { length });
        }
        self.transmit_packet(path, data);
        self.media[component.index()].sent = Some(now);
        Ok(())
    }

    fn media_path(&self, component: Component) -> Option<Path> {
        if self.phase.is_over() {
            return None;
        }
        let media = &self.media[component.index()];
        let index = media.selected.or_else(|| self.best_valid(component));
        let path = index.and_then(|index| self.path(&self.pairs[index]));
        path.or(media.previous)
    }

    /// Whether a packet came on the path from before a restart.
    pub(super) fn is_previous(&self, component: Component, path: Path) -> bool {
        self.media[component.index()].previous == Some(path)
    }

    pub(super) fn media_timeout(&self, media: &Media) -> Option<Instant> {
        if self.phase.is_over() {
            return None;
        }
        let keep_alive = media.sent.map(|sent| sent + self.config.timers.keep_alive);
        let consent = media.consent.map(|(next, end)| next.min(end));
        [keep_alive, consent].into_iter().flatten().min()
    }

    /// Sends keep-alives where nothing else was sent for long enough, and asks for consent.
    pub(super) fn keep_alive(&mut self, now: Instant) {
        for component in Component::ALL {
            let media = &self.media[component.index()];
            let due = media.sent.map(|sent| sent + self.config.timers.keep_alive);
            if due.is_some_and(|due| due <= now) {
                if let Some(path) = self.media_path(component) {
                    let writer = self.writer();
                    let id = TransactionId::random(writer.dialect, &mut self.rng);
                    self.transmit(path, writer.keep_alive(id));
                }
                self.media[component.index()].sent = Some(now);
            }
            self.ask_for_consent(now, component);
        }
    }

    fn ask_for_consent(&mut self, now: Instant, component: Component) {
        let media = &mut self.media[component.index()];
        let (Some(index), Some((next, end)), Some(config)) =
            (media.selected, media.consent, self.config.consent)
        else {
            return;
        };
        if end <= now {
            self.fail(Failure::ConsentExpired);
        } else if next <= now {
            media.consent = Some((now + config.interval, end));
            self.transactions
                .retain(|transaction| !transaction.consent || transaction.pair != index);
            if let Some(path) = self.path(&self.pairs[index]) {
                self.begin_transaction(now, index, path, true);
            }
        }
    }

    /// The peer answered a question for consent.
    pub(super) fn consented(&mut self, now: Instant, index: usize) {
        let media = &mut self.media[self.pairs[index].component.index()];
        if let (Some((_, end)), Some(config)) = (&mut media.consent, self.config.consent) {
            *end = now + config.expiry;
        }
    }
}
