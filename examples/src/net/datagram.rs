//! UDP sockets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::debug;

/// The longest datagram.
const DATAGRAM: usize = 65_535;
/// The pause after a socket call that failed.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// A datagram that cannot be sent is lost, as any may be.
pub(super) async fn send(socket: &UdpSocket, to: SocketAddr, octets: &[u8]) {
    let v6 = socket.local_addr().is_ok_and(|local| local.is_ipv6());
    let to = match to.ip() {
        // The address of an IPv4 host at a socket for both families.
        IpAddr::V4(ip) if v6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
        _ => to,
    };
    if let Err(error) = socket.send_to(octets, to).await {
        debug!(%to, cause = %error, "not sent");
    }
}

/// An IPv4 address is one, even if it came to a socket for both families.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Hands datagrams in until nobody takes them.
pub(super) async fn receive<T>(
    socket: Arc<UdpSocket>,
    inputs: mpsc::Sender<T>,
    input: impl Fn(SocketAddr, Bytes) -> T,
) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((len, from)) => {
                let data = Bytes::copy_from_slice(&buffer[..len]);
                if inputs.send(input(canonical(from), data)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                debug!(cause = %error, "receiving failed");
                sleep(PAUSE).await;
            }
        }
    }
}
