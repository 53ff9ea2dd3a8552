//! TCP sockets that share an address: one that listens, and some that connect.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::warn;

use super::datagram::{PAUSE, canonical};

/// Connections that wait to be accepted at one port.
const QUEUE: u32 = 128;

/// A socket at an address where there may be others.
pub(super) fn shared(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Listens at an address where there may be others.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    shared(address)?.listen(QUEUE)
}

/// Hands connections in until nobody takes them.
pub(super) async fn accept<T>(
    listener: TcpListener,
    inputs: mpsc::Sender<T>,
    input: impl Fn(TcpStream, SocketAddr) -> T,
) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                if inputs.send(input(stream, canonical(from))).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                warn!(cause = %error, "accept failed");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Connects from an address; where the system does not have that, or such a connection is there already, from another port.
pub(super) async fn connect(from: SocketAddr, to: SocketAddr) -> io::Result<TcpStream> {
    if cfg!(unix) {
        let attempt = async { shared(from)?.connect(to).await };
        match attempt.await {
            Err(error) if is_taken(&error) => {}
            result => return result,
        }
    }
    let any = SocketAddr::new(from.ip(), 0);
    shared(any)?.connect(to).await
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable
    )
}
