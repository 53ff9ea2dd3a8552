//! What crosses the boundary of the enterprise (\[MS-OCSPROT\] 2.9.1.4, \[MS-OCER\] 2.2.1.2), and what a hop adds to a failure that
//! says nothing.

use ocs_sip_core::{HeaderName, Message};

use crate::{Diagnostics, DiagnosticsWriter, ErrorId, Kind, diagnostics_of};

/// Who gets a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A server or authenticated user of the enterprise, wherever he sits.
    Inside,
    /// A federated partner or a provider of public IM.
    External,
    /// A user who is not authenticated.
    Unauthenticated,
}

/// What an administrator lets out. The default lets nothing out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// `SendToExternalNetworks`: private diagnostics go to [`Peer::External`].
    pub send_to_external_networks: bool,
    /// `SendToOutsideUnauthenticatedUsers`: private diagnostics go to [`Peer::Unauthenticated`].
    pub send_to_outside_unauthenticated_users: bool,
}

impl Policy {
    const fn lets_out(self, peer: Peer) -> bool {
        match peer {
            Peer::Inside => true,
            Peer::External => self.send_to_external_networks,
            Peer::Unauthenticated => self.send_to_outside_unauthenticated_users,
        }
    }
}

/// Takes private diagnostics off a message on its way to `peer`; says whether anything was changed.
///
/// ms-diagnostics and ms-client-diagnostics go, all lines of them. If the message then says nothing of the failure, and the number of
/// ms-diagnostics may be public, ms-diagnostics-public takes its place: with the number and the text of the table only, as other
/// parameters, and the words of a reason too, may name what is inside. Of ms-diagnostics-public one line stays, without `source`, and none in a
/// message where it has no meaning.
///
/// A body is not looked into: a delivery notification may hold diagnostics as well.
pub fn strip_private(message: &mut Message, peer: Peer, policy: Policy) -> bool {
    // Most messages have none.
    if policy.lets_out(peer) || !has_diagnostics(message) {
        return false;
    }
    let public = public_line(message);
    let kept = matches!(public, Public::AsItIs);
    let mut removed = message.remove_all(&[Kind::Private.name(), Kind::Client.name()]);
    if !kept {
        removed += message.remove(Kind::Public.name());
    }
    if let Public::New(writer) = &public {
        writer.put(message);
    }
    removed > 0
}

/// What becomes of ms-diagnostics-public.
enum Public {
    AsItIs,
    New(DiagnosticsWriter),
    None,
}

fn public_line(message: &Message) -> Public {
    if !Kind::Public.stands_in(message) {
        return Public::None;
    }
    let mut lines = message.lines(Kind::Public.name());
    if let Some(line) = lines.next() {
        let Ok(value) = Diagnostics::parse(line) else {
            // What cannot be read cannot be vouched for.
            return Public::None;
        };
        let is_single = lines.next().is_none() && Diagnostics::parse_list(line).count() == 1;
        if is_single && value.source().is_none() {
            return Public::AsItIs;
        }
        let reason = value.reason().unwrap_or_default();
        return Public::New(DiagnosticsWriter::new(
            Kind::Public,
            value.error_id,
            &reason,
        ));
    }
    let id = diagnostics_of(message)
        .find(|(kind, _)| *kind == Kind::Private)
        .map(|(_, value)| value.error_id);
    match id.filter(|id| id.is_public()) {
        Some(id) => {
            let reason = id.reason().unwrap_or_default();
            Public::New(DiagnosticsWriter::new(Kind::Public, id, reason))
        }
        None => Public::None,
    }
}

fn has_diagnostics(message: &Message) -> bool {
    Kind::ALL
        .iter()
        .any(|kind| message.header(kind.name()).is_some())
}

/// Takes off a client's message what only servers say: ms-diagnostics and ms-diagnostics-public (2.2.1.2; for ms-diagnostics inferred). Says how
/// many lines went. Endpoints of trusted applications are no clients in this sense.
pub fn strip_from_client(message: &mut Message) -> usize {
    message.remove_all(&[HeaderName::MsDiagnostics, HeaderName::MsDiagnosticsPublic])
}

/// Whom a response came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PreviousHop {
    /// A server of the enterprise.
    Server,
    /// A federated partner.
    FederatedPeer,
    /// A provider of public IM.
    PublicIm,
    /// A server that shares the address space.
    SharedAddressSpace,
    /// A client.
    Client,
}

impl PreviousHop {
    /// The number that says that it was silent.
    #[must_use]
    pub const fn silent(self) -> ErrorId {
        match self {
            Self::Server => ErrorId::PREVIOUS_HOP_SILENT,
            Self::FederatedPeer => ErrorId::FEDERATED_PEER_SILENT,
            Self::PublicIm => ErrorId::PUBLIC_IM_SILENT,
            Self::SharedAddressSpace => ErrorId::SHARED_ADDRESS_SPACE_SILENT,
            Self::Client => ErrorId::CLIENT_SILENT,
        }
    }
}

/// Adds ms-diagnostics to a final failure that came without any; says whether it did. `fqdn` is the name of the server that adds it.
pub fn note_silence(response: &mut Message, from: PreviousHop, fqdn: &str) -> bool {
    let is_failure = response.status().is_some_and(|status| status >= 400);
    if !is_failure || has_diagnostics(response) {
        return false;
    }
    DiagnosticsWriter::of_server(from.silent(), fqdn).put(response);
    true
}
