//! The side that answers.

use std::net::IpAddr;

use ocs_ocer::ErrorId;
use ocs_sip_core::subscription::{Content, answer_once};
use ocs_sip_core::uri::Uri;
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_sipre::gruu::{Opaque, application_gruu};
use ocs_sipre::headers::session_on_behalf_of;
use ocs_xml::{Element, Limits, Raw, Writer, from_slice};

use super::{
    CONTENT_TYPE, EVENT, GroupName, NOTIFICATION_NAMESPACE, ProvisionGroup, ProvisionGroupList,
    ProvisioningGroup, ProvisioningGroupList, ServerConfiguration, legacy,
};
use crate::registrar::Refusal;

/// How a pool provisions its clients.
#[derive(Debug, Clone)]
pub struct Config {
    /// FQDN of the server, the `source` of diagnostics.
    pub fqdn: String,
    /// The groups that all users of the pool get.
    pub groups: Vec<ProvisionGroup>,
    /// Tell each user the focus factory of his own, unless `ServerConfiguration` names one. Default true.
    pub conferencing: bool,
    /// Tell each user the voice mail of his own, unless `ServerConfiguration` names one. Default false.
    pub voice_mail: bool,
    /// Bounds of a question. Default 64 KiB.
    pub limits: Limits,
    /// The most groups in one question; more are refused with 400. Default 64.
    pub asked: usize,
}

impl Config {
    /// The defaults for a server of this name, with the groups that it has.
    #[must_use]
    pub fn new(fqdn: impl Into<String>, groups: impl IntoIterator<Item = ProvisionGroup>) -> Self {
        Self {
            fqdn: fqdn.into(),
            groups: groups.into_iter().collect(),
            conferencing: true,
            voice_mail: false,
            limits: Limits {
                size: 64 * 1024,
                ..Limits::default()
            },
            asked: 64,
        }
    }
}

/// Who asks, from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Whose settings these are.
    pub aor: &'a Aor,
    /// The client's subnet, if it told a proper one. It is the client's word.
    pub subnet: Option<IpAddr>,
    /// He came through an Edge.
    pub remote: bool,
}

/// The answer of a [`Deployment`] for one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// The pool's group.
    Pool,
    /// This group.
    Group(ProvisionGroup),
    /// No such group.
    Nothing,
}

/// What differs between users, subnets and sides of the Edge. `()` is a deployment where nothing does.
pub trait Deployment {
    /// A group for one user.
    fn group(&self, _asked: &Asked<'_>, _group: &ProvisioningGroup) -> Own {
        Own::Pool
    }

    /// Whether a delegate may ask for the settings of a delegator.
    fn may_act_for(&self, _delegate: &Aor, _delegator: &Aor) -> bool {
        false
    }

    /// The document of LCS 2005 for one user. `None`: the event package is not served.
    fn legacy(&self, _aor: &Aor) -> Option<legacy::Document> {
        None
    }
}

impl Deployment for () {}

/// What the server knows of a SUBSCRIBE beside its text.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The authenticated sender; `None` for a trusted server, which may ask for any user.
    pub sender: Option<&'a Aor>,
    /// A fresh tag for To.
    pub tag: &'a str,
    /// The client came through an Edge.
    pub remote: bool,
}

/// What to send for a SUBSCRIBE, in this order. Via of the request, Contact and signatures are the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The response.
    pub response: Message,
    /// The NOTIFY or BENOTIFY with the settings, for a client that does not take them in the response.
    pub notify: Option<Message>,
}

impl From<Message> for Answer {
    fn from(response: Message) -> Self {
        Self {
            response,
            notify: None,
        }
    }
}

/// A group of the pool, ready to be sent.
#[derive(Debug, Clone)]
enum Ready {
    /// The same for all.
    Same(Raw),
    /// With addresses of the user in it.
    PerUser(Box<ServerConfiguration>),
}

/// A provisioning server (\[MS-SIPREGE\] 3.3). What is the same for all users is written once.
#[derive(Debug, Clone)]
pub struct Provisioning {
    fqdn: String,
    groups: Vec<(GroupName, Ready)>,
    conferencing: bool,
    voice_mail: bool,
    limits: Limits,
    asked: usize,
}

impl Provisioning {
    /// A server.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let Config {
            fqdn,
            groups,
            conferencing,
            voice_mail,
            limits,
            asked,
        } = config;
        let mut ready: Vec<(GroupName, Ready)> = Vec::with_capacity(groups.len());
        for group in groups {
            let name = group.name();
            let group = match group {
                ProvisionGroup::ServerConfiguration(group) if conferencing || voice_mail => {
                    Ready::PerUser(group)
                }
                group => Ready::Same(Raw::of(&group)),
            };
            ready.push((name, group));
        }
        Self {
            fqdn,
            groups: ready,
            conferencing,
            voice_mail,
            limits,
            asked,
        }
    }

    /// Answers a SUBSCRIBE for [`EVENT`] or [`legacy::EVENT`].
    pub fn handle_subscribe(
        &self,
        context: Context<'_>,
        request: &Message,
        deployment: &impl Deployment,
    ) -> Answer {
        match self.judge(context, request, deployment) {
            Ok((content_type, body)) => answer(request, context.tag, content_type, body),
            Err(refusal) => {
                let mut response = refusal.response(request, context.tag, &self.fqdn);
                match refusal.status {
                    405 => response.push(HeaderName::Allow, Method::Subscribe.as_str()),
                    415 => response.push(HeaderName::Accept, CONTENT_TYPE),
                    489 => response.push(HeaderName::AllowEvents, EVENT),
                    _ => {}
                }
                response.into()
            }
        }
    }

    /// The document, or the refusal.
    fn judge(
        &self,
        context: Context<'_>,
        request: &Message,
        deployment: &impl Deployment,
    ) -> Result<(&'static str, String), Refusal> {
        if request.method() != Some(&Method::Subscribe) {
            return Err(Refusal::plain(405));
        }
        let aor = subject(context, request, deployment)?;
        let event = request.event().ok().flatten().ok_or(Refusal::plain(489))?;
        if event.is(legacy::EVENT) {
            let document = deployment.legacy(&aor).ok_or(Refusal::plain(489))?;
            accepts(request, legacy::CONTENT_TYPE)?;
            return Ok((legacy::CONTENT_TYPE, document.to_xml()));
        }
        if !event.is(EVENT) {
            return Err(Refusal::plain(489));
        }
        accepts(request, CONTENT_TYPE)?;
        match request.content_type() {
            Ok(Some(kind)) if kind.is(CONTENT_TYPE) => {}
            _ => return Err(Refusal::new(415, ErrorId::CONTENT_TYPE_MISMATCH)),
        }
        let question: ProvisioningGroupList = from_slice(request.body(), &self.limits)
            .map_err(|_| Refusal::new(400, ErrorId::XML_PARSE_FAILURE))?;
        if question.groups.len() > self.asked {
            return Err(Refusal::plain(400));
        }
        let asked = Asked {
            aor: &aor,
            subnet: question
                .subnet
                .as_deref()
                .and_then(|subnet| subnet.trim_ascii().parse().ok()),
            remote: context.remote,
        };
        let body = self.document(&asked, &question, |group| deployment.group(&asked, group));
        Ok((CONTENT_TYPE, body))
    }

    /// The groups that are asked for and known, each once, in the order of the question.
    fn document(
        &self,
        asked: &Asked<'_>,
        question: &ProvisioningGroupList,
        own: impl Fn(&ProvisioningGroup) -> Own,
    ) -> String {
        let mut writer = Writer::new();
        writer.open(NOTIFICATION_NAMESPACE, ProvisionGroupList::NAME);
        for (index, group) in question.groups.iter().enumerate() {
            // Bounded by `Config::asked`.
            let before = &question.groups[..index];
            if before.iter().any(|earlier| earlier.name == group.name) {
                continue;
            }
            match own(group) {
                Own::Group(group) => group.write(&mut writer),
                Own::Nothing => {}
                Own::Pool => {
                    let pool = self.groups.iter().find(|(name, _)| *name == group.name);
                    match pool {
                        Some((_, Ready::Same(raw))) => raw.write(&mut writer),
                        Some((_, Ready::PerUser(configuration))) => {
                            self.of_user(configuration, asked.aor).write(&mut writer);
                        }
                        None => {}
                    }
                }
            }
        }
        writer.finish()
    }

    fn of_user(&self, configuration: &ServerConfiguration, aor: &Aor) -> ProvisionGroup {
        let mut configuration = configuration.clone();
        let fill = |uri: &mut Option<_>, on, opaque| {
            if on && uri.is_none() {
                *uri = Some(application_gruu(aor, &opaque).into());
            }
        };
        fill(
            &mut configuration.focus_factory_uri,
            self.conferencing,
            Opaque::FocusFactory,
        );
        fill(
            &mut configuration.voice_mail_uri,
            self.voice_mail,
            Opaque::VoiceMail,
        );
        configuration.into()
    }
}

/// Whose settings are asked for: the sender's own, those of somebody for whom he acts, or anybody's if a server asks.
fn subject(
    context: Context<'_>,
    request: &Message,
    deployment: &impl Deployment,
) -> Result<Aor, Refusal> {
    let to = request.to_header().map_err(|_| Refusal::plain(400))?;
    if to.tag().is_some() {
        // No dialog is ever made here.
        return Err(Refusal::plain(481));
    }
    let aor = |uri: Uri<'_>| uri.as_sip().and_then(ocs_sip_core::uri::SipUri::aor);
    let subject = to.uri().ok().and_then(aor).ok_or(Refusal::plain(400))?;
    let delegator = session_on_behalf_of(request).map_err(|_| Refusal::plain(400))?;
    let delegator = delegator
        .map(|name| name.uri().ok().and_then(aor).ok_or(Refusal::plain(400)))
        .transpose()?;
    let allowed = match (context.sender, &delegator) {
        (None, _) => true,
        (Some(sender), None) => *sender == subject,
        (Some(sender), Some(delegator)) => {
            *delegator == subject
                && (*sender == subject || deployment.may_act_for(sender, delegator))
        }
    };
    allowed.then_some(subject).ok_or(Refusal::plain(403))
}

/// A client that names types must name this one, or a range with it in (inferred); one that names none takes it (RFC 3265 3.1.3).
fn accepts(request: &Message, content_type: &str) -> Result<(), Refusal> {
    let mut ranges = request.values(HeaderName::Accept).peekable();
    let fits = |range: &str| {
        let essence = range.split(';').next().unwrap_or_default().trim_ascii();
        essence.eq_ignore_ascii_case(content_type)
            || essence == "*/*"
            || essence.eq_ignore_ascii_case("application/*")
    };
    if ranges.peek().is_none() || ranges.any(fits) {
        Ok(())
    } else {
        Err(Refusal::plain(406))
    }
}

/// The 200, with the document in it or after it.
fn answer(request: &Message, tag: &str, content_type: &'static str, body: String) -> Answer {
    match answer_once(request, tag, &Content::new(content_type, body)) {
        Ok((response, notify)) => Answer { response, notify },
        Err(_) => Refusal::plain(400).response(request, tag, "").into(),
    }
}
