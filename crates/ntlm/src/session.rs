//! Session security without a connection, [MS-NLMP] 3.4: every message stands
//! alone and its sequence number comes from the application.

use crate::crypto::{HmacMd5, hmac_md5_state, md5, rc4};
use crate::keys::{DatagramSealKey, SealKey};
use crate::{Error, ExportedSessionKey, NegotiateFlags, Stream, Weakness};
use hmac::Mac as _;
use rc4::{Rc4, StreamCipher as _};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// Who sends, who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that authenticates itself.
    Client,
    /// The side that sends the challenge.
    Server,
}

impl Role {
    /// The other side.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// `NTLMSSP_MESSAGE_SIGNATURE`, [MS-NLMP] 2.2.2.9: 16 bytes beginning `01 00 00 00`.
pub type MessageSignature = [u8; 16];

/// How messages of one direction are signed.
pub(crate) enum Signer {
    /// HMAC-MD5, the first 8 bytes of it; RC4 over them with KEY_EXCH.
    Ess { mac: HmacMd5, encrypt: bool },
    /// CRC-32 under RC4.
    Crc,
    /// SIGN is not negotiated: a signature without content.
    Dummy,
}

/// What a signer makes of a message before RC4 has its part.
pub(crate) enum Checksum {
    Ess([u8; 8]),
    Crc(u32),
    Dummy,
}

impl Signer {
    pub(crate) fn new(key: &ExportedSessionKey, flags: NegotiateFlags, sender: Role) -> Self {
        if !flags.intersects(NegotiateFlags::SIGN | NegotiateFlags::SEAL) {
            Self::Dummy
        } else if flags.ess() {
            let sign_key = Zeroizing::new(key.sign_key(sender));
            Self::Ess {
                mac: hmac_md5_state(&sign_key),
                encrypt: flags.contains(NegotiateFlags::KEY_EXCH),
            }
        } else {
            Self::Crc
        }
    }

    pub(crate) fn checksum<T: AsRef<[u8]>>(
        &self,
        seq: u32,
        parts: impl IntoIterator<Item = T>,
    ) -> Checksum {
        match self {
            Self::Ess { mac, .. } => {
                let mut mac = mac.clone();
                mac.update(&seq.to_le_bytes());
                for part in parts {
                    mac.update(part.as_ref());
                }
                let digest: [u8; 16] = mac.finalize().into_bytes().into();
                Checksum::Ess(*digest.first_chunk().expect("16 bytes hold 8"))
            }
            Self::Crc => {
                let mut crc = crc32fast::Hasher::new();
                for part in parts {
                    crc.update(part.as_ref());
                }
                Checksum::Crc(crc.finalize())
            }
            Self::Dummy => Checksum::Dummy,
        }
    }

    /// How many bytes of keystream a signature uses.
    pub(crate) const fn keystream_len(&self) -> usize {
        match self {
            Self::Ess { encrypt: true, .. } => 8,
            Self::Crc => KEYSTREAM,
            Self::Ess { encrypt: false, .. } | Self::Dummy => 0,
        }
    }
}

/// RandomPad, checksum and SeqNum of the form without ESS.
pub(crate) const KEYSTREAM: usize = 12;

impl Checksum {
    /// `MAC`, [MS-NLMP] 3.4.4, with the keystream that falls to the signature
    /// (zero where none does).
    pub(crate) fn signature(&self, seq: u32, keystream: &[u8; KEYSTREAM]) -> MessageSignature {
        let mut out = [0; 16];
        out[0] = 1;
        let body = &mut out[4..];
        match self {
            Self::Ess(checksum) => {
                for ((o, c), k) in body.iter_mut().zip(checksum).zip(keystream) {
                    *o = c ^ k;
                }
                body[8..].copy_from_slice(&seq.to_le_bytes());
            }
            Self::Crc(crc) => {
                // RandomPad goes through RC4 and is then set to zero (3.4.4.1).
                body[4..8].copy_from_slice(&crc.to_le_bytes());
                body[8..].copy_from_slice(&seq.to_le_bytes());
                for (o, k) in body[4..].iter_mut().zip(&keystream[4..]) {
                    *o ^= k;
                }
            }
            Self::Dummy => {}
        }
        out
    }

    /// Compares in constant time; RandomPad does not count.
    pub(crate) fn check(
        &self,
        seq: u32,
        keystream: &[u8; KEYSTREAM],
        signature: &MessageSignature,
    ) -> Result<(), Error> {
        let mut received = *signature;
        if matches!(self, Self::Crc(_)) {
            received[4..8].fill(0);
        }
        let expected = self.signature(seq, keystream);
        if expected.ct_eq(&received).into() {
            Ok(())
        } else {
            Err(Error::BadSignature)
        }
    }
}

/// One direction of a session.
struct Direction {
    signer: Signer,
    seal_key: SealKey,
    /// ESS mixes the sequence number into the RC4 key of each message.
    per_seq: bool,
    /// The keystream of a signature without sealed data, and its sequence
    /// number: constant as long as the number is.
    cache: Option<(u32, [u8; KEYSTREAM])>,
}

impl Drop for Direction {
    fn drop(&mut self) {
        if let Some((_, keystream)) = &mut self.cache {
            keystream.zeroize();
        }
    }
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
            seal_key: key.seal_key(sender, flags, datagram),
            per_seq: flags.ess(),
            cache: None,
        }
    }

    /// The RC4 stream of one message.
    fn handle(&self, seq: u32) -> Rc4 {
        if self.per_seq {
            let key = Zeroizing::new(md5(&[self.seal_key.as_bytes(), &seq.to_le_bytes()]));
            rc4(&*key)
        } else {
            rc4(self.seal_key.as_bytes())
        }
    }

    fn keystream(&mut self, seq: u32) -> &[u8; KEYSTREAM] {
        let valid = |&(cached, _): &(u32, _)| cached == seq || !self.per_seq;
        if !self.cache.as_ref().is_some_and(valid) {
            let mut keystream = [0; KEYSTREAM];
            let len = self.signer.keystream_len();
            if len != 0 {
                self.handle(seq).apply_keystream(&mut keystream[..len]);
            }
            self.cache = Some((seq, keystream));
        }
        self.cache
            .as_ref()
            .map_or(&[0; KEYSTREAM], |(_, keystream)| keystream)
    }
}

/// The keys of an authenticated peer, for connectionless use.
///
/// Each message is signed or sealed by itself, with a sequence number that the
/// application supplies (SIP: always 100). As long as the number stays the
/// same, a signature costs one HMAC-MD5 and no allocation. For connection
/// mode, with its running sequence numbers, there is [`into_stream`](Self::into_stream).
///
/// If neither SIGN nor SEAL is negotiated, signatures are constant
/// ([MS-NLMP] 3.4.4) and prove nothing.
pub struct Session {
    role: Role,
    flags: NegotiateFlags,
    datagram: DatagramSealKey,
    key: ExportedSessionKey,
    send: Box<Direction>,
    receive: Box<Direction>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("role", &self.role)
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session of a key known otherwise, as for a recorder that got the key
    /// from one of the peers. Uses [`DatagramSealKey::Whole`].
    pub fn from_exported_key(key: ExportedSessionKey, flags: NegotiateFlags, role: Role) -> Self {
        Self::with_seal_key(key, flags, role, DatagramSealKey::default())
    }

    /// The same with a choice of the sealing key.
    pub fn with_seal_key(
        key: ExportedSessionKey,
        flags: NegotiateFlags,
        role: Role,
        datagram: DatagramSealKey,
    ) -> Self {
        Self {
            role,
            flags,
            datagram,
            send: Box::new(Direction::new(&key, flags, datagram, role)),
            receive: Box::new(Direction::new(&key, flags, datagram, role.peer())),
            key,
        }
    }

    /// Which side this is.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What was negotiated.
    pub const fn flags(&self) -> NegotiateFlags {
        self.flags
    }

    /// The key of the session.
    pub const fn exported_session_key(&self) -> &ExportedSessionKey {
        &self.key
    }

    /// `GSS_GetMIC`, [MS-NLMP] 3.4.8: the signature of a message to be sent.
    pub fn sign(&mut self, seq: u32, message: &[u8]) -> MessageSignature {
        self.sign_parts(seq, [message])
    }

    /// [`sign`](Self::sign) for a message in pieces, as if concatenated.
    pub fn sign_parts<T: AsRef<[u8]>>(
        &mut self,
        seq: u32,
        parts: impl IntoIterator<Item = T>,
    ) -> MessageSignature {
        let checksum = self.send.signer.checksum(seq, parts);
        checksum.signature(seq, self.send.keystream(seq))
    }

    /// `GSS_VerifyMIC`, [MS-NLMP] 3.4.9: checks the signature of a received
    /// message. Fails with [`Error::BadSignature`].
    pub fn verify(
        &mut self,
        seq: u32,
        message: &[u8],
        signature: &MessageSignature,
    ) -> Result<(), Error> {
        self.verify_parts(seq, [message], signature)
    }

    /// [`verify`](Self::verify) for a message in pieces, as if concatenated.
    pub fn verify_parts<T: AsRef<[u8]>>(
        &mut self,
        seq: u32,
        parts: impl IntoIterator<Item = T>,
        signature: &MessageSignature,
    ) -> Result<(), Error> {
        let checksum = self.receive.signer.checksum(seq, parts);
        checksum.check(seq, self.receive.keystream(seq), signature)
    }

    /// `GSS_Wrap`, [MS-NLMP] 3.4.6: encrypts `data` in place and signs it.
    ///
    /// Two messages with one sequence number are encrypted with the same
    /// keystream: whoever seals must count. Without extended session security
    /// all messages would be, so there is no confidentiality in this mode
    /// ([MS-NLMP] 3.4.3) and the result is [`Error::Weak`].
    pub fn seal(&mut self, seq: u32, data: &mut [u8]) -> Result<MessageSignature, Error> {
        self.check_seals()?;
        let checksum = self.send.signer.checksum(seq, [&*data]);
        let mut handle = self.send.handle(seq);
        handle.apply_keystream(data);
        let keystream = signature_keystream(&self.send.signer, &mut handle);
        Ok(checksum.signature(seq, &keystream))
    }

    /// `GSS_Unwrap`, [MS-NLMP] 3.4.7: decrypts `data` in place and checks its
    /// signature. On [`Error::BadSignature`] the data are wiped; there is
    /// [`Error::Weak`] as with [`seal`](Self::seal).
    pub fn unseal(
        &mut self,
        seq: u32,
        data: &mut [u8],
        signature: &MessageSignature,
    ) -> Result<(), Error> {
        self.check_seals()?;
        let mut handle = self.receive.handle(seq);
        handle.apply_keystream(data);
        let keystream = signature_keystream(&self.receive.signer, &mut handle);
        let checksum = self.receive.signer.checksum(seq, [&*data]);
        checksum
            .check(seq, &keystream, signature)
            .inspect_err(|_| data.fill(0))
    }

    fn check_seals(&self) -> Result<(), Error> {
        if self.flags.ess() {
            Ok(())
        } else {
            Err(Error::Weak(Weakness::NoExtendedSessionSecurity))
        }
    }

    /// The session of a connection: sequence numbers from zero and one RC4
    /// stream per direction.
    pub fn into_stream(self) -> Stream {
        Stream::new(&self.key, self.flags, self.datagram, self.role)
    }
}

/// Takes from `handle` what falls to a signature.
pub(crate) fn signature_keystream(signer: &Signer, handle: &mut Rc4) -> Zeroizing<[u8; KEYSTREAM]> {
    let mut keystream = Zeroizing::new([0; KEYSTREAM]);
    handle.apply_keystream(&mut keystream[..signer.keystream_len()]);
    keystream
}
