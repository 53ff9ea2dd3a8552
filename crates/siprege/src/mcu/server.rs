//! The focus factory, as far as it tells what there is.

use ocs_ocer::ErrorId;
use ocs_sip_core::uri::{SipUri, Uri};
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_sipre::gruu::{Gruu, Opaque};
use ocs_xml::{Limits, SmolStr};

use super::{CONTENT_TYPE, Command, McuList, Question, Reply};
use crate::registrar::Refusal;

/// What users may have conferences in.
pub trait Capabilities {
    /// Of one user; `None`: he may not.
    fn of_user(&self, aor: &Aor) -> Option<McuList>;
}

/// The same for all.
impl Capabilities for McuList {
    fn of_user(&self, _aor: &Aor) -> Option<McuList> {
        Some(self.clone())
    }
}

/// Answers a SERVICE to a focus factory (\[MS-CONFPRO\] 3).
#[derive(Debug, Clone)]
pub struct FocusFactory<C> {
    fqdn: String,
    capabilities: C,
    /// Bounds of a question. Default 64 KiB.
    pub limits: Limits,
}

impl<C: Capabilities> FocusFactory<C> {
    /// A focus factory of a server with this name.
    pub fn new(fqdn: impl Into<String>, capabilities: C) -> Self {
        Self {
            fqdn: fqdn.into(),
            capabilities,
            limits: Limits {
                size: 64 * 1024,
                ..Limits::default()
            },
        }
    }

    /// Answers a SERVICE of an authenticated sender. `None` if its Request-URI is no focus factory, or its command is one of those that
    /// make and change conferences.
    pub fn handle_service(&self, sender: &Aor, request: &Message, tag: &str) -> Option<Message> {
        let uri = request.parsed_request_uri().ok()?;
        let organizer = Gruu::from_uri(uri.as_sip()?)
            .filter(|gruu| gruu.opaque == Opaque::FocusFactory)?
            .aor;
        Some(match self.judge(sender, &organizer, request) {
            Ok(reply) => Message::response_to(request, 200, Some(tag))
                .with_body(CONTENT_TYPE, reply?.to_xml()),
            Err(refusal) => {
                let mut response = refusal.response(request, tag, &self.fqdn);
                if refusal.status == 415 {
                    response.push(HeaderName::Accept, CONTENT_TYPE);
                }
                response
            }
        })
    }

    /// The reply, `None` for a command of others.
    fn judge(
        &self,
        sender: &Aor,
        organizer: &Aor,
        request: &Message,
    ) -> Result<Option<Reply>, Refusal> {
        if sender != organizer {
            // The status is inferred.
            return Err(Refusal::plain(403));
        }
        match request.content_type() {
            Ok(Some(kind)) if kind.is(CONTENT_TYPE) => {}
            _ => return Err(Refusal::new(415, ErrorId::CONTENT_TYPE_MISMATCH)),
        }
        let question = Question::parse(request.body(), &self.limits)
            .map_err(|_| Refusal::new(400, ErrorId::C3P_PARSE_FAILURE))?;
        if aor(&question.from).as_ref() != Some(organizer) {
            return Err(Refusal::new(400, ErrorId::BAD_FROM_IN_C3P));
        }
        let factory = SipUri::parse(&question.to).ok().and_then(|to| {
            Gruu::from_uri(&to).map(|to| (to.opaque == Opaque::FocusFactory, to.aor))
        });
        if factory.is_none_or(|(is_factory, aor)| !is_factory || aor != *organizer) {
            return Err(Refusal::new(400, ErrorId::BAD_TO_IN_C3P));
        }
        let result = match &question.command {
            Command::Other(name) if CONFERENCES.contains(&name.as_str()) => return Ok(None),
            Command::Other(_) => Err("notSupported".into()),
            command => self.list(organizer, command),
        };
        Ok(Some(Reply {
            request_id: question.request_id,
            from: question.to,
            to: question.from,
            command: question.command,
            result,
        }))
    }

    fn list(&self, organizer: &Aor, command: &Command) -> Result<McuList, SmolStr> {
        let list = self
            .capabilities
            .of_user(organizer)
            .ok_or_else(|| SmolStr::from("unauthorized"))?;
        Ok(match command {
            // The kinds only.
            Command::GetAvailableMcuTypes => McuList {
                types: list.types,
                ..McuList::default()
            },
            _ => list,
        })
    }
}

/// The commands of a focus factory that are not here.
const CONFERENCES: [&str; 6] = [
    "addConference",
    "modifyConference",
    "deleteConference",
    "getConference",
    "getConferences",
    "getEncryptionKey",
];

fn aor(uri: &str) -> Option<Aor> {
    Uri::parse(uri).ok()?.as_sip()?.aor()
}
