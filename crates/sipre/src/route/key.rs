//! Integrity of the routing state that a client carries around.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Octets of a tag: HMAC-SHA-256 cut to 128 bits (RFC 2104 5).
const TAG_LEN: usize = 16;

/// The key with which a server, or all front ends of a pool, signs `ms-route-sig` and `ms-internal-info`.
///
/// Tags are private to who holds the key; other implementations only carry them.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RouteKey([u8; 32]);

impl core::fmt::Debug for RouteKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RouteKey(..)")
    }
}

impl RouteKey {
    /// 32 octets from a source of randomness.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn mac(&self, label: &str, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(label.as_bytes());
        for part in parts {
            // Lengths keep ("a", "bc") and ("ab", "c") apart.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }

    fn tag(&self, label: &str, parts: &[&str]) -> String {
        let tag = self.mac(label, parts).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(&tag[..TAG_LEN])
    }

    fn is_tag(&self, label: &str, parts: &[&str], tag: &str) -> bool {
        let mut octets = [0; TAG_LEN];
        let decoded = URL_SAFE_NO_PAD.decode_slice(tag, &mut octets);
        // Constant time over the tag; its length is no secret.
        decoded == Ok(TAG_LEN)
            && self
                .mac(label, parts)
                .verify_truncated_left(&octets)
                .is_ok()
    }

    pub(super) fn sign_route(&self, call_id: &str, state: &str) -> String {
        self.tag("route", &[call_id, state])
    }

    pub(super) fn is_route(&self, call_id: &str, state: &str, tag: &str) -> bool {
        self.is_tag("route", &[call_id, state], tag)
    }

    /// An `ms-internal-info` that binds the own Via to the Via value below it, so that a callee cannot lead the response
    /// onto another connection.
    #[must_use]
    pub fn seal_via(&self, branch: &str, next_via: &str) -> String {
        self.tag("via", &[branch, next_via])
    }

    /// Whether [`seal_via`](Self::seal_via) made `seal` of the same values.
    #[must_use]
    pub fn is_via_seal(&self, branch: &str, next_via: &str, seal: &str) -> bool {
        self.is_tag("via", &[branch, next_via], seal)
    }
}
