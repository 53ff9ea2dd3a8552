//! A front end and user agents over TCP sockets of the loopback, for talks with foreign programs.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_client::UserAgent;
use ocs_server::{Event, FrontEnd, MemoryStore, Output, Peer};
use ocs_sip_core::{ConnectionId, Transport};

/// What happens to the owner of a state machine.
enum Input<M> {
    Accepted(TcpStream),
    Data(ConnectionId, Bytes),
    Closed(ConnectionId),
    Command(Box<dyn FnOnce(&mut M, Instant) + Send>),
}

/// What a front end told, and what went over its wires.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The events, in order.
    pub(crate) events: Vec<Event>,
    /// The octets: connection, whether the front end wrote them, what.
    pub(crate) octets: Vec<(ConnectionId, bool, Bytes)>,
}

impl Record {
    /// What one side of all connections wrote, as text.
    pub(crate) fn text(&self, by_server: bool) -> String {
        self.octets
            .iter()
            .filter(|(_, server, _)| *server == by_server)
            .map(|(_, _, data)| String::from_utf8_lossy(data))
            .collect()
    }
}

/// A front end on a port of the loopback.
pub(crate) struct Server {
    address: SocketAddr,
    inputs: Sender<Input<FrontEnd<MemoryStore>>>,
    record: Arc<Mutex<Record>>,
}

impl Server {
    /// Listens on a free port; `make` gets the port.
    pub(crate) fn start(make: impl FnOnce(u16) -> FrontEnd<MemoryStore> + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (inputs, queue) = channel();
        let record = Arc::new(Mutex::new(Record::default()));
        let accepted = inputs.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepted.send(Input::Accepted(stream)).is_err() {
                    break;
                }
            }
        });
        let (own_inputs, own_record) = (inputs.clone(), Arc::clone(&record));
        thread::spawn(move || serve(make(address.port()), &queue, &own_inputs, &own_record));
        Self {
            address,
            inputs,
            record,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }

    /// Runs something on the front end.
    pub(crate) fn command(
        &self,
        what: impl FnOnce(&mut FrontEnd<MemoryStore>, Instant) + Send + 'static,
    ) {
        let _ = self.inputs.send(Input::Command(Box::new(what)));
    }
}

fn serve(
    mut front_end: FrontEnd<MemoryStore>,
    queue: &Receiver<Input<FrontEnd<MemoryStore>>>,
    inputs: &Sender<Input<FrontEnd<MemoryStore>>>,
    record: &Mutex<Record>,
) {
    let mut streams: HashMap<ConnectionId, TcpStream> = HashMap::new();
    let mut last = 0;
    loop {
        let input = next(queue, front_end.poll_timeout());
        let now = Instant::now();
        match input {
            Ok(Input::Accepted(stream)) => {
                last += 1;
                let id = ConnectionId(last);
                if let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) {
                    read(id, &stream, inputs.clone());
                    streams.insert(id, stream);
                    let transport = Transport::Tcp;
                    let peer = Peer {
                        transport,
                        local,
                        remote,
                    };
                    front_end.handle_accepted(now, id, peer);
                }
            }
            Ok(Input::Data(id, data)) => {
                lock(record).octets.push((id, false, data.clone()));
                front_end.handle_data(now, id, data);
            }
            Ok(Input::Closed(id)) => {
                streams.remove(&id);
                front_end.handle_closed(now, id);
            }
            Ok(Input::Command(command)) => command(&mut front_end, now),
            Err(RecvTimeoutError::Timeout) => front_end.handle_timeout(now),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Some(output) = front_end.poll_output() {
            match output {
                Output::Send { connection, data } => {
                    lock(record).octets.push((connection, true, data.clone()));
                    write(streams.get_mut(&connection), &data);
                }
                Output::Close { connection } => shut(streams.remove(&connection)),
            }
        }
        while let Some(event) = front_end.poll_event() {
            lock(record).events.push(event);
        }
    }
}

/// A user agent with a thread of its own.
pub(crate) struct Client {
    inputs: Sender<Input<UserAgent>>,
    events: Arc<Mutex<Vec<ocs_client::Event>>>,
}

impl Client {
    pub(crate) fn start(make: impl FnOnce() -> UserAgent + Send + 'static) -> Self {
        let (inputs, queue) = channel();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (own_inputs, own_events) = (inputs.clone(), Arc::clone(&events));
        thread::spawn(move || act(make(), &queue, &own_inputs, &own_events));
        Self { inputs, events }
    }

    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<ocs_client::Event>> {
        lock(&self.events)
    }

    /// Runs something on the user agent.
    pub(crate) fn command(&self, what: impl FnOnce(&mut UserAgent, Instant) + Send + 'static) {
        let _ = self.inputs.send(Input::Command(Box::new(what)));
    }
}

fn act(
    mut agent: UserAgent,
    queue: &Receiver<Input<UserAgent>>,
    inputs: &Sender<Input<UserAgent>>,
    events: &Mutex<Vec<ocs_client::Event>>,
) {
    use ocs_client::Output;
    let mut streams: HashMap<ConnectionId, TcpStream> = HashMap::new();
    loop {
        let input = next(queue, agent.poll_timeout());
        let now = Instant::now();
        match input {
            Ok(Input::Data(id, data)) => agent.handle_data(now, id, data),
            Ok(Input::Closed(id)) => {
                streams.remove(&id);
                agent.handle_closed(now, id);
            }
            Ok(Input::Command(command)) => command(&mut agent, now),
            Ok(Input::Accepted(_)) => {}
            Err(RecvTimeoutError::Timeout) => agent.handle_timeout(now),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Some(output) = agent.poll_output() {
            match output {
                // The server is configured: every name is that of the loopback.
                Output::Resolve(query) => {
                    let answer = match &query {
                        ocs_conmgmt::Query::Address(_) => {
                            ocs_conmgmt::Answer::Address(vec![Ipv4Addr::LOCALHOST.into()])
                        }
                        other => ocs_conmgmt::Answer::none(other),
                    };
                    agent.handle_answer(now, &query, answer);
                }
                Output::Connect {
                    connection,
                    address,
                    ..
                } => match TcpStream::connect(address) {
                    Ok(stream) => {
                        let local = stream.local_addr().expect("an address");
                        read(connection, &stream, inputs.clone());
                        streams.insert(connection, stream);
                        agent.handle_connected(now, connection, local, ocs_conmgmt::Peer::Plain);
                    }
                    Err(_) => agent.handle_connect_failed(now, connection),
                },
                Output::Send { connection, data } => write(streams.get_mut(&connection), &data),
                Output::Close { connection } => shut(streams.remove(&connection)),
            }
        }
        while let Some(event) = agent.poll_event() {
            lock(events).push(event);
        }
    }
}

fn next<M>(
    queue: &Receiver<Input<M>>,
    deadline: Option<Instant>,
) -> Result<Input<M>, RecvTimeoutError> {
    let wait = deadline.map_or(Duration::from_secs(3600), |deadline| {
        deadline.saturating_duration_since(Instant::now())
    });
    queue.recv_timeout(wait)
}

/// A thread that hands in what arrives on a stream.
fn read<M: 'static>(id: ConnectionId, stream: &TcpStream, inputs: Sender<Input<M>>) {
    let mut stream = stream.try_clone().expect("a second handle");
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let data = Bytes::copy_from_slice(&buffer[..count]);
            if inputs.send(Input::Data(id, data)).is_err() {
                return;
            }
        }
        let _ = inputs.send(Input::Closed(id));
    });
}

/// A stream that breaks is found by its reader.
fn write(stream: Option<&mut TcpStream>, data: &[u8]) {
    if let Some(stream) = stream {
        let _ = stream.write_all(data);
    }
}

fn shut(stream: Option<TcpStream>) {
    if let Some(stream) = stream {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
