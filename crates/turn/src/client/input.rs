//! What comes from the server.

use std::time::Instant;

use ocs_stun::attribute::{AttributeType, Data, RemoteAddress};
use ocs_stun::{Class, Dialect, Message, MessageType};
use rand_core::CryptoRng;

use super::{Client, Failure, Pending, State};
use crate::Error;
use crate::frame::{FrameReader, FrameType, MultiplexedFrame};
use crate::pseudo_tls;

impl<R: CryptoRng> Client<R> {
    /// Takes what the server sent: a datagram, or a piece of the stream, which may be cut anywhere.
    ///
    /// An error says what was ignored. If it ends the connection, there is an [`Event::Failed`](super::Event::Failed) too.
    pub fn handle_data(&mut self, now: Instant, octets: &[u8]) -> Result<(), Error> {
        if !self.config.transport.is_stream() {
            return self.handle_datagram(now, octets);
        }
        let mut input = octets;
        if let State::Hello(hello) = &mut self.state {
            match hello.next(&mut input) {
                None => return Ok(()),
                Some(hello) if pseudo_tls::is_server_hello(hello) => {
                    self.refresh_at = None;
                    self.request_challenge(now);
                }
                Some(_) => return self.broken(Error::Hello),
            }
        }
        let mut frames = std::mem::take(&mut self.frames);
        let mut result = Ok(());
        // A response may send us to another server: what follows on this connection is no longer of interest.
        while matches!(
            self.state,
            State::Allocating | State::Allocated(_) | State::Releasing
        ) {
            match self.next_frame(now, &mut frames, &mut input) {
                Ok(true) => {}
                Ok(false) => {
                    self.frames = frames;
                    break;
                }
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// Handles one frame; `false` if there is none in the input.
    fn next_frame(
        &mut self,
        now: Instant,
        frames: &mut FrameReader,
        input: &mut &[u8],
    ) -> Result<bool, Error> {
        match frames.next(input) {
            Err(error) => self.broken(error).map(|()| false),
            Ok(None) => Ok(false),
            Ok(Some(frame)) => {
                match frame.frame_type {
                    FrameType::Control => self.handle_message(now, frame.content),
                    FrameType::Data => self.handle_raw(frame.content),
                }?;
                Ok(true)
            }
        }
    }

    /// The stream cannot be read any further.
    fn broken(&mut self, error: Error) -> Result<(), Error> {
        self.fail(Failure::Protocol(error));
        Err(error)
    }

    fn handle_datagram(&mut self, now: Instant, octets: &[u8]) -> Result<(), Error> {
        if matches!(self.state, State::Over) {
            return Ok(());
        }
        if Dialect::MsTurn.recognises(octets) {
            self.handle_message(now, octets)
        } else {
            self.handle_raw(octets)
        }
    }

    /// Data without a message around it: it is from the active destination.
    fn handle_raw(&mut self, octets: &[u8]) -> Result<(), Error> {
        let session = self.allocation().and_then(|allocation| allocation.session);
        let data = match MultiplexedFrame::parse(octets) {
            Some(frame) if Some(frame.session) == session => frame.data,
            _ => octets,
        };
        // The server may have switched already.
        let peer = self
            .active
            .wanted
            .or(self.active.current)
            .ok_or(Error::Unexpected {
                what: "data without an active destination",
            })?;
        self.inbox.push_octets(Pending::Data(peer), data);
        Ok(())
    }

    fn handle_message(&mut self, now: Instant, octets: &[u8]) -> Result<(), Error> {
        let message = Message::parse(Dialect::MsTurn, octets)?;
        match (message.message_type(), message.class()) {
            (MessageType::DATA_INDICATION, _) => self.handle_indication(&message),
            (_, Class::Success | Class::Error) => self.handle_response(now, &message),
            _ => Err(Error::Unexpected { what: "request" }),
        }
    }

    fn handle_indication(&mut self, message: &Message<'_>) -> Result<(), Error> {
        if message.unknown_attributes().next().is_some() {
            return Err(Error::Unexpected { what: "attribute" });
        }
        if self.allocation().is_none() {
            return Err(Error::Unexpected { what: "indication" });
        }
        let missing = |attribute| Error::Missing { attribute };
        let RemoteAddress(peer) = message
            .get()?
            .ok_or(missing(AttributeType::REMOTE_ADDRESS))?;
        let Data(octets) = message.get()?.ok_or(missing(AttributeType::DATA))?;
        self.inbox.push_octets(Pending::Data(peer), octets);
        Ok(())
    }
}
