//! What is received (\[MS-SIPAE\] 3.2.5.2).

use std::time::Instant;

use ocs_sip_core::header::{AuthHeader, HeaderValue};
use ocs_sip_core::{HeaderName, Message, Method};

use super::handshake::Handshake;
use super::{Client, Discard, Established, Event, Verdict};
use crate::association::{Association, Refusal};
use crate::headers::{Info, same_target};

impl Client {
    /// Judges a request or response of the server.
    pub fn verify(&mut self, now: Instant, message: &Message) -> Verdict {
        let mut is_signed = false;
        for name in [
            HeaderName::AuthenticationInfo,
            HeaderName::ProxyAuthenticationInfo,
        ] {
            for header in message.lines(name).filter_map(AuthHeader::parse_value) {
                // Infos of other schemes (Digest) are none of ours.
                let Ok(info) = Info::read(&header) else {
                    continue;
                };
                is_signed = true;
                match self.verify_info(now, message, &info) {
                    Verdict::Discard(Discard::NoAssociation) => {}
                    verdict => return verdict,
                }
            }
        }
        if is_signed {
            return Verdict::Discard(Discard::NoAssociation);
        }
        if self.established.is_empty() || !self.config.discard_unsigned || may_be_unsigned(message)
        {
            Verdict::Unsigned
        } else {
            Verdict::Discard(Discard::Unsigned)
        }
    }

    fn verify_info(&mut self, now: Instant, message: &Message, info: &Info<'_>) -> Verdict {
        let matches = |association: &Association| {
            association.scheme == info.scheme
                && *association.realm == *info.realm
                && same_target(&association.targetname, info.targetname)
        };
        // Of an association and the one that is to replace it, opaque tells which one signed.
        let same_opaque = |association: &Association| {
            info.opaque
                .is_none_or(|opaque| *association.opaque == *opaque)
        };
        let old = self
            .established
            .iter()
            .position(|established| matches(&established.association));
        let new = self.attempts.iter().position(|attempt| {
            let ready = attempt.handshake.as_ref().and_then(Handshake::ready);
            ready.is_some_and(matches)
        });
        let exact = old.is_some_and(|at| same_opaque(&self.established[at].association));
        let buffer = &mut self.scratch.buffer;
        if let (Some(at), true) = (old, exact || new.is_none()) {
            let association = &mut self.established[at].association;
            return verdict(association.verify(message, info.salt(), &info.signature, buffer));
        }
        let Some(at) = new else {
            return Verdict::Discard(Discard::NoAssociation);
        };
        let Some(handshake) = &mut self.attempts[at].handshake else {
            return Verdict::Discard(Discard::NoAssociation);
        };
        let checked = handshake.verify(message, info, buffer);
        if checked.is_ok() {
            self.establish(now, at, old, info.opaque);
        }
        verdict(checked)
    }

    /// The handshake of this attempt has led to a verified message.
    fn establish(
        &mut self,
        now: Instant,
        attempt: usize,
        old: Option<usize>,
        opaque: Option<&str>,
    ) {
        let Some(handshake) = self.attempts.remove(attempt).handshake else {
            return;
        };
        let Some((mut association, proxy, expires_at)) = handshake.finish() else {
            return;
        };
        if let Some(opaque) = opaque {
            association.opaque = opaque.into();
        }
        self.events.push_back(Event::Established {
            scheme: association.scheme,
            realm: association.realm.clone(),
            targetname: association.targetname.clone(),
        });
        if let Some(old) = old {
            self.established.remove(old);
        }
        // An association of another scheme with the same server is replaced too.
        self.established.retain(|other| {
            other.association.realm != association.realm
                || !same_target(&other.association.targetname, &association.targetname)
        });
        let renew_at = expires_at
            .checked_sub(self.config.renew_before)
            .unwrap_or(now);
        self.established.push(Established {
            association,
            proxy,
            renew_at: Some(renew_at),
            expires_at,
        });
    }
}

fn verdict(checked: Result<(), Refusal>) -> Verdict {
    match checked {
        Ok(()) => Verdict::Accepted,
        Err(refusal) => Verdict::Discard(Discard::Refused(refusal)),
    }
}

/// What is processed without a signature though there is an association: challenges, provisional responses, responses to REGISTER.
fn may_be_unsigned(message: &Message) -> bool {
    match message.status() {
        None => false,
        Some(100..=199 | 401 | 407) => true,
        Some(_) => message
            .cseq()
            .is_ok_and(|cseq| cseq.method() == Method::Register),
    }
}
