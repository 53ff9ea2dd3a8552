//! A user gets credentials for the media relay ([MS-AVEDGEA]), allocates a relayed address ([MS-TURN]), and talks to a peer through it.
//!
//! The request for credentials goes straight to the credentials server here; in a deployment it goes by way of the front end, which says who asks.
//! Prints the ladder. `--trace` adds the full text of each message, `--svg FILE` writes the ladder as a picture, `--seed N` chooses another run.

use std::collections::VecDeque;
use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ocs_avedgea::client::{self as mras, Access, RelayClient};
use ocs_avedgea::document::Location;
use ocs_avedgea::server::{self, Pool, RelayAuthentication, Requester};
use ocs_avedgea::token::{Issuer, Key};
use ocs_examples::net::{Accounts, shared_keys};
use ocs_examples::{finish, stun_dissectors, user};
use ocs_hosts::RelayHost;
use ocs_sip_core::framing::{Frame as Sip, Framer};
use ocs_sip_core::{ConnectionId, HeaderName, Limits, Transport, WallClock};
use ocs_testbed::{Host, Input, Listener, Options, Output as Wire, Testbed, sip_dissectors};
use ocs_turn::client::{self as turn, Client, Credentials, Event, Output};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const ALICE: &str = "198.51.100.7:49200";
const BOB: &str = "192.0.2.99:5000";
const RELAY: &str = "203.0.113.3:3478";
const MRAS: &str = "203.0.113.4:5062";
const MRAS_URI: &str =
    "sip:edge.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:tmsOHGdb9lGxCPJSi2p6eAAA";
const SIP: ConnectionId = ConnectionId(1);

fn at(address: &str) -> SocketAddr {
    address.parse().expect("an address")
}

/// Alice's machine.
struct Alice {
    mras: RelayClient,
    framer: Framer,
    turn: Option<Client<ChaCha12Rng>>,
    seed: u64,
    outputs: VecDeque<Wire>,
    /// Relayed address, once there is one.
    relayed: Option<SocketAddr>,
    active: bool,
    released: bool,
    /// What peers said.
    heard: Vec<String>,
}

impl Alice {
    fn new(seed: u64) -> Result<Self, ocs_avedgea::Error> {
        let config = mras::Config::new("sip:alice@contoso.com", MRAS_URI, Location::Internet);
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        Ok(Self {
            mras: RelayClient::new(config, ocs_avedgea::Limits::default(), &mut rng)?,
            framer: Framer::new(Limits::default()),
            turn: None,
            seed,
            outputs: VecDeque::new(),
            relayed: None,
            active: false,
            released: false,
            heard: Vec::new(),
        })
    }

    fn sign_on(&mut self) {
        self.outputs.push_back(Wire::Connect {
            connection: SIP,
            peer: at(MRAS),
            transport: Transport::Tls,
            server_name: Some("edge.contoso.com".to_owned()),
        });
    }

    /// Asks for credentials.
    fn ask(&mut self, now: Instant) {
        self.mras.request(now);
        let Some(service) = self.mras.poll_transmit() else {
            return;
        };
        let request = service
            .into_message("<sip:alice@contoso.com>;tag=1;epid=01010101")
            .with(HeaderName::Via, "SIP/2.0/TLS 198.51.100.7:49152")
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::CallId, "mras-1@contoso.com")
            .with(HeaderName::CSeq, "1 SERVICE");
        self.outputs.push_back(Wire::Send {
            connection: SIP,
            data: request.to_bytes(),
        });
    }

    fn handle_sip(&mut self, now: Instant, data: Bytes) {
        self.framer.push_bytes(data);
        while let Some(Ok(frame)) = self.framer.poll_frame() {
            if let Sip::Message(answer) = frame {
                self.mras.handle_response(now, Some(&answer));
            }
        }
        if self.mras.poll_event() == Some(mras::Event::Granted)
            && let Some(access) = self.mras.access()
        {
            self.turn = Some(allocate(now, access, self.seed));
        }
    }

    fn with_turn(&mut self, act: impl FnOnce(&mut Client<ChaCha12Rng>)) {
        if let Some(client) = &mut self.turn {
            act(client);
            while let Some(event) = client.poll_event() {
                match event {
                    Event::Allocated(given) => self.relayed = Some(given.relayed),
                    Event::ActiveDestination { .. } => self.active = true,
                    Event::Data { peer, octets } => {
                        let text = String::from_utf8_lossy(octets);
                        self.heard.push(format!("{peer}: {text}"));
                    }
                    Event::Released => self.released = true,
                    _ => {}
                }
            }
        }
    }
}

/// Uses the relay that the credentials are for. The name would be looked up; there is one here.
fn allocate(now: Instant, access: &Access, seed: u64) -> Client<ChaCha12Rng> {
    let credentials = Credentials {
        username: access.username.as_bytes().into(),
        password: access.password.as_bytes().into(),
    };
    let config = turn::Config::new(at(RELAY), turn::Transport::Udp);
    Client::new(now, config, credentials, ChaCha12Rng::seed_from_u64(!seed))
}

impl Host for Alice {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected { .. } => self.ask(now),
            Input::Data { data, .. } => self.handle_sip(now, data),
            Input::Datagram { data, .. } => self.with_turn(|client| {
                // What is wrong is ignored.
                let _ = client.handle_data(now, &data);
            }),
            _ => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.with_turn(|client| client.handle_timeout(now));
    }

    fn poll_output(&mut self) -> Option<Wire> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        match self.turn.as_mut()?.poll_output()? {
            Output::Send { to, octets } => Some(Wire::Datagram {
                local: at(ALICE),
                peer: to,
                data: Bytes::copy_from_slice(octets),
            }),
            // Over UDP there are no connections.
            _ => None,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.turn.as_ref()?.poll_timeout()
    }
}

/// Answers what comes.
#[derive(Default)]
struct Bob(VecDeque<Wire>);

impl Host for Bob {
    fn handle_input(&mut self, _: Instant, input: Input) {
        if let Input::Datagram { local, peer, data } = input {
            let text = String::from_utf8_lossy(&data);
            let data = Bytes::from(format!("You said: {text}"));
            self.0.push_back(Wire::Datagram { local, peer, data });
        }
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_output(&mut self) -> Option<Wire> {
        self.0.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// The credentials server, for one user: who asks is the front end's to say.
struct Mras {
    service: RelayAuthentication,
    clock: WallClock,
    framer: Framer,
    outputs: VecDeque<Wire>,
}

impl Host for Mras {
    fn handle_input(&mut self, now: Instant, input: Input) {
        let Input::Data { connection, data } = input else {
            return;
        };
        self.framer.push_bytes(data);
        while let Some(Ok(frame)) = self.framer.poll_frame() {
            if let Sip::Message(request) = frame {
                let alice = user("alice");
                let (requester, filetime) = (Requester::User(&alice), self.clock.filetime(now));
                let answer = self.service.answer(&request, requester, filetime, "77");
                let data = answer.to_bytes();
                self.outputs.push_back(Wire::Send { connection, data });
            }
        }
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_output(&mut self) -> Option<Wire> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut testbed = Testbed::new(options.seed, Instant::now(), SystemTime::UNIX_EPOCH);
    testbed.capture(options.pcap.is_some());
    let (mut sip, mut stun) = (sip_dissectors(), stun_dissectors(at(RELAY)));
    testbed.set_dissector(move |flow| match flow.transport {
        Transport::Udp => stun(flow),
        _ => sip(flow),
    });

    // The keys that who gives credentials shares with the relays.
    let keys = shared_keys(&[7; 40])?;
    let issuer = Issuer::new(Key::new(&[3; 20])?, keys.clone());
    let pools = vec![Pool::new(Location::Internet, "av.contoso.com")];
    let config = server::Config::new("edge.contoso.com", pools);
    let service = Mras {
        service: RelayAuthentication::new(config, issuer),
        clock: testbed.wall_clock(),
        framer: Framer::new(Limits::default()),
        outputs: VecDeque::new(),
    };
    let mut accounts = Accounts::new(testbed.wall_clock());
    accounts.accept_tokens(keys);
    let alice = testbed.add_host("alice", [at(ALICE).ip()], Alice::new(options.seed)?);
    let mras = testbed.add_host("mras", [at(MRAS).ip()], service);
    testbed.listen(mras, Listener::tls(at(MRAS), ["edge.contoso.com"]));
    let relay = RelayHost::install_for(accounts, &mut testbed, at(RELAY), options.seed);
    let bob = testbed.add_host("bob", [at(BOB).ip()], Bob::default());

    let wait = |testbed: &mut Testbed, until: fn(&Alice) -> bool| {
        testbed.run_while(|t| !until(t.host(alice)), Duration::from_secs(30))
    };
    testbed.note(
        alice,
        "Alice asks for credentials, and for a relayed address",
    );
    testbed.command(alice, |alice: &mut Alice, _| alice.sign_on());
    wait(&mut testbed, |alice| alice.relayed.is_some())?;

    testbed.note(bob, "Nobody has permitted Bob to send");
    let relayed = testbed.host::<Alice>(alice).relayed;
    let relayed = relayed.ok_or("no relayed address")?;
    testbed.command(bob, |bob: &mut Bob, _| {
        bob.0.push_back(Wire::Datagram {
            local: at(BOB),
            peer: relayed,
            data: Bytes::from_static(b"Is anybody there?"),
        });
    });
    testbed.run_for(Duration::from_secs(1));

    testbed.note(alice, "What Alice sends to Bob permits him to answer");
    say(&mut testbed, alice, "Hi Bob")?;
    wait(&mut testbed, |alice| alice.heard.len() == 1)?;

    testbed.note(alice, "The active destination needs no headers");
    testbed.command(alice, |alice: &mut Alice, now| {
        let mut result = Ok(());
        alice.with_turn(|client| result = client.set_active_destination(now, at(BOB)));
        result
    })?;
    wait(&mut testbed, |alice| alice.active)?;
    say(&mut testbed, alice, "Hi again")?;
    wait(&mut testbed, |alice| alice.heard.len() == 2)?;

    testbed.note(alice, "The allocation is given back");
    testbed.command(alice, |alice: &mut Alice, now| {
        alice.with_turn(|client| client.release(now));
    });
    wait(&mut testbed, |alice| alice.released)?;

    finish(
        &testbed,
        "Relay allocation",
        &[alice, mras, relay, bob],
        &options,
    )?;
    println!("The relayed address was {relayed}");
    for line in &testbed.host::<Alice>(alice).heard {
        println!("Alice heard from {line}");
    }
    Ok(())
}

fn say(
    testbed: &mut Testbed,
    alice: ocs_testbed::HostId,
    text: &str,
) -> Result<(), ocs_turn::Error> {
    testbed.command(alice, |alice: &mut Alice, _| {
        let mut result = Ok(());
        alice.with_turn(|client| result = client.send(at(BOB), text.as_bytes()));
        result
    })
}
