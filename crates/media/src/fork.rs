//! What is known of one peer.

use ocs_ice::{Component, Description, Failure, ForkId, SelectedPair};
use ocs_sdpext::negotiation::Negotiated;

use crate::keys::Opener;

/// A fork: one early dialog, or the only one of a callee.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) id: ForkId,
    pub(crate) negotiated: Negotiated,
    /// None: packets come in clear.
    pub(crate) opener: Option<Opener>,
    /// Whether ICE knows the peer. It does not as long as a peer without ICE gives no address.
    pub(crate) joined: bool,
    /// Components on which media can be sent.
    usable: [bool; 2],
    /// The last pairs that carried them.
    pairs: [Option<SelectedPair>; 2],
    told: bool,
    pub(crate) connected: bool,
    pub(crate) failure: Option<Failure>,
    /// A final description that names pairs which are not valid here yet.
    pub(crate) pending: Option<Description>,
}

impl Fork {
    pub(crate) const fn new(
        id: ForkId,
        negotiated: Negotiated,
        opener: Option<Opener>,
        joined: bool,
    ) -> Self {
        Self {
            id,
            negotiated,
            opener,
            joined,
            usable: [false; 2],
            pairs: [None; 2],
            told: false,
            connected: false,
            failure: None,
            pending: None,
        }
    }

    /// The component that carries RTCP.
    pub(crate) const fn control(&self) -> Component {
        if self.negotiated.rtcp_mux {
            Component::Rtp
        } else {
            Component::Rtcp
        }
    }

    pub(crate) fn set_usable(&mut self, component: Component) {
        self.usable[place(component)] = true;
    }

    pub(crate) const fn set_pair(&mut self, component: Component, pair: SelectedPair) {
        self.pairs[place(component)] = Some(pair);
    }

    pub(crate) const fn pair(&self, component: Component) -> Option<SelectedPair> {
        self.pairs[place(component)]
    }

    pub(crate) const fn is_usable(&self, component: Component) -> bool {
        self.usable[place(component)]
    }

    /// Whether media and its reports can flow.
    pub(crate) const fn is_ready(&self) -> bool {
        self.is_usable(Component::Rtp) && self.is_usable(self.control())
    }

    /// Whether media can flow, which is told once.
    pub(crate) fn becomes_usable(&mut self) -> bool {
        self.is_ready() && !core::mem::replace(&mut self.told, true)
    }

    /// Nothing can flow any longer.
    pub(crate) const fn lose_way(&mut self) {
        self.usable = [false; 2];
        self.told = false;
    }
}

const fn place(component: Component) -> usize {
    match component {
        Component::Rtp => 0,
        Component::Rtcp => 1,
    }
}
