//! One connection: octets in both directions.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ocs_sip_core::ConnectionId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

/// How long a connection that was closed from this side may take to write the rest and to see the far end close.
pub(super) const LINGER: Duration = Duration::from_secs(3);
/// Room for one read. Most messages are smaller, and an idle connection holds as much.
const CHUNK: usize = 4096;
/// Outputs that are written before the stream is flushed.
const BATCH: usize = 32;

/// What a connection tells its owner.
#[derive(Debug)]
pub(super) enum Traffic {
    /// Octets came.
    Data(ConnectionId, Bytes),
    /// The far end closed, or the connection broke. Nothing more comes.
    Closed(ConnectionId, Option<io::Error>),
}

/// The owner's end. Dropping it closes the connection once everything is written.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: mpsc::UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
    _open: oneshot::Sender<()>,
}

impl Outbox {
    /// Queues octets. Who calls this looks at [`waiting`](Self::waiting), which is the bound of the queue.
    pub(super) fn send(&self, data: Bytes) {
        self.waiting.fetch_add(data.len(), Ordering::Relaxed);
        // Where nobody writes any more, the owner hears of it next.
        let _ = self.queue.send(data);
    }

    /// Octets that are queued and not written.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// The connection's end of an [`Outbox`].
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: mpsc::UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    closing: oneshot::Receiver<()>,
}

pub(super) fn outbox() -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (open, closing) = oneshot::channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox {
        queue: sender,
        waiting: Arc::clone(&waiting),
        _open: open,
    };
    let outgoing = Outgoing {
        queue: receiver,
        waiting,
        closing,
    };
    (outbox, outgoing)
}

/// Carries octets until one side closes; tells the owner unless it was the owner.
pub(super) async fn carry<S, T>(
    stream: S,
    id: ConnectionId,
    outgoing: Outgoing,
    owner: mpsc::Sender<T>,
) where
    S: AsyncRead + AsyncWrite,
    T: From<Traffic>,
{
    let (reader, writer) = tokio::io::split(stream);
    let closing = outgoing.closing;
    let mut reading = pin!(read(reader, id, &owner));
    let mut writing = pin!(write(writer, outgoing.queue, &outgoing.waiting));
    let mut overdue = pin!(async {
        // Nothing is ever sent here: it resolves when the outbox is dropped.
        let _ = closing.await;
        sleep(LINGER).await;
    });
    let cause = tokio::select! {
        cause = &mut reading => {
            // The owner lets go of the outbox then, and the rest is written.
            let _ = owner.send(Traffic::Closed(id, cause).into()).await;
            tokio::select! {
                _ = &mut writing => {}
                () = &mut overdue => {}
            }
            return;
        }
        written = &mut writing => match written {
            Ok(()) => {
                // Closing with unread octets would reset the connection, and the far end could lose the last of what it was sent.
                tokio::select! {
                    _ = &mut reading => {}
                    () = &mut overdue => {}
                }
                return;
            }
            Err(error) => error,
        },
        () = &mut overdue => return,
    };
    let _ = owner.send(Traffic::Closed(id, Some(cause)).into()).await;
}

async fn read<T: From<Traffic>>(
    mut reader: impl AsyncRead + Unpin,
    id: ConnectionId,
    owner: &mpsc::Sender<T>,
) -> Option<io::Error> {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        match reader.read_buf(&mut buffer).await {
            Ok(0) => return None,
            Ok(_) => {
                let data = buffer.split().freeze();
                owner.send(Traffic::Data(id, data).into()).await.ok()?;
            }
            Err(error) => return Some(error),
        }
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::UnboundedReceiver<Bytes>,
    waiting: &AtomicUsize,
) -> io::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        for data in batch.drain(..) {
            writer.write_all(&data).await?;
            waiting.fetch_sub(data.len(), Ordering::Relaxed);
        }
        writer.flush().await?;
    }
    writer.shutdown().await
}
