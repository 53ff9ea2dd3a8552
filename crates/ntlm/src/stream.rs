//! Session security of a connection, [MS-NLMP] 3.4: sequence numbers count
//! from zero and one RC4 stream per direction runs through all messages.

use crate::crypto::rc4;
use crate::keys::DatagramSealKey;
use crate::session::{MessageSignature, Role, Signer, signature_keystream};
use crate::{Error, ExportedSessionKey, NegotiateFlags};
use rc4::{Rc4, StreamCipher as _};

struct Direction {
    signer: Signer,
    handle: Rc4,
    seq: u32,
}

impl Direction {
    fn new(
        key: &ExportedSessionKey,
        flags: NegotiateFlags,
        datagram: DatagramSealKey,
        sender: Role,
    ) -> Self {
        Self {
            signer: Signer::new(key, flags, sender),
            handle: rc4(key.seal_key(sender, flags, datagram).as_bytes()),
            seq: 0,
        }
    }

    fn advance(&mut self) {
        self.seq = self.seq.wrapping_add(1);
    }

    /// Where the number is in clear, a message out of order is found before
    /// the keystream moves.
    fn check_seq(&self, signature: &MessageSignature) -> Result<(), Error> {
        let Signer::Ess { .. } = self.signer else {
            return Ok(());
        };
        let [.., s0, s1, s2, s3] = *signature;
        let found = u32::from_le_bytes([s0, s1, s2, s3]);
        let expected = self.seq;
        if found == expected {
            Ok(())
        } else {
            Err(Error::OutOfSequence { expected, found })
        }
    }
}

/// The keys of an authenticated peer, for a connection: messages must be
/// verified in the order in which they were signed.
///
/// With extended session security a message with a wrong sequence number is
/// refused and changes nothing. After any other failure, and after each one
/// without extended session security, the keystreams of the two sides have
/// parted and the connection is to be closed.
///
/// Without extended session security there is one sealing key for both
/// directions, and the connection is half-duplex ([MS-NLMP] 3.4): peers have
/// to take turns, since one RC4 stream and one sequence number run through the
/// messages of both. That the stream and the number are shared is what
/// interoperable implementations do; the specification names only the key.
pub struct Stream {
    send: Box<Direction>,
    /// `None` where `send` serves both directions.
    receive: Option<Box<Direction>>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("next_sent", &self.send.seq)
            .field(
                "next_received",
                &self.receive.as_ref().unwrap_or(&self.send).seq,
            )
            .finish_non_exhaustive()
    }
}

impl Stream {
    pub(crate) fn new(
        key: &ExportedSessionKey,
        flags: NegotiateFlags,
        datagram: DatagramSealKey,
        role: Role,
    ) -> Self {
        Self {
            send: Box::new(Direction::new(key, flags, datagram, role)),
            receive: flags
                .ess()
                .then(|| Box::new(Direction::new(key, flags, datagram, role.peer()))),
        }
    }

    fn receive(&mut self) -> &mut Direction {
        self.receive.as_mut().unwrap_or(&mut self.send)
    }

    /// `GSS_GetMIC`, [MS-NLMP] 3.4.8: the signature of the next message to be sent.
    pub fn sign(&mut self, message: &[u8]) -> MessageSignature {
        let send = &mut *self.send;
        let checksum = send.signer.checksum(send.seq, [message]);
        let keystream = signature_keystream(&send.signer, &mut send.handle);
        let signature = checksum.signature(send.seq, &keystream);
        send.advance();
        signature
    }

    /// `GSS_VerifyMIC`, [MS-NLMP] 3.4.9: checks the signature of the next
    /// received message. Fails with [`Error::OutOfSequence`] or
    /// [`Error::BadSignature`].
    pub fn verify(&mut self, message: &[u8], signature: &MessageSignature) -> Result<(), Error> {
        let receive = self.receive();
        receive.check_seq(signature)?;
        let checksum = receive.signer.checksum(receive.seq, [message]);
        let keystream = signature_keystream(&receive.signer, &mut receive.handle);
        checksum.check(receive.seq, &keystream, signature)?;
        receive.advance();
        Ok(())
    }

    /// `GSS_Wrap`, [MS-NLMP] 3.4.6: encrypts `data` in place and signs it.
    pub fn seal(&mut self, data: &mut [u8]) -> MessageSignature {
        let send = &mut *self.send;
        let checksum = send.signer.checksum(send.seq, [&*data]);
        send.handle.apply_keystream(data);
        let keystream = signature_keystream(&send.signer, &mut send.handle);
        let signature = checksum.signature(send.seq, &keystream);
        send.advance();
        signature
    }

    /// `GSS_Unwrap`, [MS-NLMP] 3.4.7: decrypts `data` in place and checks the
    /// signature. On [`Error::BadSignature`] the data are wiped, on
    /// [`Error::OutOfSequence`] they are as before.
    pub fn unseal(&mut self, data: &mut [u8], signature: &MessageSignature) -> Result<(), Error> {
        let receive = self.receive();
        receive.check_seq(signature)?;
        receive.handle.apply_keystream(data);
        let keystream = signature_keystream(&receive.signer, &mut receive.handle);
        let checksum = receive.signer.checksum(receive.seq, [&*data]);
        checksum
            .check(receive.seq, &keystream, signature)
            .inspect_err(|_| data.fill(0))?;
        receive.advance();
        Ok(())
    }
}
