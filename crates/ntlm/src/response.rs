//! The responses of [MS-NLMP] 3.3 and the session base keys they leave.
//!
//! `server_challenge` is SC of the specification's formulas, and
//! `client_challenge` is CC.

use crate::crypto::{desl, hmac_md5, md4, md5};
use crate::{AvPairs, Error, LmHash, NtHash, NtlmV2Hash, SessionBaseKey};

/// Which of the two families a response belongs to. Not negotiated: both sides
/// are configured for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NtlmVersion {
    /// LM, NTLMv1 or the "NTLM2 session response".
    V1,
    /// NTLMv2 or LMv2.
    V2,
}

/// `LM_RESPONSE`, [MS-NLMP] 2.2.2.3 and 3.3.1.
pub fn lm_response(lm: &LmHash, server_challenge: [u8; 8]) -> [u8; 24] {
    desl(lm.as_bytes(), server_challenge)
}

/// `NTLM_RESPONSE` without extended session security, [MS-NLMP] 2.2.2.6 and 3.3.1.
pub fn ntlmv1_response(nt: &NtHash, server_challenge: [u8; 8]) -> [u8; 24] {
    desl(nt.as_bytes(), server_challenge)
}

/// `NTLM_RESPONSE` with extended session security ("NTLM2 session response"),
/// [MS-NLMP] 3.3.1. The LM response beside it is [`ntlm2_session_lm`].
pub fn ntlm2_session_response(
    nt: &NtHash,
    server_challenge: [u8; 8],
    client_challenge: [u8; 8],
) -> [u8; 24] {
    let hash = md5(&[&server_challenge, &client_challenge]);
    desl(nt.as_bytes(), *hash.first_chunk().expect("16 bytes hold 8"))
}

/// The LM response beside an [`ntlm2_session_response`]: the client challenge
/// and zeros.
pub fn ntlm2_session_lm(client_challenge: [u8; 8]) -> [u8; 24] {
    let mut out = [0; 24];
    out[..8].copy_from_slice(&client_challenge);
    out
}

/// `LMv2_RESPONSE`, [MS-NLMP] 2.2.2.4 and 3.3.2.
pub fn lmv2_response(
    hash: &NtlmV2Hash,
    server_challenge: [u8; 8],
    client_challenge: [u8; 8],
) -> [u8; 24] {
    let mut out = [0; 24];
    let response = hmac_md5(hash.as_bytes(), &[&server_challenge, &client_challenge]);
    out[..16].copy_from_slice(&response);
    out[16..].copy_from_slice(&client_challenge);
    out
}

/// `NTLMv2_RESPONSE`, [MS-NLMP] 2.2.2.8: `NTProofStr` and the client challenge
/// structure (`temp` of the formulas).
///
/// `time` is a FILETIME, `av_pairs` a list with its end, or empty.
pub fn ntlmv2_response(
    hash: &NtlmV2Hash,
    server_challenge: [u8; 8],
    client_challenge: [u8; 8],
    time: u64,
    av_pairs: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 + av_pairs.len());
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&time.to_le_bytes());
    out.extend_from_slice(&client_challenge);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(av_pairs);
    out.extend_from_slice(&[0; 4]);
    let proof = nt_proof_str(hash, server_challenge, &out[16..]);
    out[..16].copy_from_slice(&proof);
    out
}

/// `NTProofStr`, [MS-NLMP] 3.3.2, over `temp` as sent or received.
pub fn nt_proof_str(hash: &NtlmV2Hash, server_challenge: [u8; 8], temp: &[u8]) -> [u8; 16] {
    hmac_md5(hash.as_bytes(), &[&server_challenge, temp])
}

/// A received `NTLMv2_RESPONSE`, [MS-NLMP] 2.2.2.8.
#[derive(Clone, Copy, Debug)]
pub struct NtlmV2Response<'a> {
    /// The proof that the client knows the password.
    pub nt_proof_str: [u8; 16],
    /// `NTLMv2_CLIENT_CHALLENGE` and what follows it: what the proof is made over.
    pub temp: &'a [u8],
    /// `TimeStamp`, FILETIME.
    pub time_stamp: u64,
    /// `ChallengeFromClient`.
    pub challenge_from_client: [u8; 8],
    /// The list that the client returns, with its additions.
    pub av_pairs: AvPairs<'a>,
}

impl<'a> NtlmV2Response<'a> {
    /// Reads a response.
    pub fn parse(response: &'a [u8]) -> Result<Self, Error> {
        let len = response.len();
        let field = crate::Field::NtChallengeResponse;
        let short = Error::Length { field, len };
        let (nt_proof_str, temp) = response.split_first_chunk::<16>().ok_or(short)?;
        let (head, av_pairs) = temp.split_first_chunk::<28>().ok_or(short)?;
        if head[..2] != [1, 1] {
            return Err(Error::ResponseVersion);
        }
        let word = |at: usize| std::array::from_fn(|i| head[at + i]);
        Ok(Self {
            nt_proof_str: *nt_proof_str,
            temp,
            time_stamp: u64::from_le_bytes(word(8)),
            challenge_from_client: word(16),
            av_pairs: AvPairs::parse(av_pairs)?,
        })
    }
}

impl SessionBaseKey {
    /// Of NTLMv1 with or without extended session security: MD4 of the NT hash
    /// ([MS-NLMP] 3.3.1).
    pub fn v1(nt: &NtHash) -> Self {
        Self::from_bytes(md4(nt.as_bytes()))
    }

    /// Of NTLMv2 ([MS-NLMP] 3.3.2).
    pub fn v2(hash: &NtlmV2Hash, nt_proof_str: &[u8; 16]) -> Self {
        Self::from_bytes(hmac_md5(hash.as_bytes(), &[nt_proof_str]))
    }

    /// Of an ANONYMOUS client: zeros (recalled), known to everybody.
    pub const fn anonymous() -> Self {
        Self::from_bytes([0; 16])
    }
}
