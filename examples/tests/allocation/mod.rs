//! A client of a relay on blocking sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use ocs_turn::client::{Client, Config, Credentials, Event, Failure, Output, Transport};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(20);

pub(crate) struct Allocation {
    client: Client<ChaCha12Rng>,
    udp: UdpSocket,
    tcp: Option<TcpStream>,
    /// The address that peers send to.
    pub(crate) relayed: SocketAddr,
}

pub(crate) fn credentials(username: &[u8], password: &[u8]) -> Credentials {
    Credentials {
        username: username.into(),
        password: password.into(),
    }
}

impl Allocation {
    /// Asks for one.
    pub(crate) fn open(
        server: SocketAddr,
        transport: Transport,
        credentials: Credentials,
    ) -> Result<Self, Failure> {
        let rng = ChaCha12Rng::from_seed(ocs_examples::net::seed());
        let config = Config::new(server, transport);
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        udp.set_read_timeout(Some(TICK)).expect("a time");
        let mut allocation = Self {
            client: Client::new(Instant::now(), config, credentials, rng),
            udp,
            tcp: None,
            relayed: server,
        };
        allocation.relayed = allocation.wait(|event| match event {
            Event::Allocated(given) => Some(Ok(given.relayed)),
            Event::Failed(failure) => Some(Err(failure)),
            _ => None,
        })?;
        Ok(allocation)
    }

    /// Sends to a peer, which permits it to answer.
    pub(crate) fn send(&mut self, peer: SocketAddr, data: &[u8]) {
        self.client.send(peer, data).expect("an allocation");
        self.flush();
    }

    /// Waits until so many octets have come from a peer.
    pub(crate) fn receive(&mut self, from: SocketAddr, len: usize) -> Vec<u8> {
        let mut data = Vec::new();
        self.wait(|event| match event {
            Event::Data { peer, octets } => {
                assert_eq!(peer, from);
                data.extend_from_slice(octets);
                (data.len() >= len).then_some(())
            }
            _ => None,
        });
        data
    }

    /// Makes a peer the active destination.
    pub(crate) fn activate(&mut self, peer: SocketAddr) {
        let asked = self.client.set_active_destination(Instant::now(), peer);
        asked.expect("an allocation");
        self.wait(|event| match event {
            Event::ActiveDestination { peer: now } => {
                let _: () = assert_eq!(now, peer);
                Some(())
            }
            _ => None,
        });
    }

    /// Gives it back.
    pub(crate) fn release(mut self) {
        self.client.release(Instant::now());
        self.wait(|event| matches!(event, Event::Released).then_some(()));
    }

    fn wait<T>(&mut self, mut what: impl FnMut(Event<'_>) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut buffer = vec![0; 65_535];
        loop {
            self.flush();
            while let Some(event) = self.client.poll_event() {
                if let Some(found) = what(event) {
                    return found;
                }
            }
            assert!(Instant::now() < until, "it takes too long");
            let read = match &mut self.tcp {
                Some(stream) => stream.read(&mut buffer),
                None => self.udp.recv(&mut buffer),
            };
            let now = Instant::now();
            match read {
                Ok(0) => self.client.handle_closed(),
                Ok(len) => self.client.handle_data(now, &buffer[..len]).expect("sound"),
                Err(error) => {
                    let kinds = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                    assert!(kinds.contains(&error.kind()), "{error}");
                }
            }
            self.client.handle_timeout(now);
        }
    }

    fn flush(&mut self) {
        let mut connected = false;
        loop {
            if std::mem::take(&mut connected) {
                self.client.handle_connected(Instant::now());
            }
            match self.client.poll_output() {
                None => return,
                Some(Output::Connect(to)) => {
                    let stream = TcpStream::connect(to).expect("the relay listens");
                    stream.set_read_timeout(Some(TICK)).expect("a time");
                    self.tcp = Some(stream);
                    connected = true;
                }
                Some(Output::Send { to, octets }) => match &mut self.tcp {
                    Some(stream) => stream.write_all(octets).expect("the relay reads"),
                    None => _ = self.udp.send_to(octets, to).expect("sent"),
                },
                Some(Output::Close) => self.tcp = None,
            }
        }
    }
}
