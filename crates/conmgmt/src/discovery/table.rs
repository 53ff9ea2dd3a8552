//! The names and ports that clients try, in order. The one place for what differs between clients.

use ocs_sip_core::Transport;

/// Which client's list of names is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NameSet {
    /// The desktop clients from Office Communicator 2007 R2: three SRV names, of which the first that exists is
    /// the only one used; without any, `sipinternal`, `sip`, `sipexternal`.
    ///
    /// Order of names from the product's documentation. The ports of the three names, 5061 then 443, are those
    /// documented for Communicator Phone Edition; that desktop clients use the same is (inferred).
    #[default]
    Product,
    /// Communicator Phone Edition of 2007 R2 (documented): as [`Product`](Self::Product) with `_sip._tls` before
    /// `_sipinternal._tcp`.
    Phone,
    /// Everything that some client tries: also `_sip._tcp`, `sip` after `sipexternal` with port 443 first
    /// (as SIPE), at last the domain itself; and all SRV names that exist, not only the first.
    Wide,
}

/// One SRV name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SrvRow {
    /// What stands before `.<domain>`.
    pub(super) prefix: &'static str,
    pub(super) transport: Transport,
}

/// One host name that is tried without SRV records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameRow {
    /// The label before the domain, empty for the domain itself.
    pub(super) label: &'static str,
    pub(super) ports: &'static [(Transport, u16)],
}

/// What one client tries.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) srv: &'static [SrvRow],
    /// Only the first SRV name that exists is used, and with one no host names.
    pub(super) first_set_only: bool,
    pub(super) names: &'static [NameRow],
}

const fn srv(prefix: &'static str, transport: Transport) -> SrvRow {
    SrvRow { prefix, transport }
}

const fn name(label: &'static str, ports: &'static [(Transport, u16)]) -> NameRow {
    NameRow { label, ports }
}

const INTERNAL_TLS: SrvRow = srv("_sipinternaltls._tcp", Transport::Tls);
const INTERNAL_TCP: SrvRow = srv("_sipinternal._tcp", Transport::Tcp);
const EXTERNAL_TLS: SrvRow = srv("_sip._tls", Transport::Tls);
const EXTERNAL_TCP: SrvRow = srv("_sip._tcp", Transport::Tcp);

const INTERNAL_FIRST: &[(Transport, u16)] = &[(Transport::Tls, 5061), (Transport::Tls, 443)];
const EXTERNAL_FIRST: &[(Transport, u16)] = &[(Transport::Tls, 443), (Transport::Tls, 5061)];
const INTERNAL_OR_TCP: &[(Transport, u16)] = &[
    (Transport::Tls, 5061),
    (Transport::Tls, 443),
    (Transport::Tcp, 5060),
];

const PRODUCT_NAMES: &[NameRow] = &[
    name("sipinternal", INTERNAL_OR_TCP),
    name("sip", INTERNAL_FIRST),
    name("sipexternal", INTERNAL_FIRST),
];

static PRODUCT: Table = Table {
    srv: &[INTERNAL_TLS, INTERNAL_TCP, EXTERNAL_TLS],
    first_set_only: true,
    names: PRODUCT_NAMES,
};

static PHONE: Table = Table {
    srv: &[INTERNAL_TLS, EXTERNAL_TLS, INTERNAL_TCP],
    first_set_only: true,
    names: PRODUCT_NAMES,
};

static WIDE: Table = Table {
    srv: &[INTERNAL_TLS, INTERNAL_TCP, EXTERNAL_TLS, EXTERNAL_TCP],
    first_set_only: false,
    names: &[
        name("sipinternal", INTERNAL_OR_TCP),
        name("sipexternal", EXTERNAL_FIRST),
        name("sip", EXTERNAL_FIRST),
        name("", &[(Transport::Tls, 5061)]),
    ],
};

impl NameSet {
    pub(super) fn table(self) -> &'static Table {
        match self {
            Self::Product => &PRODUCT,
            Self::Phone => &PHONE,
            Self::Wide => &WIDE,
        }
    }
}
