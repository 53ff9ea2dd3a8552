//! A TCP relay that remembers what went through.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What one side wrote at once.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) connection: usize,
    pub(crate) side: Side,
    pub(crate) data: Vec<u8>,
}

/// A relay before one server.
#[derive(Debug)]
pub(crate) struct Tap {
    address: SocketAddr,
    chunks: Arc<Mutex<Vec<Chunk>>>,
}

impl Tap {
    /// Listens on a free port of the loopback and connects each client to `server`. What clients write arrives after `delay`. It goes on until
    /// the process ends.
    pub(crate) fn start(server: SocketAddr, delay: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let chunks = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&chunks);
        thread::spawn(move || {
            for (id, client) in listener.incoming().map_while(Result::ok).enumerate() {
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                carry(id, Side::Client, &client, &server, &shared, delay);
                carry(id, Side::Server, &server, &client, &shared, Duration::ZERO);
            }
        });
        Self { address, chunks }
    }

    /// Where clients connect to.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was written, in order.
    pub(crate) fn chunks(&self) -> MutexGuard<'_, Vec<Chunk>> {
        lock(&self.chunks)
    }

    /// What one side wrote, as text: one connection after the other.
    pub(crate) fn text(&self, side: Side) -> String {
        let chunks = self.chunks();
        let mut written: Vec<_> = chunks.iter().filter(|chunk| chunk.side == side).collect();
        written.sort_by_key(|chunk| chunk.connection);
        let octets: Vec<_> = written
            .iter()
            .flat_map(|chunk| &chunk.data)
            .copied()
            .collect();
        String::from_utf8_lossy(&octets).into_owned()
    }
}

fn carry(
    connection: usize,
    side: Side,
    from: &TcpStream,
    to: &TcpStream,
    chunks: &Arc<Mutex<Vec<Chunk>>>,
    delay: Duration,
) {
    let (mut from, mut to) = (
        from.try_clone().expect("a handle"),
        to.try_clone().expect("a handle"),
    );
    let chunks = Arc::clone(chunks);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let data = buffer[..count].to_vec();
            thread::sleep(delay);
            if to.write_all(&data).is_err() {
                break;
            }
            lock(&chunks).push(Chunk {
                connection,
                side,
                data,
            });
        }
        // The other direction goes on until its own end.
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
