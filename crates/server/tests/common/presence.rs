//! What clients say of presence and contacts, as text, and how they read what comes.

use ocs_ocer::diagnostics_of;
use ocs_pres::doc::{Categories, Category, Document, ListNotification, RoamingData, content_type};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_siprege::provisioning::{self, ProvisionGroupList};
use ocs_xml::from_slice;

use super::World;
use super::phone::Phone;

pub(crate) const OWN: &str = "vnd-microsoft-roaming-self";
pub(crate) const CONTACTS: &str = "vnd-microsoft-roaming-contacts";
pub(crate) const ACL: &str = "vnd-microsoft-roaming-ACL";
pub(crate) const PENDING: &str = "presence.wpending";
const PROVISIONING: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";
pub(crate) const SOAP: &str = "application/SOAP+xml";

/// Everything that a client may want to know of its own user.
const ROAMING: &str = r#"<roamingList xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><roaming type="categories"/><roaming type="containers"/><roaming type="subscribers"/><roaming type="delegates"/></roamingList>"#;

/// A subscription of a phone.
pub(crate) struct Dialog {
    pub(crate) first: Message,
    pub(crate) answer: Message,
    cseq: u32,
}

impl Dialog {
    /// A SUBSCRIBE in the dialog.
    pub(crate) fn request(&mut self, phone: &Phone, expires: Option<u32>) -> Message {
        self.cseq += 1;
        let mut request = phone.in_dialog(Method::Subscribe, &self.first, &self.answer, self.cseq);
        for name in [
            HeaderName::Event,
            HeaderName::Accept,
            HeaderName::Supported,
            HeaderName::ProxyRequire,
            HeaderName::Require,
            HeaderName::Contact,
        ] {
            for line in self.first.lines(name) {
                request.push(name, line);
            }
        }
        if let Some(expires) = expires {
            request.push(HeaderName::Expires, &expires.to_string());
        }
        request
    }

    /// A refresh, or the end with 0.
    pub(crate) fn refresh(
        &mut self,
        world: &mut World,
        phone: &mut Phone,
        expires: u32,
    ) -> Message {
        let request = self.request(phone, Some(expires));
        phone.exchange(world, request)
    }

    /// Adds users or takes some away.
    pub(crate) fn change(&mut self, world: &mut World, phone: &mut Phone, body: String) -> Message {
        let request = self
            .request(phone, None)
            .with_body(content_type::BATCH_SUB, body);
        phone.exchange(world, request)
    }

    /// Whether a notification is of this subscription.
    pub(crate) fn is(&self, notification: &Message) -> bool {
        notification.call_id() == self.first.call_id()
    }
}

impl Phone {
    /// Sends a request and gives its final answer. What came besides waits in `news`.
    pub(crate) fn exchange(&mut self, world: &mut World, request: Message) -> Message {
        let call_id = request.call_id().unwrap().to_owned();
        let cseq = request.header(HeaderName::CSeq).unwrap().to_owned();
        self.send(world, request);
        let mut answer = None;
        for message in self.receive(world) {
            let is_answer = message.status().is_some_and(|status| status >= 200)
                && message.call_id() == Ok(&*call_id)
                && message.header(HeaderName::CSeq) == Some(&*cseq);
            if is_answer {
                answer = Some(message);
            } else {
                self.news.push(message);
            }
        }
        answer.expect("an answer")
    }

    /// The notifications that came since the last time.
    pub(crate) fn news(&mut self, world: &mut World) -> Vec<Message> {
        let mut news = std::mem::take(&mut self.news);
        news.extend(self.receive(world));
        news
    }

    /// The only notification that came.
    pub(crate) fn told(&mut self, world: &mut World) -> Message {
        let mut news = self.news(world);
        assert_eq!(news.len(), 1, "{news:#?}");
        news.remove(0)
    }

    /// A SERVICE to the user himself.
    pub(crate) fn service(
        &mut self,
        world: &mut World,
        kind: &str,
        body: impl Into<String>,
    ) -> Message {
        let uri = self.aor.to_uri();
        let request = self
            .request(Method::Service, &uri)
            .with_body(kind, body.into());
        self.exchange(world, request)
    }

    /// Publishes as this user.
    pub(crate) fn publish(&mut self, world: &mut World, publications: &[String]) -> Message {
        let body = publish(self.aor.as_str(), publications);
        self.service(world, content_type::PUBLISH, body)
    }

    /// What the server tells of itself.
    pub(crate) fn server_configuration(&mut self, world: &mut World) -> ProvisionGroupList {
        let question = "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\">\
                        <provisioningGroup name=\"ServerConfiguration\"/></provisioningGroupList>";
        let own = self.aor.to_uri();
        let request = self
            .subscription("vnd-microsoft-provisioning-v2", &own, PROVISIONING)
            .with(HeaderName::Expires, "0")
            .with_body(PROVISIONING, question);
        let answer = self.exchange(world, request);
        let list = provisioning::answer_of(&answer, &ocs_xml::Limits::default());
        list.unwrap().unwrap()
    }

    /// A SUBSCRIBE as SIPE writes it, without body.
    pub(crate) fn subscription(&mut self, event: &str, uri: &str, accept: &str) -> Message {
        let mut request = self
            .request(Method::Subscribe, uri)
            .with(HeaderName::Event, event)
            .with(HeaderName::Accept, accept)
            .with(HeaderName::ProxyRequire, "ms-benotify");
        for tag in ["ms-benotify", "ms-piggyback-first-notify"] {
            request.push(HeaderName::Supported, tag);
        }
        request
    }

    /// Sends a SUBSCRIBE that is accepted.
    pub(crate) fn open(&mut self, world: &mut World, request: Message) -> Dialog {
        let answer = self.exchange(world, request.clone());
        assert_eq!(answer.status(), Some(200), "{answer:#?}");
        Dialog {
            cseq: request.cseq().unwrap().number,
            first: request,
            answer,
        }
    }

    /// Subscribes to the user's own data of an event package without body.
    pub(crate) fn subscribe(&mut self, world: &mut World, event: &str) -> Dialog {
        let uri = self.aor.to_uri();
        let accept = match event {
            CONTACTS => "application/vnd-microsoft-roaming-contacts+xml",
            ACL => "application/vnd-microsoft-roaming-acls+xml",
            PENDING => "text/xml+msrtc.wpending",
            _ => panic!("{event}"),
        };
        let request = self.subscription(event, &uri, accept);
        self.open(world, request)
    }

    /// Subscribes to the user's own presence.
    pub(crate) fn subscribe_own(&mut self, world: &mut World) -> Dialog {
        let uri = self.aor.to_uri();
        let request = self
            .subscription(OWN, &uri, content_type::ROAMING_SELF)
            .with_body(content_type::ROAMING_SELF, ROAMING);
        self.open(world, request)
    }

    /// The SUBSCRIBE for the presence of a list of users.
    pub(crate) fn batch(&mut self, body: String) -> Message {
        let uri = self.aor.to_uri();
        let accept =
            "application/msrtc-event-categories+xml, application/rlmi+xml, multipart/related";
        self.subscription("presence", &uri, accept)
            .with(HeaderName::Require, "adhoclist, categoryList")
            .with(HeaderName::Supported, "eventlist")
            .with_body(content_type::BATCH_SUB, body)
    }

    /// Watches users: state and note.
    pub(crate) fn watch(&mut self, world: &mut World, users: &[&str]) -> Dialog {
        let request = self.batch(batch("subscribe", users, &["note", "state"]));
        self.open(world, request)
    }
}

/// A `batchSub` document. A user with `+` before the name is just added to the contacts.
pub(crate) fn batch(action: &str, users: &[&str], categories: &[&str]) -> String {
    let resources: String = users
        .iter()
        .map(|user| match user.strip_prefix('+') {
            Some(user) => {
                format!("<resource uri=\"sip:{user}@contoso.com\"><context/></resource>")
            }
            None => format!("<resource uri=\"sip:{user}@contoso.com\"/>"),
        })
        .collect();
    let categories: Vec<_> = categories
        .iter()
        .map(|name| format!("<category name=\"{name}\"/>"))
        .collect();
    let categories = categories.concat();
    format!(
        "<batchSub xmlns=\"http://schemas.microsoft.com/2006/01/sip/batch-subscribe\" uri=\"sip:x@contoso.com\" name=\"\"><action name=\"{action}\" id=\"63792024\"><adhocList>{resources}</adhocList><categoryList xmlns=\"http://schemas.microsoft.com/2006/09/sip/categorylist\">{categories}</categoryList></action></batchSub>"
    )
}

/// A `publish` document.
pub(crate) fn publish(user: &str, publications: &[String]) -> String {
    format!(
        "<publish xmlns=\"http://schemas.microsoft.com/2006/09/sip/rich-presence\"><publications uri=\"sip:{user}\">{}</publications></publish>",
        publications.concat()
    )
}

/// One publication. `place` is container/instance; `life` is an expireType, `time 60`, or `gone`.
pub(crate) fn publication(
    name: &str,
    place: &str,
    version: u32,
    life: &str,
    value: &str,
) -> String {
    let (container, instance) = place.split_once('/').unwrap();
    let life = match life.split_once(' ') {
        Some((life, seconds)) => format!("{life}\" expires=\"{seconds}"),
        None if life == "gone" => "static\" expires=\"0".to_owned(),
        None => life.to_owned(),
    };
    format!(
        "<publication categoryName=\"{name}\" instance=\"{instance}\" container=\"{container}\" version=\"{version}\" expireType=\"{life}\">{value}</publication>"
    )
}

/// The value of a note.
pub(crate) fn note(text: &str) -> String {
    format!(
        "<note xmlns=\"http://schemas.microsoft.com/2006/09/sip/note\"><body type=\"personal\" uri=\"\">{text}</body></note>"
    )
}

/// The value of a state.
pub(crate) fn state(kind: &str, availability: u32) -> String {
    format!(
        "<state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\"><availability>{availability}</availability></state>"
    )
}

/// A note in one container.
pub(crate) fn note_in(container: u16, version: u32, text: &str) -> String {
    publication(
        "note",
        &format!("{container}/0"),
        version,
        "static",
        &note(text),
    )
}

/// The state of a machine, in both containers that are aggregated.
pub(crate) fn machine(instance: u32, version: u32, availability: u32) -> [String; 2] {
    let instance = 0x3000_0000 | instance;
    let value = state("machineState", availability);
    [2, 3].map(|container| {
        publication(
            "state",
            &format!("{container}/{instance}"),
            version,
            "endpoint",
            &value,
        )
    })
}

/// A `setContainerMembers` document: container, version and members, each `add` or `remove`, type, value.
pub(crate) fn members(containers: &[(u16, u32, &[&str])]) -> String {
    let member = |member: &&str| {
        let mut words = member.split(' ');
        let (action, kind) = (words.next().unwrap(), words.next().unwrap());
        let value = words.next().map(|value| format!(" value=\"{value}\""));
        let value = value.unwrap_or_default();
        format!("<member action=\"{action}\" type=\"{kind}\"{value}/>")
    };
    let containers: Vec<_> = containers
        .iter()
        .map(|(id, version, members)| {
            let members = members.iter().map(member).collect::<Vec<_>>().concat();
            format!("<container id=\"{id}\" version=\"{version}\">{members}</container>")
        })
        .collect();
    format!(
        "<setContainerMembers xmlns=\"http://schemas.microsoft.com/2006/09/sip/container-management\">{}</setContainerMembers>",
        containers.concat()
    )
}

/// A call in a SOAP envelope, as SIPE writes it.
pub(crate) fn soap(call: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:m=\"http://schemas.microsoft.com/winrtc/2002/11/sip\"><s:Body>{call}</s:Body></s:Envelope>"
    )
}

/// Status and number of the first diagnostics.
pub(crate) fn explained(response: &Message) -> (u16, Option<u32>) {
    let first = diagnostics_of(response).next();
    let id = first.map(|(_, value)| value.error_id.0);
    (response.status().unwrap(), id)
}

pub(crate) fn text(message: &Message) -> &str {
    std::str::from_utf8(message.body()).unwrap()
}

/// The document of a self subscription, or of the answer to a publication.
pub(crate) fn own(message: &Message) -> RoamingData {
    let kind = message.content_type().unwrap().unwrap();
    assert!(kind.is(content_type::ROAMING_SELF), "{message:#?}");
    from_slice(message.body(), &ocs_xml::Limits::default()).unwrap()
}

/// What a watcher is told, in whatever form.
pub(crate) fn seen(message: &Message) -> ListNotification {
    let kind = message.content_type().unwrap().unwrap();
    ListNotification::parse(&kind, message.body(), &ocs_pres::doc::Limits::default()).unwrap()
}

/// The characters of a value.
fn characters(category: &Category) -> String {
    let Some(value) = category.value() else {
        return "-".to_owned();
    };
    let mut inside = false;
    let keep = |letter: &char| {
        inside = *letter == '<' || inside && *letter != '>';
        !inside && *letter != '>'
    };
    value.as_str().chars().filter(keep).collect()
}

/// `name: characters` of each instance that a watcher sees.
pub(crate) fn lines(categories: &Categories) -> Vec<String> {
    let hidden = |category: &Category| {
        category.container.is_none()
            && category.version.is_none()
            && category.expire_type.is_none()
            && category.endpoint_id.is_none()
            && category.expires.is_none()
    };
    let all = categories.categories.iter();
    all.inspect(|category| assert!(hidden(category), "{category:?}"))
        .map(|category| format!("{}: {}", category.name, characters(category)))
        .collect()
}

/// `user name: characters` of all that a notification shows, in its order.
pub(crate) fn shown(message: &Message) -> Vec<String> {
    let mut all = Vec::new();
    for document in seen(message).documents {
        let Document::Categories(categories) = document else {
            panic!("{document:?}");
        };
        let user = categories.uri.strip_prefix("sip:").unwrap();
        let user = user.split('@').next().unwrap().to_owned();
        all.extend(
            lines(&categories)
                .iter()
                .map(|line| format!("{user} {line}")),
        );
    }
    all
}

/// `name container/instance vVERSION: characters` of the user's own instances of some categories.
pub(crate) fn instances(document: &RoamingData, names: &[&str]) -> Vec<String> {
    let categories = document.categories.iter().flat_map(|c| &c.categories);
    let mut all: Vec<_> = categories
        .filter(|category| names.contains(&category.name.as_str()))
        .map(|category| {
            let name = &category.name;
            let text = characters(category);
            match (category.container, category.instance, category.version) {
                (Some(container), Some(instance), Some(version)) => {
                    format!("{name} {}/{instance} v{version}: {text}", container.get())
                }
                _ => format!("{name}: none"),
            }
        })
        .collect();
    all.sort();
    all
}
