//! A host that does what it is told and remembers what it sees.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Closed, Host, HostId, Input, Listener, Output, Testbed};

#[derive(Debug, Default)]
pub struct Puppet {
    pub inputs: Vec<Input>,
    pub outputs: VecDeque<Output>,
    pub timer: Option<Instant>,
    pub fired: Vec<Instant>,
    /// Sends back what comes, and closes what is closed.
    pub echo: bool,
}

impl Puppet {
    pub fn echo() -> Self {
        Self {
            echo: true,
            ..Self::default()
        }
    }

    pub fn send(&mut self, connection: u64, data: impl Into<Bytes>) {
        let connection = ConnectionId(connection);
        self.outputs.push_back(Output::Send {
            connection,
            data: data.into(),
        });
    }

    pub fn connect(&mut self, connection: u64, peer: SocketAddr, transport: Transport) {
        let connection = ConnectionId(connection);
        let server_name = (transport == Transport::Tls).then(|| "sip.contoso.com".to_owned());
        self.outputs.push_back(Output::Connect {
            connection,
            peer,
            transport,
            server_name,
        });
    }

    pub fn datagram(&mut self, local: SocketAddr, peer: SocketAddr, data: impl Into<Bytes>) {
        self.outputs.push_back(Output::Datagram {
            local,
            peer,
            data: data.into(),
        });
    }

    pub fn closed(&self) -> Vec<Closed> {
        let closed = self.inputs.iter().filter_map(|input| match input {
            Input::Closed { how, .. } => Some(*how),
            _ => None,
        });
        closed.collect()
    }

    /// The pieces of all streams.
    pub fn pieces(&self) -> Vec<Bytes> {
        let pieces = self.inputs.iter().filter_map(|input| match input {
            Input::Data { data, .. } => Some(data.clone()),
            _ => None,
        });
        pieces.collect()
    }

    pub fn stream(&self) -> Vec<u8> {
        self.pieces().concat()
    }

    pub fn datagrams(&self) -> Vec<Bytes> {
        let datagrams = self.inputs.iter().filter_map(|input| match input {
            Input::Datagram { data, .. } => Some(data.clone()),
            _ => None,
        });
        datagrams.collect()
    }
}

impl Host for Puppet {
    fn handle_input(&mut self, _now: Instant, input: Input) {
        if self.echo {
            match &input {
                Input::Data { connection, data } => self.outputs.push_back(Output::Send {
                    connection: *connection,
                    data: data.clone(),
                }),
                Input::Closed {
                    connection,
                    how: Closed::Fin,
                } => {
                    self.outputs.push_back(Output::Close {
                        connection: *connection,
                    });
                }
                Input::Datagram { local, peer, data } => self.outputs.push_back(Output::Datagram {
                    local: *local,
                    peer: *peer,
                    data: data.clone(),
                }),
                _ => {}
            }
        }
        self.inputs.push(input);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.timer = None;
        self.fired.push(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timer
    }
}

pub fn address(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::from([10, 0, 0, last]), port)
}

pub fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub struct Pair {
    pub testbed: Testbed,
    pub alice: HostId,
    pub bob: HostId,
}

impl Pair {
    /// Two hosts; the second one echoes if told so and listens on 5060 (TCP) and 5061 (TLS).
    pub fn new(seed: u64, echo: bool) -> Self {
        let mut testbed = Testbed::new(seed, Instant::now(), SystemTime::UNIX_EPOCH);
        let alice = testbed.add_host("alice", [address(1, 0).ip()], Puppet::default());
        let bob = testbed.add_host(
            "bob",
            [address(2, 0).ip()],
            Puppet {
                echo,
                ..Puppet::default()
            },
        );
        testbed.listen(bob, Listener::tcp(address(2, 5060)));
        testbed.listen(bob, Listener::tls(address(2, 5061), ["sip.contoso.com"]));
        Self {
            testbed,
            alice,
            bob,
        }
    }

    /// The same with connection 1 from alice to bob.
    pub fn connected(seed: u64, echo: bool) -> Self {
        let mut pair = Self::new(seed, echo);
        pair.alice(|alice| alice.connect(1, address(2, 5060), Transport::Tcp));
        pair.testbed.run_until_idle().unwrap();
        pair
    }

    pub fn alice(&mut self, command: impl FnOnce(&mut Puppet)) {
        self.testbed
            .command(self.alice, |puppet, _| command(puppet));
    }

    pub fn bob(&mut self, command: impl FnOnce(&mut Puppet)) {
        self.testbed.command(self.bob, |puppet, _| command(puppet));
    }

    pub fn at_alice(&self) -> &Puppet {
        self.testbed.host(self.alice)
    }

    pub fn at_bob(&self) -> &Puppet {
        self.testbed.host(self.bob)
    }

    /// Bob's number for the connection that alice calls 1.
    pub fn bobs_connection(&self) -> ConnectionId {
        let peer = self.testbed.peer_of(self.alice, ConnectionId(1));
        peer.expect("alice is connected").1
    }
}
