//! Calls: each an [`ocs_call::Call`] over the transactions of the user agent.

mod incoming;
mod requests;
mod transfer;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use ocs_call::{Call, Config as CallConfig, Direction, RequestId, State, TransactionId, Transfer};
use ocs_ocer::{DiagnosticsWriter, ErrorId, Kind};
use ocs_sdpext::negotiation::{EncryptionPolicy, Stream, Transport};
use ocs_sip_core::transaction::{ClientId, ServerId};
use ocs_sip_core::uri::SipUri;
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_sipre::headers::new_conversation_id;
use ocs_siprege::provisioning::AvEncryption;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::{Error, UserAgent};

/// Names a call of a user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub(crate) u64);

/// What may be said of a call besides its streams.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    /// `Ms-Conversation-ID`: the conversation that the call belongs to; a new one without it.
    pub conversation_id: Option<String>,
    /// Transports of \[MS-ICE\] for an offer in two forms, for the streams from the first on
    /// ([`Session::offer_with_fallback`](ocs_sdpext::negotiation::Session::offer_with_fallback)); none: one form.
    pub fallback: Vec<Transport>,
    /// The value of `Replaces`: the dialog that the callee ends for this one (RFC 3891).
    pub replaces: Option<String>,
    /// The value of `Referred-By`: who asked for the call (RFC 3892).
    pub referred_by: Option<String>,
    /// Other headers of the INVITE, such as `ms-subnet` and `ms-endpoint-location-data`.
    pub headers: Vec<(String, String)>,
}

/// What a BYE says when the user hangs up (CALL-FLOWS 2.5.15, \[MS-OCER\]).
pub(crate) fn by_user() -> DiagnosticsWriter {
    DiagnosticsWriter::new(Kind::Client, ErrorId(51004), "Action initiated by user")
}

/// A call and its transactions.
#[derive(Debug)]
pub(super) struct Line {
    call: Call<ChaCha20Rng>,
    clients: HashMap<RequestId, ClientId>,
    servers: HashMap<TransactionId, ServerId>,
    /// The call that this one takes the place of once it is answered.
    replaces: Option<CallId>,
    /// The call whose peer asked for this one, and hears of its progress.
    referrer: Option<CallId>,
    /// Whom the peer wants to be called, and by whose wish.
    referral: Option<(Transfer, Option<String>)>,
}

impl Line {
    fn new(call: Call<ChaCha20Rng>) -> Self {
        Self {
            call,
            clients: HashMap::new(),
            servers: HashMap::new(),
            replaces: None,
            referrer: None,
            referral: None,
        }
    }
}

/// All calls of a user agent.
#[derive(Debug, Default)]
pub(super) struct Calls {
    lines: BTreeMap<CallId, Line>,
    next: u64,
}

impl Calls {
    fn insert(&mut self, line: Line) -> CallId {
        self.next += 1;
        let id = CallId(self.next);
        self.lines.insert(id, line);
        id
    }

    fn of_request(&self, request: &Message) -> Option<CallId> {
        let mut all = self.lines.iter();
        let (id, _) = all.find(|(_, line)| line.call.matches(request))?;
        Some(*id)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for line in self.lines.values_mut() {
            line.call.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let all = self.lines.values();
        all.filter_map(|line| line.call.poll_timeout()).min()
    }

    /// A request went out again under another transaction.
    pub(super) fn moved(&mut self, call: CallId, request: RequestId, client: ClientId) {
        if let Some(line) = self.lines.get_mut(&call) {
            line.clients.insert(request, client);
        }
    }
}

impl UserAgent {
    /// Calls a SIP URI: that of a user, or of a telephone number as `sip:+14255550100@contoso.com;user=phone`. The streams have the
    /// transports that ICE has gathered. What becomes of it comes as [`Event::Call`](crate::Event::Call).
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::TooManyCalls`], [`Error::Target`]; [`Error::Call`] if the streams cannot be offered.
    pub fn place_call(
        &mut self,
        now: Instant,
        to: &str,
        streams: Vec<Stream>,
        options: CallOptions,
    ) -> Result<CallId, Error> {
        if !self.is_signed_in() {
            return Err(Error::NotSignedIn);
        }
        let limit = self.config.calls.limit;
        if self.calls.lines.len() >= limit {
            return Err(Error::TooManyCalls { limit });
        }
        SipUri::parse(to).map_err(|_| Error::Target)?;
        let mut invite = self.new_request(Method::Invite, to);
        let identity = format!("<{}>", self.config.aor.to_uri());
        invite.push(HeaderName::PPreferredIdentity, &identity);
        let conversation = options.conversation_id;
        let conversation = conversation.unwrap_or_else(|| new_conversation_id(&mut self.rng));
        invite.push(HeaderName::MsConversationId, &conversation);
        for (name, value) in [
            (HeaderName::Replaces, options.replaces),
            (HeaderName::ReferredBy, options.referred_by),
        ] {
            if let Some(value) = value {
                invite.push(name, &value);
            }
        }
        for (name, value) in &options.headers {
            invite.push_named(name, value);
        }
        let rng = ChaCha20Rng::from_rng(&mut self.rng);
        let config = self.call_config();
        let call = Call::outgoing(now, config, invite, streams, &options.fallback, rng)?;
        let id = self.calls.insert(Line::new(call));
        self.settle(now);
        Ok(id)
    }

    /// A call: its state, its dialogs, what was agreed on. One that is over is there until the next input after its last event was taken.
    #[must_use]
    pub fn call(&self, id: CallId) -> Option<&Call<ChaCha20Rng>> {
        Some(&self.calls.lines.get(&id)?.call)
    }

    /// The calls that are not over.
    pub fn calls(&self) -> impl Iterator<Item = CallId> {
        self.calls.lines.keys().copied()
    }

    /// Gives a call a command.
    ///
    /// # Errors
    /// [`Error::NoCall`]; [`Error::Call`] of the command itself.
    pub fn command_call<T>(
        &mut self,
        now: Instant,
        id: CallId,
        command: impl FnOnce(&mut Call<ChaCha20Rng>) -> Result<T, ocs_call::Error>,
    ) -> Result<T, Error> {
        let line = self.calls.lines.get_mut(&id).ok_or(Error::NoCall)?;
        let result = command(&mut line.call);
        self.settle(now);
        Ok(result?)
    }

    fn call_config(&self) -> CallConfig {
        let mut config = self.config.calls.call.clone();
        config.contact = self.contact();
        config.user_agent.clone_from(&self.config.user_agent);
        if self.config.calls.encryption_of_server
            && let Some(settings) = self.settings()
        {
            config.negotiation.encryption = match settings.encryption() {
                AvEncryption::Support => EncryptionPolicy::Support,
                AvEncryption::DoNotSupport => EncryptionPolicy::DoNotSupport,
                _ => EncryptionPolicy::Require,
            };
        }
        config
    }

    /// Calls that ring here end with the connection: nobody can cancel them any more. Those that are up go on.
    pub(super) fn drop_ringing_calls(&mut self, now: Instant) {
        for line in self.calls.lines.values_mut() {
            let rings = matches!(
                line.call.state(),
                State::Calling | State::Ringing | State::Early
            );
            if rings && line.call.direction() == Direction::Incoming {
                line.call.hang_up(now, None);
            }
        }
        self.drive_calls(now);
    }

    /// Ends all calls, because the user leaves.
    pub(super) fn end_all_calls(&mut self, now: Instant) {
        for line in self.calls.lines.values_mut() {
            line.call.hang_up(now, Some(&by_user()));
        }
        self.drive_calls(now);
    }
}
