//! What the server knows of one allocation.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_stun::attribute::{AddressFamily, Lifetime, MsSequenceNumber, MultiplexedTurnSessionId};
use ocs_stun::{IntegrityKey, TransactionId};

use super::config::PermissionRule;
use super::{ClientId, PeerConnectionId};
use crate::bandwidth::RateLimit;

/// A relayed address of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relayed {
    /// Not wanted.
    None,
    /// The caller was asked to bind it.
    Pending,
    Bound(SocketAddr),
}

impl Relayed {
    pub(super) const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Bound(address) => Some(address),
            Self::None | Self::Pending => None,
        }
    }
}

/// One allocation. The fields that every packet needs come first.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) client: ClientId,
    pub(super) active: Option<SocketAddr>,
    /// Until when both the former active destination and the new one send indications.
    pub(super) transition: Option<Instant>,
    pub(super) permissions: Vec<SocketAddr>,
    pub(super) expires: Instant,
    pub(super) life: Duration,
    pub(super) key: IntegrityKey,
    pub(super) username: Box<[u8]>,
    pub(super) window: ReplayWindow,
    pub(super) connection_id: [u8; 20],
    pub(super) ipv4: Relayed,
    pub(super) ipv6: Relayed,
    /// Where the client is seen; over TCP too.
    pub(super) reflexive: SocketAddr,
    pub(super) session: Option<MultiplexedTurnSessionId>,
    /// Whether the client sends frames of multiplexed TURN, and so gets them.
    pub(super) multiplexed: bool,
    pub(super) lifetime: Lifetime,
    /// The request that is to be answered when the ports are bound, or the response to the last request.
    pub(super) last: Exchange,
    pub(super) peers: Vec<PeerConnectionId>,
    /// To the peers and from them; set when bandwidth is reserved through this relay.
    pub(super) rates: Option<Box<(RateLimit, RateLimit)>>,
    /// The entry of the timer queue that counts.
    pub(super) timer: Instant,
}

/// The last request and its response.
#[derive(Debug, Default)]
pub(super) enum Exchange {
    /// While it is being answered.
    #[default]
    None,
    /// The ports have to be bound first.
    Pending(Box<PendingResponse>),
    Answered {
        id: TransactionId,
        response: Box<[u8]>,
    },
}

/// What a response needs from its request.
#[derive(Clone, Debug)]
pub(super) struct PendingResponse {
    pub(super) id: TransactionId,
    /// The request's number; the response repeats it.
    pub(super) sequence: Option<u32>,
    /// What the client wants, in kbit/s.
    pub(super) bandwidth: Option<u32>,
    /// What it asks the policy.
    pub(super) policy: Option<crate::bandwidth::Request>,
}

impl Allocation {
    pub(super) fn relayed(&self, family: AddressFamily) -> Relayed {
        match family {
            AddressFamily::Ipv4 => self.ipv4,
            AddressFamily::Ipv6 => self.ipv6,
        }
    }

    pub(super) fn relayed_mut(&mut self, family: AddressFamily) -> &mut Relayed {
        match family {
            AddressFamily::Ipv4 => &mut self.ipv4,
            AddressFamily::Ipv6 => &mut self.ipv6,
        }
    }

    /// Whether all ports are there that were asked for.
    pub(super) fn is_ready(&self) -> bool {
        self.ipv4 != Relayed::Pending && self.ipv6 != Relayed::Pending
    }

    /// Traffic and requests keep it alive.
    pub(super) fn touch(&mut self, now: Instant) {
        self.expires = now + self.life;
    }

    pub(super) fn permits(&self, rule: PermissionRule, peer: SocketAddr) -> bool {
        self.permissions.iter().any(|permitted| match rule {
            PermissionRule::Address => permitted.ip() == peer.ip(),
            PermissionRule::AddressAndPort => *permitted == peer,
        })
    }

    /// Opens for a peer; `false` if there are too many.
    pub(super) fn permit(&mut self, rule: PermissionRule, limit: usize, peer: SocketAddr) -> bool {
        if self.permits(rule, peer) {
            return true;
        }
        if self.permissions.len() >= limit {
            return false;
        }
        self.permissions.push(peer);
        true
    }

    /// Whether data from this peer goes to the client without headers.
    pub(super) fn is_active(&mut self, now: Instant, peer: SocketAddr) -> bool {
        self.transition = self.transition.filter(|&until| until > now);
        self.active == Some(peer) && self.transition.is_none()
    }

    /// Makes a peer the active destination; `false` while a former change is in progress.
    pub(super) fn activate(
        &mut self,
        now: Instant,
        transition: Duration,
        peer: SocketAddr,
    ) -> bool {
        self.transition = self.transition.filter(|&until| until > now);
        match self.active {
            Some(active) if active == peer => {}
            Some(_) if self.transition.is_some() => return false,
            Some(_) if !transition.is_zero() => self.transition = Some(now + transition),
            _ => {}
        }
        self.active = Some(peer);
        true
    }

    pub(super) fn sequence(&self, number: Option<u32>) -> MsSequenceNumber {
        MsSequenceNumber {
            connection_id: self.connection_id,
            sequence_number: number.unwrap_or(self.window.highest),
        }
    }
}

/// Which sequence numbers there were: the highest, and which of the 64 up to it.
///
/// Datagrams may overtake each other, so a lower number is not a repetition by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReplayWindow {
    highest: u32,
    /// Bit `n` is set if `highest - n` was there.
    seen: u64,
}

impl ReplayWindow {
    /// Takes a number; `false` if it was there before or is too old to know.
    pub(super) fn accept(&mut self, number: u32) -> bool {
        if number > self.highest {
            let ahead = number - self.highest;
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = number;
            return true;
        }
        let behind = self.highest - number;
        let Some(bit) = 1u64.checked_shl(behind) else {
            return false;
        };
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_lets_each_number_through_once() {
        let mut window = ReplayWindow::default();
        assert!(window.accept(1));
        assert!(!window.accept(1));
        assert!(window.accept(4));
        assert!(window.accept(2));
        assert!(window.accept(3));
        assert!(!window.accept(2));
        assert!(window.accept(67));
        assert!(!window.accept(3), "64 behind");
        assert!(!window.accept(4), "63 behind and seen");
        assert!(window.accept(5));
        assert!(window.accept(u32::MAX));
        assert!(!window.accept(67));
        assert!(window.accept(u32::MAX - 63));
    }
}
