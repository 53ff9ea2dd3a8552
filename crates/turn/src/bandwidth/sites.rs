//! A policy of sites with limited links.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use ocs_stun::attribute::{MsServiceQuality, StreamType};
use rustc_hash::FxHashMap;

use super::{
    Amount, BandwidthMessage, BandwidthPolicy, Context, Path, Request, ReservationId, Response,
};
use crate::net::Prefix;

/// A site, by its place in [`Policy::new`]'s list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub usize);

/// What a link carries of one kind of media, in kbit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// All sessions together.
    pub total: u32,
    /// One session.
    pub session: u32,
}

impl Capacity {
    /// No limit.
    pub const UNLIMITED: Self = Self {
        total: u32::MAX,
        session: u32::MAX,
    };
}

/// A site and its link to the wide area network. Media between two sites goes over the links of both; within a site it uses none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// For audio.
    pub audio: Capacity,
    /// For both kinds of video.
    pub video: Capacity,
    /// Whether calls that find no room may go over the PSTN.
    pub pstn_failover: bool,
}

/// What became of a request or of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Bandwidth was reserved.
    Committed,
    /// A reservation was changed or kept.
    Updated,
    /// There was no room.
    Denied,
    /// The client gave it back.
    Cancelled,
    /// Its allocation ended.
    Released,
    /// No Update came in time.
    Expired,
}

/// For the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What happened.
    pub outcome: Outcome,
    /// To which reservation; none if a Commit was denied.
    pub reservation: Option<ReservationId>,
    /// What is reserved now.
    pub amount: Amount,
    /// SIP Dialog Identifier of the Commit.
    pub dialog: Option<Box<[u8]>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Modality {
    Audio,
    Video,
}

impl Modality {
    /// The modality that links limit; streams of data are not managed (inferred).
    fn of(quality: Option<MsServiceQuality>) -> Option<Self> {
        match quality.unwrap_or_default().stream {
            StreamType::Audio => Some(Self::Audio),
            StreamType::Video | StreamType::SupplementalVideo => Some(Self::Video),
            StreamType::Data => None,
        }
    }
}

#[derive(Debug)]
struct Reservation {
    allocation: u64,
    user: Box<[u8]>,
    modality: Option<Modality>,
    amount: Amount,
    /// The sites whose links it uses.
    sites: Vec<SiteId>,
    dialog: Option<Box<[u8]>>,
    deadline: Instant,
}

/// Sites with limited links, found by the longest prefix of an address. An address of no site is in the Internet and without limit (inferred).
#[derive(Debug, Default)]
pub struct Policy {
    sites: Vec<Site>,
    networks: Vec<(Prefix, SiteId)>,
    /// kbit/s in use.
    used: FxHashMap<(SiteId, Modality), u32>,
    reservations: FxHashMap<ReservationId, Reservation>,
    /// By allocation.
    owners: BTreeSet<(u64, ReservationId)>,
    timers: BTreeSet<(Instant, ReservationId)>,
    reports: VecDeque<Report>,
}

/// Reports that nobody fetches are dropped from here on, the oldest first.
const REPORTS: usize = 1024;

/// More than one call needs; a client that does not give back what it took is denied from here on.
const RESERVATIONS_PER_ALLOCATION: usize = 16;

/// The larger of the two directions: links are limited the same way in both.
fn rate(send: u32, receive: u32) -> u32 {
    send.max(receive)
}

impl Policy {
    /// Sites, and which networks belong to them.
    #[must_use]
    pub fn new(sites: Vec<Site>, networks: Vec<(Prefix, SiteId)>) -> Self {
        Self {
            sites,
            networks,
            ..Self::default()
        }
    }

    /// What happened since it was asked last.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// kbit/s of audio and of video that are reserved on the link of a site.
    #[must_use]
    pub fn used(&self, site: SiteId) -> (u32, u32) {
        let used = |modality| self.used.get(&(site, modality)).copied().unwrap_or(0);
        (used(Modality::Audio), used(Modality::Video))
    }

    fn site(&self, address: IpAddr) -> Option<SiteId> {
        self.networks
            .iter()
            .filter(|(prefix, site)| prefix.contains(address) && site.0 < self.sites.len())
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|&(_, site)| site)
    }

    /// The sites whose links a way over these addresses uses.
    fn links(&self, way: &[IpAddr]) -> Vec<SiteId> {
        let mut links = Vec::new();
        for hop in way.windows(2) {
            let (from, to) = (self.site(hop[0]), self.site(hop[1]));
            if from != to {
                links.extend(from.into_iter().chain(to));
            }
        }
        links.sort_unstable();
        links.dedup();
        links
    }

    /// kbit/s that these links have left for one session.
    fn available(&self, links: &[SiteId], modality: Option<Modality>) -> u32 {
        let Some(modality) = modality else {
            return u32::MAX;
        };
        links
            .iter()
            .map(|&site| {
                let capacity = match modality {
                    Modality::Audio => self.sites[site.0].audio,
                    Modality::Video => self.sites[site.0].video,
                };
                let used = self.used.get(&(site, modality)).copied().unwrap_or(0);
                capacity.total.saturating_sub(used).min(capacity.session)
            })
            .min()
            .unwrap_or(u32::MAX)
    }

    /// The part of an amount for which there is room, if that is enough.
    fn room(&self, links: &[SiteId], modality: Option<Modality>, amount: Amount) -> Option<Amount> {
        let available = self.available(links, modality);
        if rate(amount.minimum_send, amount.minimum_receive) > available {
            return None;
        }
        let send = amount.maximum_send.min(available);
        let receive = amount.maximum_receive.min(available);
        Some(Amount {
            minimum_send: send,
            maximum_send: send,
            minimum_receive: receive,
            maximum_receive: receive,
        })
    }

    fn path(&self, links: &[SiteId], modality: Option<Modality>, amount: Amount) -> Path {
        match self.room(links, modality, amount) {
            Some(room) => Path {
                valid: true,
                pstn_failover: false,
                maximum_send: room.maximum_send,
                maximum_receive: room.maximum_receive,
            },
            None => Path {
                pstn_failover: links.iter().any(|site| self.sites[site.0].pstn_failover),
                ..Path::default()
            },
        }
    }

    fn check(&self, request: &Request, context: Context<'_>) -> Option<Response> {
        let amount = request.amount?;
        let modality = Modality::of(request.service_quality);
        let local = request.local_site.unwrap_or(context.source).ip();
        let remote = request.remote_site?.ip();
        let links = self.links(&[local, remote]);
        // Each side's answer is about its own link of the way between the two.
        let side = |address| {
            let own: Vec<_> = links
                .iter()
                .copied()
                .filter(|&link| self.site(address) == Some(link))
                .collect();
            self.path(&own, modality, amount)
        };
        let hop = |from: IpAddr, to: SocketAddr| Path {
            pstn_failover: false,
            ..self.path(&self.links(&[from, to.ip()]), modality, amount)
        };
        Some(Response {
            remote_site: Some(side(remote)),
            remote_relay: request.remote_relay.map(|relay| hop(remote, relay)),
            local_site: Some(side(local)),
            local_relay: context.relay.map(|relay| hop(local, relay)),
            ..Response::new(BandwidthMessage::Check)
        })
    }

    fn commit(
        &mut self,
        now: Instant,
        request: &Request,
        context: Context<'_>,
    ) -> Option<Response> {
        let mut response = Response::new(BandwidthMessage::Commit);
        let modality = Modality::of(request.service_quality);
        let way = [
            request.local_site,
            request.local_relay,
            request.remote_relay,
            request.remote_site,
        ];
        let way: Vec<_> = way
            .into_iter()
            .flatten()
            .map(|address| address.ip())
            .collect();
        let sites = self.links(&way);
        let room = self.room(&sites, modality, request.amount?);
        let full = self.of_allocation(context.allocation).count() >= RESERVATIONS_PER_ALLOCATION;
        let Some(amount) = room.filter(|_| !full) else {
            self.report(Outcome::Denied, None, Amount::ZERO, request.dialog.clone());
            return Some(response);
        };
        let deadline = now + context.lifetime;
        let reservation = Reservation {
            allocation: context.allocation,
            user: context.user.into(),
            modality,
            amount,
            sites,
            dialog: request.dialog.clone(),
            deadline,
        };
        self.count(&reservation.sites, modality, amount, u32::saturating_add);
        self.report(
            Outcome::Committed,
            Some(context.id),
            amount,
            request.dialog.clone(),
        );
        self.reservations.insert(context.id, reservation);
        self.timers.insert((deadline, context.id));
        self.owners.insert((context.allocation, context.id));
        response.reservation = Some(context.id);
        response.amount = Some(amount);
        Some(response)
    }

    fn update(
        &mut self,
        now: Instant,
        request: &Request,
        context: Context<'_>,
    ) -> Option<Response> {
        let id = request.reservation?;
        let mut reservation = self.reservations.remove(&id)?;
        if *reservation.user != *context.user {
            self.reservations.insert(id, reservation);
            return None;
        }
        self.timers.remove(&(reservation.deadline, id));
        let (modality, old) = (reservation.modality, reservation.amount);
        let wanted = request.amount.unwrap_or(old);
        self.count(&reservation.sites, modality, old, u32::saturating_sub);
        let mut response = Response::new(BandwidthMessage::Update);
        response.reservation = Some(id);
        if wanted == Amount::ZERO {
            self.owners.remove(&(reservation.allocation, id));
            self.report(Outcome::Cancelled, Some(id), wanted, reservation.dialog);
            response.amount = Some(wanted);
            return Some(response);
        }
        // Where there is no room for more, the amount stays.
        let (outcome, amount) = match self.room(&reservation.sites, modality, wanted) {
            Some(amount) => (Outcome::Updated, amount),
            None => (Outcome::Denied, old),
        };
        self.count(&reservation.sites, modality, amount, u32::saturating_add);
        self.report(outcome, Some(id), amount, reservation.dialog.clone());
        reservation.amount = amount;
        reservation.deadline = now + context.lifetime;
        self.timers.insert((reservation.deadline, id));
        self.reservations.insert(id, reservation);
        response.amount = Some(amount);
        Some(response)
    }

    fn count(
        &mut self,
        sites: &[SiteId],
        modality: Option<Modality>,
        amount: Amount,
        operation: fn(u32, u32) -> u32,
    ) {
        let Some(modality) = modality else {
            return;
        };
        for &site in sites {
            let used = self.used.entry((site, modality)).or_default();
            *used = operation(*used, rate(amount.maximum_send, amount.maximum_receive));
        }
    }

    fn of_allocation(&self, allocation: u64) -> impl Iterator<Item = ReservationId> {
        let least = ReservationId([0; 16]);
        let most = ReservationId([0xFF; 16]);
        let own = self.owners.range((allocation, least)..=(allocation, most));
        own.map(|&(_, id)| id)
    }

    fn free(&mut self, id: ReservationId, outcome: Outcome) {
        if let Some(reservation) = self.reservations.remove(&id) {
            self.timers.remove(&(reservation.deadline, id));
            self.owners.remove(&(reservation.allocation, id));
            let (modality, amount) = (reservation.modality, reservation.amount);
            self.count(&reservation.sites, modality, amount, u32::saturating_sub);
            self.report(outcome, Some(id), Amount::ZERO, reservation.dialog);
        }
    }

    fn report(
        &mut self,
        outcome: Outcome,
        reservation: Option<ReservationId>,
        amount: Amount,
        dialog: Option<Box<[u8]>>,
    ) {
        if self.reports.len() == REPORTS {
            self.reports.pop_front();
        }
        self.reports.push_back(Report {
            outcome,
            reservation,
            amount,
            dialog,
        });
    }
}

impl BandwidthPolicy for Policy {
    fn handle(
        &mut self,
        now: Instant,
        request: &Request,
        context: Context<'_>,
    ) -> Option<Response> {
        match request.message {
            BandwidthMessage::Check => self.check(request, context),
            BandwidthMessage::Commit => self.commit(now, request, context),
            BandwidthMessage::Update => self.update(now, request, context),
        }
    }

    fn release(&mut self, allocation: u64) {
        let ids: Vec<_> = self.of_allocation(allocation).collect();
        for id in ids {
            self.free(id, Outcome::Released);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(deadline, id)) = self.timers.first()
            && deadline <= now
        {
            self.free(id, Outcome::Expired);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|&(deadline, _)| deadline)
    }
}
