//! The exchange that makes a TCP connection look like TLS to a firewall ([MS-TURN] 2.1.1). Nothing is encrypted.

use rand_core::Rng;

/// Octets of the client's hello.
pub const CLIENT_HELLO_LEN: usize = 50;

/// Octets of the server's answer: ServerHello and ServerHelloDone in one record.
pub const SERVER_HELLO_LEN: usize = 83;

/// What the first octets of a connection to the server are: this begins pseudo-TLS, a frame begins bare TCP.
pub const RECORD_START: [u8; 4] = [0x16, 0x03, 0x01, 0x00];

/// Where time and random are in both hellos.
const RANDOM: core::ops::Range<usize> = 11..43;

/// Where the session identifier is in the server's.
const SESSION_ID: core::ops::Range<usize> = 44..76;

/// The hello with zeros for time and random.
#[rustfmt::skip]
const CLIENT_HELLO: [u8; CLIENT_HELLO_LEN] = [
    0x16, 0x03, 0x01, 0x00, 0x2D, // record: handshake, TLS 1.0, 45 octets
    0x01, 0x00, 0x00, 0x29,       // ClientHello, 41 octets
    0x03, 0x01,                   // version
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x00,                         // no session
    0x00, 0x02, 0x00, 0x18,       // TLS_DH_anon_WITH_RC4_128_MD5
    0x01, 0x00,                   // no compression
];

/// The answer with zeros for time, random and session identifier.
#[rustfmt::skip]
const SERVER_HELLO: [u8; SERVER_HELLO_LEN] = [
    0x16, 0x03, 0x01, 0x00, 0x4E, // record: handshake, TLS 1.0, 78 octets
    0x02, 0x00, 0x00, 0x46,       // ServerHello, 70 octets
    0x03, 0x01,                   // version
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x20,                         // session identifier, 32 octets
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x00, 0x18,                   // the cipher suite
    0x00,                         // no compression
    0x0E, 0x00, 0x00, 0x00,       // ServerHelloDone
];

/// A hello of a client. Time and random are random octets.
pub fn client_hello(rng: &mut (impl Rng + ?Sized)) -> [u8; CLIENT_HELLO_LEN] {
    let mut hello = CLIENT_HELLO;
    rng.fill_bytes(&mut hello[RANDOM]);
    hello
}

/// An answer of a server. Time, random and session identifier are random octets.
pub fn server_hello(rng: &mut (impl Rng + ?Sized)) -> [u8; SERVER_HELLO_LEN] {
    let mut hello = SERVER_HELLO;
    rng.fill_bytes(&mut hello[RANDOM]);
    rng.fill_bytes(&mut hello[SESSION_ID]);
    hello
}

/// Whether it is the hello, as far as it is fixed.
#[must_use]
pub fn is_client_hello(hello: &[u8; CLIENT_HELLO_LEN]) -> bool {
    let mut hello = *hello;
    hello[RANDOM].fill(0);
    hello == CLIENT_HELLO
}

/// Whether it is the answer, as far as it is fixed.
#[must_use]
pub fn is_server_hello(hello: &[u8; SERVER_HELLO_LEN]) -> bool {
    let mut hello = *hello;
    hello[RANDOM].fill(0);
    hello[SESSION_ID].fill(0);
    hello == SERVER_HELLO
}

/// Collects the hello of the other side, `N` octets, from a stream that is cut anyhow.
#[derive(Debug)]
pub(crate) struct Hello<const N: usize> {
    octets: [u8; N],
    len: usize,
}

impl<const N: usize> Hello<N> {
    pub(crate) const fn new() -> Self {
        Self {
            octets: [0; N],
            len: 0,
        }
    }

    /// Takes octets from the front of `input`; the hello when it is complete.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Option<&[u8; N]> {
        let (taken, rest) = input.split_at(input.len().min(N - self.len));
        self.octets[self.len..self.len + taken.len()].copy_from_slice(taken);
        self.len += taken.len();
        *input = rest;
        (self.len == N).then_some(&self.octets)
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn hellos_of_real_programs() {
        // libnice's hello, and the answer of OfficeSIP.
        let client = hex::decode("160301002d010000290301c1fcd5a36d93dd7e0b45673fec7985fbbc3fd660c2ce8485081b8121bcaa10fb00000200180100").unwrap();
        assert!(is_client_hello(client.as_array().unwrap()));
        let server = hex::decode("160301004e020000460301420100000000000000000000000000000000000000000000000000000000000020c8d34b01ada722dbee30851aa958a4da654be1ae0000000000000000000000000018000e000000").unwrap();
        assert!(is_server_hello(server.as_array().unwrap()));
    }

    #[test]
    fn only_the_fixed_octets_count() {
        let mut rng = rand_chacha::ChaCha12Rng::seed_from_u64(1);
        let client = client_hello(&mut rng);
        assert!(is_client_hello(&client));
        for index in 0..CLIENT_HELLO_LEN {
            let mut changed = client;
            changed[index] ^= 1;
            assert_eq!(is_client_hello(&changed), RANDOM.contains(&index));
        }
        let server = server_hello(&mut rng);
        assert!(is_server_hello(&server));
        for index in 0..SERVER_HELLO_LEN {
            let mut changed = server;
            changed[index] ^= 1;
            assert_eq!(
                is_server_hello(&changed),
                RANDOM.contains(&index) || SESSION_ID.contains(&index)
            );
        }
    }
}
