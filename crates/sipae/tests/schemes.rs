//! Schemes with other numbers of steps fit the traits: one that is done at once, and one whose server has the last token.

mod common;

use std::time::{Duration, Instant, SystemTime};

use common::pair::{Pair, server, server_config, wall_clock};
use ocs_ntlm::Verifier;
use ocs_sip_core::Method;
use ocs_sipae::client::{Client, ClientConfig};
use ocs_sipae::context::{
    BadSignature, ClientHandshake, ClientScheme, ClientStep, SecurityContext, ServerHandshake,
    ServerScheme, ServerStep, Surroundings,
};
use ocs_sipae::headers::Challenge;
use ocs_sipae::{Account, Error, Scheme, Signature};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// Adds up octets: no security at all, but different for different messages.
#[derive(Debug)]
struct Sum(u8);

impl SecurityContext for Sum {
    fn sign(&mut self, buffer: &[u8]) -> Signature {
        let sum = buffer.iter().fold(u64::from(self.0), |sum, octet| {
            sum.wrapping_mul(31).wrapping_add(u64::from(*octet))
        });
        Signature::new(&sum.to_be_bytes()).unwrap()
    }

    fn verify(&mut self, buffer: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        (self.sign(buffer).as_bytes() == signature)
            .then_some(())
            .ok_or(BadSignature)
    }
}

/// A scheme with `tokens` of the client before the keys stand; each but the last of a ticket scheme is answered.
#[derive(Debug, Clone)]
struct Toy {
    scheme: Scheme,
    steps: usize,
    not_after: Option<SystemTime>,
    fails: bool,
}

#[derive(Debug)]
struct ToyState(Toy, usize);

impl Toy {
    fn ticket() -> Self {
        Self {
            scheme: Scheme::Kerberos,
            steps: 1,
            not_after: None,
            fails: false,
        }
    }

    fn tls() -> Self {
        Self {
            scheme: Scheme::TlsDsk,
            steps: 2,
            ..Self::ticket()
        }
    }
}

impl ClientScheme for Toy {
    fn scheme(&self) -> Scheme {
        self.scheme
    }

    fn start(&self, _challenge: &Challenge<'_>) -> Result<Box<dyn ClientHandshake>, Error> {
        if self.fails {
            return Err(Error::UnexpectedToken(self.scheme));
        }
        Ok(Box::new(ToyState(self.clone(), 0)))
    }
}

impl ClientHandshake for ToyState {
    fn step(&mut self, token: Option<&[u8]>, _: Surroundings<'_>) -> Result<ClientStep, Error> {
        assert_eq!(token.is_none(), self.1 == 0);
        self.1 += 1;
        let done = |token| ClientStep::Done {
            token,
            context: Box::new(Sum(7)),
            not_after: self.0.not_after,
        };
        Ok(match self.0.scheme {
            Scheme::Kerberos => done(Some(b"ticket".to_vec())),
            _ if self.1 <= self.0.steps => ClientStep::Continue(vec![self.1 as u8]),
            _ => done(None),
        })
    }
}

impl ServerScheme for Toy {
    fn scheme(&self) -> Scheme {
        self.scheme
    }

    fn targetname(&self, fqdn: &str) -> String {
        match self.scheme {
            Scheme::Kerberos => format!("sip/{fqdn}"),
            _ => fqdn.to_owned(),
        }
    }

    fn start(&self) -> Box<dyn ServerHandshake> {
        Box::new(ToyState(self.clone(), 0))
    }
}

impl ServerHandshake for ToyState {
    fn step(
        &mut self,
        token: &[u8],
        _: &dyn Verifier,
        _: Surroundings<'_>,
    ) -> Result<ServerStep, Error> {
        assert!(!token.is_empty());
        self.1 += 1;
        if self.1 < self.0.steps {
            return Ok(ServerStep::Continue(b"flight".to_vec()));
        }
        Ok(ServerStep::Done {
            token: (self.0.scheme == Scheme::TlsDsk).then(|| b"finished".to_vec()),
            account: Account {
                user: "alice".to_owned(),
                domain: String::new(),
            },
            context: Box::new(Sum(7)),
            not_after: self.0.not_after,
        })
    }
}

fn toy_client(now: Instant, schemes: &[Toy]) -> Client {
    let schemes = schemes
        .iter()
        .map(|toy| Box::new(toy.clone()) as Box<dyn ClientScheme>);
    let config = ClientConfig::new(schemes.collect());
    Client::new(config, wall_clock(now), ChaCha12Rng::seed_from_u64(1))
}

#[test]
fn round_trips_of_the_schemes() {
    let now = Instant::now();
    for (toy, trips) in [(Toy::ticket(), 2), (Toy::tls(), 4)] {
        let mut config = server_config();
        config.schemes.insert(0, Box::new(toy.clone()));
        let mut server = server(now, config);
        let mut pair = Pair::new(now, "alice", "01", 1);
        pair.client = toy_client(now, std::slice::from_ref(&toy));
        assert_eq!(pair.register(&mut server), Ok(trips), "{toy:?}");
        assert_eq!(server.half_open(), 0);
        pair.accepted(&mut server, Method::Message);
        let message = pair.delivered(&mut server, 1);
        let verdict = pair.client.verify(now, &message);
        assert_eq!(verdict, ocs_sipae::client::Verdict::Accepted);
    }
}

#[test]
fn a_scheme_that_fails_gives_way_to_the_next() {
    let now = Instant::now();
    let mut config = server_config();
    config.schemes.insert(0, Box::new(Toy::tls()));
    config.schemes.insert(1, Box::new(Toy::ticket()));
    let mut server = server(now, config);
    let mut pair = Pair::new(now, "alice", "01", 1);
    let broken = Toy {
        fails: true,
        ..Toy::tls()
    };
    pair.client = toy_client(now, &[broken, Toy::ticket()]);
    assert_eq!(pair.register(&mut server), Ok(2));
    assert_eq!(pair.client.scheme().unwrap().0, Scheme::Kerberos);
}

#[test]
fn an_association_ends_with_its_ticket() {
    let now = Instant::now();
    let minutes = |n: u64| Duration::from_mins(n);
    let toy = Toy {
        not_after: Some(wall_clock(now).at(now) + minutes(30)),
        ..Toy::ticket()
    };
    let mut config = server_config();
    config.schemes.insert(0, Box::new(toy.clone()));
    let mut server = server(now, config);
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.client = toy_client(now, &[toy]);
    pair.register(&mut server).unwrap();
    assert_eq!(pair.client.poll_timeout(), Some(now + minutes(25)));
    server.handle_timeout(now + minutes(30));
    assert_eq!(server.associations(), 0);
}
