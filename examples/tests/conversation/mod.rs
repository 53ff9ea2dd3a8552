//! What a client and its peers say to each other through a relay. Each test uses a part of it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use ocs_turn::client::{Credentials, Transport};

use crate::allocation::{Allocation, credentials};
use crate::running::USER;

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn alice() -> Credentials {
    let (name, password) = USER.split_once(':').unwrap();
    credentials(name.as_bytes(), password.as_bytes())
}

pub(crate) fn peer() -> (UdpSocket, SocketAddr) {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = peer.local_addr().unwrap();
    (peer, address)
}

pub(crate) fn next(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2048];
    let (len, from) = socket.recv_from(&mut buffer).expect("a datagram");
    (buffer[..len].to_vec(), from)
}

/// Datagrams both ways: in requests and indications, then bare. Gives the relayed address, which is given back.
pub(crate) fn datagrams(server: SocketAddr, credentials: Credentials) -> SocketAddr {
    let mut allocation = Allocation::open(server, Transport::Udp, credentials).unwrap();
    let (peer, at) = peer();
    for round in 0..2 {
        allocation.send(at, b"ping");
        assert_eq!(next(&peer), (b"ping".to_vec(), allocation.relayed));
        peer.send_to(b"pong", allocation.relayed).unwrap();
        assert_eq!(allocation.receive(at, 4), b"pong");
        if round == 0 {
            allocation.activate(at);
        }
    }
    let relayed = allocation.relayed;
    allocation.release();
    relayed
}

/// To a peer that is connected to, from the relayed port, and to one that connects.
pub(crate) fn streams(server: SocketAddr, transport: Transport) {
    let mut allocation = Allocation::open(server, transport, alice()).unwrap();
    let relayed = allocation.relayed;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    allocation.send(at, b"ping");
    let (mut peer, from) = listener.accept().unwrap();
    assert_eq!(from, relayed);
    let mut buffer = [0; 4];
    peer.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"ping");
    // More than goes into one frame.
    let long: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    peer.write_all(&long).unwrap();
    assert_eq!(allocation.receive(at, long.len()), long);

    let mut caller = TcpStream::connect(relayed).unwrap();
    caller.set_read_timeout(Some(PATIENCE)).unwrap();
    let from = caller.local_addr().unwrap();
    caller.write_all(b"hello").unwrap();
    assert_eq!(allocation.receive(from, 5), b"hello");
    allocation.activate(from);
    allocation.send(from, b"hi");
    caller.read_exact(&mut buffer[..2]).unwrap();
    assert_eq!(&buffer[..2], b"hi");
    allocation.release();
}
