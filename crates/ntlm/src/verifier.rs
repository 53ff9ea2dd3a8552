//! Who knows the passwords.

use crate::response::{
    NtlmV2Response, NtlmVersion, lm_response, lmv2_response, nt_proof_str, ntlm2_session_response,
    ntlmv1_response,
};
use crate::{Credential, LmHash, NegotiateFlags, NtHash, NtlmV2Hash, SessionBaseKey};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// What a client claims, and its proof.
///
/// The fields are what a domain controller needs for a network logon.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The user as sent. Users are compared without regard to case.
    pub user: &'a str,
    /// The domain as sent, often empty.
    pub domain: &'a str,
    /// The client's machine as sent. Proves nothing.
    pub workstation: &'a str,
    /// `ServerChallenge`.
    pub server_challenge: [u8; 8],
    /// `NtChallengeResponse`: empty, 24 bytes (NTLMv1) or longer (NTLMv2).
    pub nt_response: &'a [u8],
    /// `LmChallengeResponse`.
    pub lm_response: &'a [u8],
    /// What was negotiated.
    pub flags: NegotiateFlags,
    /// Whether an LM or LMv2 response counts where the NT response does not.
    pub allow_lm: bool,
}

impl std::fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .field("workstation", &self.workstation)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

impl Attempt<'_> {
    /// Of which family the NT response is: longer than 24 bytes is NTLMv2. An
    /// attempt without NT response counts as NTLMv2 (LMv2).
    pub const fn version(&self) -> NtlmVersion {
        if self.nt_response.len() == 24 {
            NtlmVersion::V1
        } else {
            NtlmVersion::V2
        }
    }
}

/// What a verifier returns for a proven attempt.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The session base key.
    pub session_base_key: SessionBaseKey,
    /// Of which family the response is that was right.
    pub version: NtlmVersion,
    /// The LM hash, for the session keys of NTLMv1 that are made of it.
    pub lm_hash: Option<LmHash>,
}

impl Verified {
    /// The answer of a domain controller to `attempt`.
    pub fn new(attempt: &Attempt<'_>, session_base_key: SessionBaseKey) -> Self {
        Self {
            session_base_key,
            version: attempt.version(),
            lm_hash: None,
        }
    }
}

/// Decides whether an attempt proves the knowledge of the user's password.
///
/// A deployment whose accounts live in a domain implements this by forwarding
/// the attempt to a domain controller; with hashes at hand, [`HashVerifier`]
/// does it here.
pub trait Verifier {
    /// `None` if the user is not known or the proof is wrong; the two should
    /// take the same time.
    fn verify(&self, attempt: &Attempt<'_>) -> Option<Verified>;
}

/// A [`Verifier`] over a lookup of hashes by user and domain.
///
/// The lookup gets user and domain as the client sent them and returns
/// [`NtHash`] or [`Credential`]; it should not regard case, and its own time
/// should not depend on whether it finds the user. All further work is the
/// same for unknown users, wrong passwords and right ones.
///
/// ```
/// use ocs_ntlm::{HashVerifier, NtHash};
/// let verifier = HashVerifier::new(|user: &str, domain: &str| {
///     (user.eq_ignore_ascii_case("alice") && domain.eq_ignore_ascii_case("CONTOSO"))
///         .then(|| NtHash::from_password("Passw0rd"))
/// });
/// ```
#[derive(Clone)]
pub struct HashVerifier<F> {
    lookup: F,
}

impl<F> std::fmt::Debug for HashVerifier<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashVerifier(..)")
    }
}

impl<F, C> HashVerifier<F>
where
    F: Fn(&str, &str) -> Option<C>,
    C: Into<Credential>,
{
    /// A verifier that asks `lookup(user, domain)`.
    pub const fn new(lookup: F) -> Self {
        Self { lookup }
    }
}

impl<F, C> Verifier for HashVerifier<F>
where
    F: Fn(&str, &str) -> Option<C>,
    C: Into<Credential>,
{
    fn verify(&self, attempt: &Attempt<'_>) -> Option<Verified> {
        let found = (self.lookup)(attempt.user, attempt.domain);
        let known = Choice::from(u8::from(found.is_some()));
        // Whose password no one knows: unknown users fail as slowly as others.
        let credential =
            found.map_or_else(|| Credential::from(NtHash::from_bytes([0; 16])), Into::into);
        let (valid, verified) = match attempt.version() {
            NtlmVersion::V2 => check_v2(&credential, attempt),
            NtlmVersion::V1 => check_v1(&credential, attempt),
        };
        bool::from(valid & known).then_some(verified)
    }
}

/// NTLMv2, and LMv2 where allowed, with the domain as sent and with none:
/// [MS-NLMP] 3.2.5.1.2 bears with clients that leave the domain out of their
/// computation.
fn check_v2(credential: &Credential, attempt: &Attempt<'_>) -> (Choice, Verified) {
    let (valid, key) = check_v2_hash(&credential.nt.v2(attempt.user, attempt.domain), attempt);
    let (valid_bare, key_bare) = check_v2_hash(&credential.nt.v2(attempt.user, ""), attempt);
    let mut base = [0; 16];
    for ((out, with), bare) in base.iter_mut().zip(key.as_bytes()).zip(key_bare.as_bytes()) {
        *out = u8::conditional_select(bare, with, valid);
    }
    let verified = Verified {
        session_base_key: SessionBaseKey::from_bytes(base),
        version: NtlmVersion::V2,
        lm_hash: None,
    };
    (valid | valid_bare, verified)
}

fn check_v2_hash(hash: &NtlmV2Hash, attempt: &Attempt<'_>) -> (Choice, SessionBaseKey) {
    let mut valid = Choice::from(0);
    // Without an NT response the LMv2 response is what the key is made of (recalled).
    let mut proof = [0; 16];
    if let Ok(response) = NtlmV2Response::parse(attempt.nt_response) {
        proof = nt_proof_str(hash, attempt.server_challenge, response.temp);
        valid = proof.ct_eq(&response.nt_proof_str);
    }
    if attempt.allow_lm
        && let Ok(lm) = <&[u8; 24]>::try_from(attempt.lm_response)
    {
        let client_challenge = *lm.last_chunk().expect("24 bytes hold 8");
        let expected = lmv2_response(hash, attempt.server_challenge, client_challenge);
        valid |= expected.ct_eq(lm);
        if attempt.nt_response.is_empty() {
            proof.copy_from_slice(&expected[..16]);
        }
    }
    (valid, SessionBaseKey::v2(hash, &proof))
}

/// NTLMv1 with or without extended session security, and LM where allowed.
fn check_v1(credential: &Credential, attempt: &Attempt<'_>) -> (Choice, Verified) {
    let challenge = attempt.server_challenge;
    let ess = attempt.flags.ess();
    let expected = if ess {
        let client_challenge = attempt
            .lm_response
            .first_chunk()
            .copied()
            .unwrap_or_default();
        ntlm2_session_response(&credential.nt, challenge, client_challenge)
    } else {
        ntlmv1_response(&credential.nt, challenge)
    };
    let mut valid = expected.ct_eq(attempt.nt_response);
    if attempt.allow_lm && !ess {
        let (known, hash) = match &credential.lm {
            Some(hash) => (1, hash),
            None => (0, &LmHash::from_bytes([0; 16])),
        };
        let right = lm_response(hash, challenge).ct_eq(attempt.lm_response);
        valid |= right & Choice::from(known);
    }
    let verified = Verified {
        session_base_key: SessionBaseKey::v1(&credential.nt),
        version: NtlmVersion::V1,
        lm_hash: credential.lm.clone(),
    };
    (valid, verified)
}
