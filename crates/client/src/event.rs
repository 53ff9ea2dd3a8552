//! What a user agent asks for and what it tells.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_avedgea::client::{Access, Failure as RelayFailure};
use ocs_conmgmt::Query;
use ocs_pres::category::State;
use ocs_pres::client::{Status, WriteId};
use ocs_pres::doc::SourceNetwork;
use ocs_sdpext::negotiation::OfferedStream;
use ocs_sip_core::{Aor, ConnectionId, Transport};
use ocs_siprege::contacts::{Change, CommandId, Failure as ContactFailure, GroupId};
use ocs_siprege::notify::RegistrationEvent;
use ocs_xml::SmolStr;

use crate::CallId;

/// What the caller must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Look this up, then call [`UserAgent::handle_answer`](crate::UserAgent::handle_answer).
    Resolve(Query),
    /// Connect, with a TLS handshake if `transport` says so, then call
    /// [`UserAgent::handle_connected`](crate::UserAgent::handle_connected) or
    /// [`UserAgent::handle_connect_failed`](crate::UserAgent::handle_connect_failed).
    Connect {
        /// The name of the connection from now on.
        connection: ConnectionId,
        /// TLS or TCP.
        transport: Transport,
        /// The server's name, for SNI and the certificate.
        host: String,
        /// Where to.
        address: SocketAddr,
    },
    /// Write these octets.
    Send {
        /// Where to.
        connection: ConnectionId,
        /// What.
        data: Bytes,
    },
    /// Close the connection once everything is written, or stop connecting.
    Close {
        /// Which.
        connection: ConnectionId,
    },
}

/// Names a text that was sent, for its delivery report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub u64);

/// Names a SERVICE of the application's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(pub u64);

/// A step of the bootstrap: a question and its answer (\[MS-OCSPROT\] 2.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Steps 1 and 2: the server's configuration.
    Provisioning,
    /// Steps 3 and 4: contacts and groups. Refused with 488 the contacts are in Exchange.
    Contacts,
    /// Steps 5 and 6: the user's own presence.
    OwnPresence,
    /// Steps 7 and 8: the location profile.
    LocationProfile,
    /// Steps 9 and 10: conferencing servers.
    Conferencing,
    /// Steps 11 and 12: credentials of the media relay.
    MediaRelay,
    /// Steps 13 and 14: the endpoint's presence is published.
    Publication,
    /// Steps 15 and 16: the presence of the contacts.
    ContactsPresence,
}

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Connected to a server; signing in.
    Connected {
        /// Its name.
        host: String,
        /// Its address.
        address: SocketAddr,
        /// TCP or TLS.
        transport: Transport,
        /// Whether the connection is compressed (\[MS-SIPCOMP\]).
        compressed: bool,
    },
    /// Registered.
    SignedIn {
        /// The GRUU of this endpoint.
        gruu: Option<String>,
        /// Life of the registration in seconds; it is refreshed by itself.
        expires: u32,
        /// Connected from outside, through an Edge server.
        remote_user: bool,
    },
    /// Could not sign in, or may not stay signed in; nothing more happens until
    /// [`UserAgent::sign_in`](crate::UserAgent::sign_in).
    SignInFailed(Failure),
    /// The connection is gone; it is made again by itself.
    Reconnecting {
        /// When the next attempt begins, if there is a pause.
        until: Option<Instant>,
    },
    /// The server ended or changed the registration.
    Registration {
        /// What it said.
        event: RegistrationEvent,
        /// Its explanation.
        reason: Option<String>,
    },
    /// Signed out at our wish.
    SignedOut,
    /// A step of the bootstrap was answered.
    StepAnswered {
        /// Which.
        step: Step,
    },
    /// A step of the bootstrap was refused; the others go on. A subscription that may succeed later is tried again by itself.
    StepRefused {
        /// Which.
        step: Step,
        /// The status of the answer; 408 when none came, 400 when it could not be understood.
        status: u16,
        /// The server's explanation.
        reason: String,
    },
    /// Every step of the bootstrap that the server offers was answered or refused. It comes again after each new registration.
    Bootstrapped,
    /// There are credentials for the media relay, in place of those before; calls that are up keep theirs. They are
    /// [`UserAgent::relay_access`](crate::UserAgent::relay_access) too. The password does not show in `Debug`.
    RelayGranted(Box<Access>),
    /// Later than in the bootstrap, where it is a [`StepRefused`](Self::StepRefused), a request for credentials gave none. Those that there
    /// are stay valid until they end.
    RelayRefused(RelayFailure),
    /// The credentials for the media relay have ended, and no new ones came: calls work without relay.
    RelayExpired,
    /// The answer to [`UserAgent::send_service`](crate::UserAgent::send_service).
    ServiceAnswered {
        /// To which.
        id: ServiceId,
        /// The status; 408 when no answer came.
        status: u16,
        /// The type of the body.
        content_type: Option<String>,
        /// The body.
        body: Bytes,
    },
    /// The contact list changed, or was read: then each group and contact comes as added.
    ContactsChanged(Change),
    /// A command for the contact list was carried out.
    ContactsWritten {
        /// Which.
        id: CommandId,
        /// The number of a new group.
        group: Option<GroupId>,
    },
    /// A command for the contact list was not carried out.
    ContactsRefused {
        /// Which.
        id: CommandId,
        /// Why.
        failure: ContactFailure,
    },
    /// The contacts are in Exchange, or changed there: read them there.
    ContactsElsewhere,
    /// Somebody's presence changed.
    PresenceChanged {
        /// Whose.
        of: Aor,
        /// In which categories; [`UserAgent::presence`](crate::UserAgent::presence) has them.
        categories: Vec<SmolStr>,
        /// The state; none where there is none to see.
        state: Option<Box<State>>,
        /// The text of the note; none where there is none to see.
        note: Option<SmolStr>,
    },
    /// The subscription to somebody's presence changed.
    WatchChanged {
        /// Whose.
        of: Aor,
        /// How it stands.
        status: Status,
    },
    /// The user's own presence changed, also by other endpoints.
    OwnPresenceChanged {
        /// In which categories; [`UserAgent::own_presence`](crate::UserAgent::own_presence) has them.
        categories: Vec<SmolStr>,
    },
    /// A command for the user's own presence or containers was carried out.
    PresenceWritten {
        /// Which.
        id: WriteId,
    },
    /// A command for the user's own presence or containers was refused.
    PresenceRefused {
        /// Which.
        id: WriteId,
        /// The status; 408 when no answer came.
        status: u16,
    },
    /// Somebody added the user to his contacts: allow or block him, and
    /// [`acknowledge`](crate::UserAgent::acknowledge).
    SubscriberPending {
        /// Who.
        user: Aor,
        /// His name.
        display_name: Option<SmolStr>,
        /// From where he comes.
        network: Option<SourceNetwork>,
    },
    /// Somebody wants to talk. With [`Config::auto_accept`](crate::Config::auto_accept) this is followed by
    /// [`ConversationStarted`](Self::ConversationStarted).
    Invited {
        /// Who, as the server asserts.
        from: Aor,
        /// His display name.
        display_name: Option<String>,
        /// The first text, if it came with the invitation. It comes again as [`Text`](Self::Text).
        preview: Option<String>,
    },
    /// A conversation is up.
    ConversationStarted {
        /// With whom.
        with: Aor,
    },
    /// A text came.
    Text {
        /// From whom.
        from: Aor,
        /// Its media type.
        content_type: String,
        /// The text.
        text: String,
    },
    /// The other side types, or stopped typing.
    Typing {
        /// Who.
        from: Aor,
        /// Whether he types.
        active: bool,
    },
    /// A text of ours arrived.
    Delivered {
        /// To whom.
        to: Aor,
        /// Which.
        id: TextId,
    },
    /// A text of ours did not arrive.
    NotDelivered {
        /// To whom.
        to: Aor,
        /// Which.
        id: TextId,
        /// The status of the answer; 408 when none came.
        status: u16,
        /// What it means.
        reason: String,
    },
    /// Somebody calls. It rings, is answered and declined by [`UserAgent::command_call`](crate::UserAgent::command_call).
    CallInvited {
        /// The call.
        id: CallId,
        /// Who, as the server asserts: a URI.
        from: String,
        /// His display name.
        display_name: Option<String>,
        /// What he offers.
        streams: Vec<OfferedStream>,
        /// The call that this one takes the place of: it ends once this one is answered (RFC 3891). To be answered without asking the user.
        replaces: Option<CallId>,
    },
    /// Something happened in a call.
    Call {
        /// Which.
        id: CallId,
        /// What.
        event: ocs_call::Event,
    },
    /// A report of the quality of a call was taken, or is lost (\[MS-QoE\]).
    QualityReported(ocs_qoe::client::Event),
    /// A conversation is over.
    ConversationEnded {
        /// With whom.
        with: Aor,
        /// Whether another endpoint of the user took it.
        elsewhere: bool,
    },
}

/// Why signing in failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No server was found, or none could be connected to.
    #[error("no server could be reached ({tried} tried)")]
    NoServer {
        /// How many were tried.
        tried: usize,
    },
    /// The server does not know the account or its password, or offers no scheme that we have.
    #[error("authentication failed: {0}")]
    Authentication(String),
    /// The server refused the registration.
    #[error("refused with {status}: {reason}")]
    Refused {
        /// The status.
        status: u16,
        /// The explanation in the answer.
        reason: String,
    },
    /// The server ended the registration and does not want the user back by himself.
    #[error("signed out by the server")]
    Deregistered(RegistrationEvent),
    /// The server broke the protocol.
    #[error("protocol error: {0}")]
    Protocol(String),
}
