//! Sessions of SIPE 1.25 from `tests/data`, played to a front end.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ocs_server::Config;
use ocs_sip_core::{HeaderName, Limits, Message, Method};
use ocs_sipae::Version;
use ocs_sipae::client::Next;

use super::World;
use super::phone::Phone;

pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) who: String,
    pub(crate) message: Message,
}

pub(crate) fn load(directory: &str) -> Vec<File> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(directory);
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let octets = fs::read(path).unwrap();
            let message = Message::parse(octets.into(), &Limits::default()).unwrap();
            let user = if name.contains("-new-") {
                message
                    .from_header()
                    .unwrap()
                    .uri()
                    .unwrap()
                    .as_sip()
                    .unwrap()
                    .aor()
                    .unwrap()
                    .user()
                    .to_owned()
            } else {
                name.split('-').nth(2).unwrap().to_owned()
            };
            File {
                name,
                who: user,
                message,
            }
        })
        .collect()
}

/// Clients by name, and what they got and did not answer yet.
pub(crate) struct Replay {
    pub(crate) world: World,
    pub(crate) phones: BTreeMap<String, Phone>,
    pub(crate) waiting: BTreeMap<String, Vec<Message>>,
    /// The answers to each user's REGISTERs.
    pub(crate) registered: BTreeMap<String, Vec<Message>>,
    pub(crate) statuses: Vec<String>,
    pub(crate) gruu: bool,
    pub(crate) next: BTreeMap<String, Next>,
    /// 2xx to INVITE by Call-ID, as the caller got them.
    pub(crate) answers: BTreeMap<String, Message>,
    pub(crate) invites: BTreeMap<String, Message>,
    /// To of the 200 to SUBSCRIBE by user and Call-ID, which two clients share: with the tag of this run's dialog.
    pub(crate) dialogs: BTreeMap<(String, String), String>,
    /// Changes of state that came, by user, in their order.
    pub(crate) news: BTreeMap<String, Vec<Message>>,
}

impl Replay {
    pub(crate) fn new(version: Version, gruu: bool) -> Self {
        Self::with(gruu, |config| config.version = version)
    }

    pub(crate) fn with(gruu: bool, adjust: impl FnOnce(&mut Config)) -> Self {
        Self {
            world: World::new(|config| {
                config.router.port = 5061;
                adjust(config);
            }),
            phones: BTreeMap::new(),
            waiting: BTreeMap::new(),
            registered: BTreeMap::new(),
            statuses: Vec::new(),
            gruu,
            next: BTreeMap::new(),
            answers: BTreeMap::new(),
            invites: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            news: BTreeMap::new(),
        }
    }

    pub(crate) fn play(&mut self, files: &[File]) {
        for file in files.iter().filter(|file| file.name.contains("-C2S-")) {
            self.one(file);
        }
    }

    /// The client of a message. One who signs in from another port is there anew.
    fn phone(&mut self, file: &File) {
        let message = &file.message;
        if !message.is_request() {
            return;
        }
        let port = message.top_via().unwrap().port().unwrap();
        let old = self.phones.get(&file.who);
        if old.is_some_and(|phone| phone.port == port) {
            return;
        }
        if let Some(old) = old {
            self.world.close(old.connection);
        }
        let epid = message.from_header().unwrap().epid().unwrap().to_owned();
        let phone = Phone::new(&mut self.world, &file.who, &epid, port);
        self.phones.insert(file.who.clone(), phone);
    }

    /// The captured text with the parts in it that this run's server made.
    pub(crate) fn rebase(&mut self, file: &File) -> Message {
        let mut message = file.message.clone();
        message.remove(HeaderName::Authorization);
        let call_id = message.call_id().unwrap().to_owned();
        if message.is_request() {
            if message.method() == Some(&Method::Register) && !self.gruu {
                message.set(HeaderName::Supported, "adhoclist");
            }
            if message.method() == Some(&Method::Subscribe)
                && message.to_header().unwrap().tag().is_some()
            {
                let key = (file.who.clone(), call_id.clone());
                message.set(HeaderName::To, &self.dialogs[&key]);
            }
            if message.header(HeaderName::Route).is_some() {
                let caller = self.invites[&call_id]
                    .from_header()
                    .unwrap()
                    .tag()
                    .unwrap()
                    .to_owned();
                let mine = message.from_header().unwrap().tag() == Some(&caller);
                let mut routes: Vec<_> = self.answers[&call_id]
                    .values(HeaderName::RecordRoute)
                    .map(str::to_owned)
                    .collect();
                if mine {
                    routes.reverse();
                }
                message.remove(HeaderName::Route);
                for route in routes {
                    message.push(HeaderName::Route, &route);
                }
            }
            return message;
        }
        let request = self.answered(file);
        for name in [HeaderName::Via, HeaderName::RecordRoute] {
            message.remove(name);
            for line in request.lines(name) {
                message.push(name, line);
            }
        }
        assert_eq!(
            message.header(HeaderName::From),
            request.header(HeaderName::From)
        );
        message
    }

    /// The request of this run to which a recorded answer belongs.
    fn answered(&mut self, file: &File) -> Message {
        let waiting = self.waiting.get_mut(&file.who).unwrap();
        let same = |request: &Message, name| request.header(name) == file.message.header(name);
        let at = waiting
            .iter()
            .position(|request| {
                same(request, HeaderName::CallId) && same(request, HeaderName::CSeq)
            })
            .unwrap_or_else(|| panic!("{}: no such request came", file.name));
        waiting.remove(at)
    }

    /// Answers the NOTIFYs that wait at a client, as this recorded answer does: this server may send another number of them.
    fn answer_notifications(&mut self, file: &File) {
        let waiting = self.waiting.entry(file.who.clone()).or_default();
        let is_notify = |message: &Message| message.method() == Some(&Method::Notify);
        let (notifications, others) = waiting.drain(..).partition(is_notify);
        *waiting = others;
        let _: &Vec<Message> = &notifications;
        for request in notifications {
            let mut answer = Message::response_to(&request, 200, None);
            let agent = file.message.header(HeaderName::UserAgent);
            answer.push(HeaderName::UserAgent, agent.unwrap());
            let phone = self.phones.get_mut(&file.who).unwrap();
            phone.send(&mut self.world, answer);
        }
        self.collect(file, &file.message);
    }

    fn one(&mut self, file: &File) {
        self.phone(file);
        let method = file.message.cseq().unwrap().method_text;
        if !file.message.is_request() && method == "NOTIFY" {
            self.answer_notifications(file);
            return;
        }
        let mut message = self.rebase(file);
        let credentials = file.message.header(HeaderName::Authorization);
        let signed = credentials.is_some_and(|value| value.contains("response="));
        let token = credentials.is_some_and(|value| value.contains("gssapi-data="));
        let phone = self.phones.get_mut(&file.who).unwrap();
        if token {
            assert_eq!(
                self.next.remove(&file.who),
                Some(Next::Resend),
                "{}",
                file.name
            );
            phone.auth.authorize(&mut message).unwrap();
        } else if signed {
            phone.auth.sign(&mut message).unwrap();
        }
        if message.method() == Some(&Method::Invite) {
            self.invites
                .insert(message.call_id().unwrap().to_owned(), message.clone());
        }
        let connection = phone.connection;
        self.world.send(connection, message.to_bytes());
        self.collect(file, &message);
    }

    fn collect(&mut self, file: &File, sent: &Message) {
        for (who, phone) in &mut self.phones {
            for message in phone.receive(&mut self.world) {
                let Some(status) = message.status() else {
                    if [Some(&Method::Notify), Some(&Method::Benotify)].contains(&message.method())
                    {
                        let news = self.news.entry(who.clone()).or_default();
                        news.push(message.clone());
                    }
                    self.waiting.entry(who.clone()).or_default().push(message);
                    continue;
                };
                let method = message.cseq().unwrap().method_text.to_owned();
                self.statuses.push(format!("{who} {method} {status}"));
                if status == 401 {
                    self.next.insert(
                        who.clone(),
                        phone.auth.on_challenge(self.world.now, &message),
                    );
                }
                if method == "REGISTER" && status != 401 {
                    self.registered
                        .entry(who.clone())
                        .or_default()
                        .push(message.clone());
                }
                if method == "INVITE" && status == 200 {
                    self.answers
                        .insert(message.call_id().unwrap().to_owned(), message.clone());
                }
                if method == "SUBSCRIBE" && status == 200 {
                    let to = message.header(HeaderName::To).unwrap().to_owned();
                    let call_id = message.call_id().unwrap().to_owned();
                    self.dialogs.insert((who.clone(), call_id), to);
                }
                if *who == file.who && sent.is_request() {
                    assert_eq!(message.call_id(), sent.call_id(), "{}", file.name);
                }
            }
        }
    }

    /// All answers that are neither 1xx and 2xx nor the challenge of a sign-in.
    pub(crate) fn refusals(&self) -> Vec<&str> {
        let plain = |status: &&str| {
            [" 100", " 200", " REGISTER 401"]
                .iter()
                .all(|end| !status.ends_with(end))
        };
        self.statuses
            .iter()
            .map(String::as_str)
            .filter(plain)
            .collect()
    }

    pub(crate) fn count(&self, status: &str) -> usize {
        self.statuses.iter().filter(|all| *all == status).count()
    }
}

pub(crate) fn recorded<'a>(files: &'a [File], name: &str) -> &'a Message {
    &files
        .iter()
        .find(|file| file.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
        .message
}
