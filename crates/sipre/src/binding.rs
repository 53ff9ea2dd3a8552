//! Registrar bindings of the endpoints of users (RFC 3261 10.3, \[MS-SIPRE\] 3.2.5.1, 3.3.5.1, 3.4.5.1).

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use ocs_sip_core::syntax::quote_into;
use ocs_sip_core::uri::{Host, SipUri};
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Message};
use rustc_hash::FxHashMap;

use crate::flow::parse_cid;
use crate::gruu::{Gruu, Opaque, endpoint_gruu};
use crate::{EndpointId, Epid, Identity, Instance, Refusal};

/// Names a binding for as long as the table lives; ascending in the order of first registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BindingId(u64);

/// One registered endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The user.
    pub aor: Aor,
    /// The Contact URI to which requests are sent, after [`proxy=replace`](crate::contact).
    pub contact: String,
    /// The connection on which the endpoint is reached. `None` in a table that was read back from a database, or on another front end.
    pub connection: Option<ConnectionId>,
    /// The epid of its From, if it has one.
    pub epid: Option<Epid>,
    /// Its instance, given or derived.
    pub instance: Instance,
    /// The GRUU, if the endpoint asked for one with `gruu-10`.
    pub gruu: Option<String>,
    /// When it ends.
    pub expires_at: Instant,
    /// Preference in thousandths, 0 to 1000; 1000 when the Contact has none.
    pub q: u16,
    /// User-Agent.
    pub user_agent: Option<String>,
    /// The Contact parameter `methods`, without quotes; `None` when it was not given.
    pub methods: Option<String>,
    /// Supported, one option tag each.
    pub supported: Vec<String>,
    /// Call-ID of the REGISTER (RFC 3261 10.3 item 7).
    pub call_id: String,
    /// CSeq of the REGISTER.
    pub cseq: u32,
}

impl Binding {
    /// The binding that a REGISTER asks for, with a GRUU if the endpoint supports `gruu-10` (\[MS-SIPRE\] 3.4.5.1). Give it the request after
    /// [`replace_proxy`](crate::contact::replace_proxy), and the end of the registration after the registrar's own rules.
    ///
    /// Refuses with 400 what has no usable To, Contact, Call-ID or CSeq.
    pub fn from_register(
        register: &Message,
        identity: Identity,
        connection: Option<ConnectionId>,
        expires_at: Instant,
    ) -> Result<Self, Refusal> {
        let bad = |reason| move |_| Refusal::new(400, reason);
        let to = register.to_header().map_err(bad("malformed To"))?;
        let to = to.uri().map_err(bad("malformed To"))?;
        let aor = to.as_sip().and_then(SipUri::aor);
        let aor = aor.ok_or(Refusal::new(400, "To names no user"))?;
        let contact = register.contact().map_err(bad("malformed Contact"))?;
        SipUri::parse(contact.uri_text()).map_err(|_| Refusal::new(400, "malformed Contact"))?;
        let gruu = register
            .lists(HeaderName::Supported, "gruu-10")
            .then(|| endpoint_gruu(&aor, identity.instance));
        Ok(Self {
            contact: contact.uri_text().to_owned(),
            connection,
            epid: identity.epid,
            instance: identity.instance,
            gruu,
            expires_at,
            q: contact.q().unwrap_or(1000),
            user_agent: register.header(HeaderName::UserAgent).map(String::from),
            methods: contact
                .params()
                .get_unquoted("methods")
                .map(Cow::into_owned),
            supported: register
                .values(HeaderName::Supported)
                .map(String::from)
                .collect(),
            call_id: register.call_id().map_err(bad("no Call-ID"))?.to_owned(),
            cseq: register.cseq().map_err(bad("malformed CSeq"))?.number,
            aor,
        })
    }

    /// The Contact value of the 200 to REGISTER, with the seconds that are left at `now`.
    #[must_use]
    pub fn to_contact(&self, now: Instant) -> String {
        let left = self.expires_at.saturating_duration_since(now).as_secs();
        let mut out = format!(
            "<{}>;expires={left};+sip.instance={}",
            self.contact,
            self.instance.to_param()
        );
        if let Some(gruu) = &self.gruu {
            out.push_str(";gruu=");
            quote_into(gruu, &mut out);
        }
        out
    }

    /// Whether the endpoint is the one that `id` names.
    #[must_use]
    pub fn is(&self, id: &EndpointId) -> bool {
        match id {
            EndpointId::Epid(epid) => self.epid.as_ref() == Some(epid),
            EndpointId::Instance(instance) => self.instance == *instance,
        }
    }

    /// Whether the endpoint said that it takes requests of this method. One that gave no list takes all.
    #[must_use]
    pub fn allows(&self, method: &str) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.split(',').any(|name| name.trim() == method))
    }
}

/// Bounds of a [`Bindings`] table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Endpoints that one user may have at a time. Default 16.
    pub endpoints_per_user: usize,
    /// Bindings in the whole table. Default 1,000,000.
    pub bindings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            endpoints_per_user: 16,
            bindings: 1_000_000,
        }
    }
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// The endpoint was not there before.
    Added(BindingId),
    /// The endpoint's binding was replaced; its place in the order stays. Holds the old binding.
    Refreshed(BindingId, Box<Binding>),
    /// A REGISTER that is older than the one in the table: same Call-ID, CSeq not higher (RFC 3261 10.3 item 7: 500). Only on the same
    /// connection: clients exist that use the same Call-IDs again after each start.
    Stale,
    /// The user, or the table, has as many endpoints as [`Limits`] allow. Nothing was changed; answer 503.
    Full,
}

#[derive(Debug, Clone)]
struct Entry {
    id: BindingId,
    binding: Binding,
}

/// The table of all bindings of a registrar.
///
/// Lookups cost one hash of the AOR and a walk over the endpoints of that one user. Expiry and loss of a
/// connection touch only what they concern. Time comes from the caller.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    limits: Limits,
    next_id: u64,
    users: HashMap<Aor, Vec<Entry>>,
    owners: FxHashMap<BindingId, Aor>,
    connections: FxHashMap<ConnectionId, BTreeSet<BindingId>>,
    expiry: BTreeSet<(Instant, BindingId)>,
}

impl Bindings {
    /// An empty table.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// How many bindings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Adds a binding, or puts it in the place of the one that the same endpoint has.
    ///
    /// The same endpoint is one with the same instance, or with the same epid.
    pub fn insert(&mut self, binding: Binding) -> Registered {
        let entries = self
            .users
            .entry(binding.aor.clone())
            // Most users have one endpoint.
            .or_insert_with(|| Vec::with_capacity(1));
        let same = entries.iter().position(|entry| {
            let old = &entry.binding;
            old.instance == binding.instance || (old.epid.is_some() && old.epid == binding.epid)
        });
        if let Some(at) = same {
            let entry = &mut entries[at];
            let old = &entry.binding;
            let resent = old.connection == binding.connection && old.call_id == binding.call_id;
            if resent && binding.cseq <= old.cseq {
                return Registered::Stale;
            }
            let id = entry.id;
            let (expires_at, connection) = (binding.expires_at, binding.connection);
            let old = std::mem::replace(&mut entry.binding, binding);
            self.unlink(id, &old);
            self.link(id, expires_at, connection);
            return Registered::Refreshed(id, Box::new(old));
        }
        if entries.len() >= self.limits.endpoints_per_user
            || self.owners.len() >= self.limits.bindings
        {
            if entries.is_empty() {
                self.users.remove(&binding.aor);
            }
            return Registered::Full;
        }
        let id = BindingId(self.next_id);
        self.next_id += 1;
        self.owners.insert(id, binding.aor.clone());
        let (expires_at, connection) = (binding.expires_at, binding.connection);
        entries.push(Entry { id, binding });
        self.link(id, expires_at, connection);
        Registered::Added(id)
    }

    fn link(&mut self, id: BindingId, expires_at: Instant, connection: Option<ConnectionId>) {
        self.expiry.insert((expires_at, id));
        if let Some(connection) = connection {
            self.connections.entry(connection).or_default().insert(id);
        }
    }

    fn unlink(&mut self, id: BindingId, binding: &Binding) {
        self.expiry.remove(&(binding.expires_at, id));
        let Some(connection) = binding.connection else {
            return;
        };
        if let Some(ids) = self.connections.get_mut(&connection) {
            ids.remove(&id);
            if ids.is_empty() {
                self.connections.remove(&connection);
            }
        }
    }

    /// Removes a binding by its id.
    pub fn remove(&mut self, id: BindingId) -> Option<Binding> {
        let aor = self.owners.remove(&id)?;
        let entries = self.users.get_mut(&aor)?;
        let at = entries.iter().position(|entry| entry.id == id)?;
        let binding = entries.remove(at).binding;
        if entries.is_empty() {
            self.users.remove(&aor);
        }
        self.unlink(id, &binding);
        Some(binding)
    }

    /// Removes the binding of one endpoint (REGISTER with Expires 0).
    pub fn remove_endpoint(&mut self, aor: &Aor, endpoint: &EndpointId) -> Option<Binding> {
        let (id, _) = self.find(aor, endpoint)?;
        self.remove(id)
    }

    /// Removes every binding of a user (`Contact: *`), in order of registration.
    pub fn remove_user(&mut self, aor: &Aor) -> Vec<Binding> {
        let Some(entries) = self.users.remove(aor) else {
            return Vec::new();
        };
        for entry in &entries {
            self.owners.remove(&entry.id);
            self.unlink(entry.id, &entry.binding);
        }
        entries.into_iter().map(|entry| entry.binding).collect()
    }

    /// Removes every binding on a connection that is dead.
    pub fn remove_connection(&mut self, connection: ConnectionId) -> Vec<Binding> {
        let ids = self.connections.remove(&connection).unwrap_or_default();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Removes one binding whose time is over at `now`; call it until it gives `None`. Earliest first.
    pub fn pop_expired(&mut self, now: Instant) -> Option<Binding> {
        let &(expires_at, id) = self.expiry.first()?;
        if expires_at > now {
            return None;
        }
        self.remove(id)
    }

    /// When the next binding ends.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.expiry.first().map(|&(at, _)| at)
    }

    /// The binding of this id.
    #[must_use]
    pub fn get(&self, id: BindingId) -> Option<&Binding> {
        let aor = self.owners.get(&id)?;
        let entries = self.users.get(aor)?;
        entries
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| &entry.binding)
    }

    /// All endpoints of a user in the order in which they registered first.
    pub fn of_user(&self, aor: &Aor) -> impl Iterator<Item = (BindingId, &Binding)> {
        self.users
            .get(aor)
            .into_iter()
            .flatten()
            .map(|entry| (entry.id, &entry.binding))
    }

    /// One endpoint of a user.
    #[must_use]
    pub fn find(&self, aor: &Aor, endpoint: &EndpointId) -> Option<(BindingId, &Binding)> {
        self.of_user(aor).find(|(_, binding)| binding.is(endpoint))
    }

    /// The endpoint that a `user:epid:` GRUU names.
    #[must_use]
    pub fn by_gruu(&self, gruu: &Gruu<'_>) -> Option<(BindingId, &Binding)> {
        let Opaque::UserEpid(_) = gruu.opaque else {
            return None;
        };
        let instance = gruu.opaque.instance().ok()?;
        self.find(&gruu.aor, &EndpointId::Instance(instance))
    }

    /// The endpoint of `aor` that a Contact URI without GRUU leads to: by its `ms-received-cid`, or by `maddr` (else host) and port of the
    /// registered Contact.
    #[must_use]
    pub fn by_contact(&self, aor: &Aor, contact: &SipUri<'_>) -> Option<(BindingId, &Binding)> {
        if let Some(cid) = contact.params().get("ms-received-cid") {
            let connection = parse_cid(cid)?;
            return self
                .of_user(aor)
                .find(|(_, binding)| binding.connection == Some(connection));
        }
        self.of_user(aor).find(|(_, binding)| {
            SipUri::parse(&binding.contact).is_ok_and(|own| same_place(&own, contact))
        })
    }

    /// Every endpoint on a connection, in order of registration.
    pub fn on_connection(
        &self,
        connection: ConnectionId,
    ) -> impl Iterator<Item = (BindingId, &Binding)> {
        self.connections
            .get(&connection)
            .into_iter()
            .flatten()
            .filter_map(|&id| Some((id, self.get(id)?)))
    }

    /// Every binding, in no order: for a store that writes the table out.
    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.users.values().flatten().map(|entry| &entry.binding)
    }
}

/// Whether two Contact URIs lead to one socket.
fn same_place(a: &SipUri<'_>, b: &SipUri<'_>) -> bool {
    place(a).is_some_and(|place_a| {
        place(b).is_some_and(|place_b| place_a.0.equivalent(&place_b.0) && place_a.1 == place_b.1)
    })
}

fn place<'a>(uri: &SipUri<'a>) -> Option<(Host<'a>, Option<u16>)> {
    let host = match uri.params().get("maddr") {
        Some(maddr) => Host::parse(maddr)?,
        None => uri.host(),
    };
    Some((host, uri.port()))
}
