//! Nonces without memory: time, and a MAC over it and the client's address.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Octets of a nonce: a hexadecimal number, and a multiple of 4.
pub(super) const NONCE_LEN: usize = 2 * RAW_LEN;

/// Seconds since the start, and the MAC.
const RAW_LEN: usize = 4 + MAC_LEN;

const MAC_LEN: usize = 12;

/// Makes nonces and knows them again.
pub(super) struct Nonces {
    key: Hmac<Sha256>,
    start: Instant,
    life: Duration,
    bound: bool,
}

impl Nonces {
    pub(super) fn new(now: Instant, life: Duration, bound: bool, rng: &mut impl CryptoRng) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *key);
        Self {
            key: Hmac::new_from_slice(&*key).expect("HMAC takes keys of any length"),
            start: now,
            life,
            bound,
        }
    }

    pub(super) fn make(&self, now: Instant, client: IpAddr) -> [u8; NONCE_LEN] {
        let seconds = self.seconds(now).to_be_bytes();
        let mut raw = [0; RAW_LEN];
        raw[..4].copy_from_slice(&seconds);
        raw[4..].copy_from_slice(&self.mac(seconds, client));
        let mut nonce = [0; NONCE_LEN];
        hex::encode_to_slice(raw, &mut nonce).expect("twice the octets");
        nonce
    }

    /// Whether it is one of ours and not too old.
    pub(super) fn is_fresh(&self, now: Instant, client: IpAddr, nonce: &[u8]) -> bool {
        let mut raw = [0; RAW_LEN];
        if hex::decode_to_slice(nonce, &mut raw).is_err() {
            return false;
        }
        let [s0, s1, s2, s3, mac @ ..] = raw;
        let seconds = [s0, s1, s2, s3];
        let age = self.seconds(now).checked_sub(u32::from_be_bytes(seconds));
        age.is_some_and(|age| Duration::from_secs(age.into()) <= self.life)
            && bool::from(self.mac(seconds, client).ct_eq(&mac))
    }

    fn seconds(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.start).as_secs() as u32
    }

    fn mac(&self, seconds: [u8; 4], client: IpAddr) -> [u8; MAC_LEN] {
        let mut mac = self.key.clone();
        mac.update(&seconds);
        if self.bound {
            match client {
                IpAddr::V4(ip) => mac.update(&ip.octets()),
                IpAddr::V6(ip) => mac.update(&ip.octets()),
            }
        }
        let mut short = [0; MAC_LEN];
        short.copy_from_slice(&mac.finalize().into_bytes()[..MAC_LEN]);
        short
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(..)")
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_nonce_has_a_life_and_an_address() {
        let now = Instant::now();
        let mut rng = rand_chacha::ChaCha12Rng::seed_from_u64(1);
        let nonces = Nonces::new(now, Duration::from_secs(300), true, &mut rng);
        let client = IpAddr::from([192, 0, 2, 1]);
        let later = now + Duration::from_secs(1000);
        let nonce = nonces.make(later, client);
        assert!(nonces.is_fresh(later + Duration::from_secs(300), client, &nonce));
        assert!(!nonces.is_fresh(later + Duration::from_secs(301), client, &nonce));
        assert!(!nonces.is_fresh(now, client, &nonce), "from the future");
        assert!(!nonces.is_fresh(later, IpAddr::from([192, 0, 2, 2]), &nonce));
        for index in 0..NONCE_LEN {
            let mut forged = nonce;
            forged[index] = if forged[index] == b'0' { b'1' } else { b'0' };
            assert!(!nonces.is_fresh(later, client, &forged));
        }
        assert!(!nonces.is_fresh(later, client, &nonce[1..]));
        let other = Nonces::new(now, Duration::from_secs(300), true, &mut rng);
        assert!(!other.is_fresh(later, client, &nonce));
    }
}
