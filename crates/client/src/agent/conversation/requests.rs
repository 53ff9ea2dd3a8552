//! What sessions want sent, and what they tell.

use std::time::Instant;

use ocs_sip_core::dialog::DialogSet;
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_sipre::im::{Action, Ended, Event as Im, Meaning, Reply, SessionRequest, Typing};

use crate::Event;
use crate::agent::UserAgent;
use crate::agent::sending::Purpose;

impl UserAgent {
    pub(in crate::agent) fn drive_conversations(&mut self, now: Instant) -> bool {
        let mut busy = false;
        let users: Vec<Aor> = self.conversations.keys().cloned().collect();
        for with in users {
            while let Some(action) = self
                .conversations
                .get_mut(&with)
                .and_then(|conversation| conversation.session.poll_action())
            {
                busy = true;
                match action {
                    Action::Request(request) => self.session_request(now, &with, &request),
                    Action::Respond(reply) => self.session_reply(now, &with, &reply),
                    Action::Cancel(request) => {
                        let invite = self.conversations.get(&with).and_then(|all| all.invite);
                        if let Some((id, Some(client))) = invite
                            && id == request
                        {
                            self.layer.cancel(now, client);
                        }
                    }
                }
            }
            while let Some(event) = self
                .conversations
                .get_mut(&with)
                .and_then(|conversation| conversation.session.poll_event())
            {
                busy = true;
                self.session_event(&with, event);
            }
        }
        busy
    }

    fn session_request(&mut self, now: Instant, with: &Aor, request: &SessionRequest) {
        let invite = request.method == Method::Invite;
        let contact = self.contact();
        let message = if invite {
            Some(self.new_request(Method::Invite, &with.to_uri()))
        } else {
            self.conversations
                .get_mut(with)
                .and_then(|conversation| conversation.dialog.as_mut())
                .map(|dialog| dialog.request(request.method.clone()))
        };
        let Some(mut message) = message else {
            return;
        };
        message.push(HeaderName::UserAgent, &self.config.user_agent);
        message.push(HeaderName::Contact, &contact);
        request.apply(&mut message);
        if invite && let Some(conversation) = self.conversations.get_mut(with) {
            conversation.set = Some(DialogSet::new(message.clone()));
            conversation.invite = Some((request.id, None));
        }
        let purpose = if request.method == Method::Bye {
            Purpose::Parting
        } else {
            Purpose::Session {
                with: with.clone(),
                conversation: self
                    .conversations
                    .get(with)
                    .map_or(0, |conversation| conversation.serial),
                request: request.id,
            }
        };
        let client = self.send_request(now, message, purpose);
        if let (Some(client), Some(conversation)) = (client, self.conversations.get_mut(with)) {
            conversation.moved(request.id, client);
        }
    }

    fn session_reply(&mut self, now: Instant, with: &Aor, reply: &Reply) {
        let contact = self.contact();
        let Some(conversation) = self.conversations.get_mut(with) else {
            return;
        };
        let provisional = reply.status < 200;
        let found = if provisional {
            conversation.servers.get(&reply.transaction).cloned()
        } else {
            conversation.servers.remove(&reply.transaction)
        };
        let Some((server, request)) = found else {
            return;
        };
        let mut response = match &mut conversation.dialog {
            Some(dialog) => dialog.respond(&request, reply.status),
            None => Message::response_to(&request, reply.status, None),
        };
        if request.method() == Some(&Method::Invite) {
            response.push(HeaderName::Contact, &contact);
            if !provisional {
                conversation.offered = None;
            }
        }
        response.push(HeaderName::UserAgent, &self.config.user_agent);
        reply.apply(&mut response);
        self.respond(now, server, response);
    }

    fn session_event(&mut self, with: &Aor, event: Im) {
        let event = match event {
            Im::Established => Event::ConversationStarted { with: with.clone() },
            Im::Text { text, .. } => Event::Text {
                from: with.clone(),
                content_type: text.kind.as_str().to_owned(),
                text: text.text,
            },
            Im::Typing(state) => Event::Typing {
                from: with.clone(),
                active: state == Typing::Type,
            },
            Im::Delivered(text) => match self.reported(with, text) {
                Some(id) => Event::Delivered {
                    to: with.clone(),
                    id,
                },
                None => return,
            },
            Im::Failed {
                text,
                status,
                meaning,
            } => match self.reported(with, text) {
                Some(id) => Event::NotDelivered {
                    to: with.clone(),
                    id,
                    status: status.unwrap_or(408),
                    reason: explain(meaning).to_owned(),
                },
                None => return,
            },
            Im::Notice { text, recipients } => {
                let failed = recipients.iter().find(|one| !one.is_delivered());
                let id = text.and_then(|text| self.reported(with, text));
                match (failed, id) {
                    (Some(_), Some(id)) => Event::NotDelivered {
                        to: with.clone(),
                        id,
                        status: 480,
                        reason: "a server could not deliver it".to_owned(),
                    },
                    (None, Some(id)) => Event::Delivered {
                        to: with.clone(),
                        id,
                    },
                    _ => return,
                }
            }
            Im::Ended(why) => {
                let Some(ended) = self
                    .conversations
                    .remove(with)
                    .filter(|all| !all.superseded)
                else {
                    return;
                };
                let elsewhere = why == Ended::Cancelled && ended.elsewhere;
                Event::ConversationEnded {
                    with: with.clone(),
                    elsewhere,
                }
            }
            // What the user need not know, such as progress.
            _ => return,
        };
        self.events.push_back(event);
    }
}

impl UserAgent {
    /// The fate of a text is known: gives its name.
    fn reported(&mut self, with: &Aor, text: ocs_sipre::im::TextId) -> Option<crate::TextId> {
        let (name, _) = self.conversations.get_mut(with)?.texts.remove(&text)?;
        Some(name)
    }
}

/// What a failure means, for a log.
const fn explain(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Blocked => "blocked by a policy",
        Meaning::DoNotDisturb => "does not want to be disturbed",
        Meaning::UnsupportedType => "cannot show this kind of text",
        Meaning::ServiceUnavailable => "the service is not available",
        Meaning::DialogGone => "has left the conversation",
        Meaning::NoAnswer => "no answer",
        Meaning::SessionEnded => "the conversation is over",
        Meaning::Offline => "is not online",
    }
}
