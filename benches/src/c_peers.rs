//! The peers in C: sofia-sip, osip2, FreeRDP's MPPC and libsrtp2, through the functions of `c/peers.h`.

use std::ffi::c_int;
use std::fmt;
use std::ptr::{self, NonNull};

use crate::Summary;

/// `struct peers_mppc` of `c/peers.h`, only ever behind a pointer.
#[repr(C)]
struct Context {
    _opaque: [u8; 0],
}

/// `struct peers_srtp` of `c/peers.h`, only ever behind a pointer.
#[repr(C)]
struct SrtpSession {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn peers_sofia_parse(octets: *const u8, length: usize, out: *mut Summary) -> c_int;
    fn peers_osip_parse(octets: *const u8, length: usize, out: *mut Summary) -> c_int;
    fn peers_mppc_new(compressor: c_int) -> *mut Context;
    fn peers_mppc_free(context: *mut Context);
    fn peers_mppc_compress(
        context: *mut Context,
        input: *const u8,
        length: usize,
        room: *mut u8,
        room_length: usize,
        output: *mut *const u8,
        output_length: *mut usize,
        flags: *mut u32,
    ) -> c_int;
    fn peers_mppc_decompress(
        context: *mut Context,
        input: *const u8,
        length: usize,
        flags: u32,
        output: *mut *const u8,
        output_length: *mut usize,
    ) -> c_int;
    fn peers_srtp_new(
        receiver: c_int,
        keys: *const u8,
        count: usize,
        mkis: *const u8,
        mki_length: usize,
    ) -> *mut SrtpSession;
    fn peers_srtp_free(session: *mut SrtpSession);
    fn peers_srtp_protect(
        session: *mut SrtpSession,
        rtcp: c_int,
        key: usize,
        packet: *mut u8,
        length: *mut c_int,
    ) -> c_int;
    fn peers_srtp_unprotect(
        session: *mut SrtpSession,
        rtcp: c_int,
        packet: *mut u8,
        length: *mut c_int,
    ) -> c_int;
}

/// Parses one message with sofia-sip, which makes a struct of every header.
pub fn sofia_parse(octets: &[u8]) -> Option<Summary> {
    let mut summary = Summary::default();
    // SAFETY: the function reads `length` octets and writes one summary, and keeps neither pointer.
    let result = unsafe { peers_sofia_parse(octets.as_ptr(), octets.len(), &raw mut summary) };
    (result == 0).then_some(summary)
}

/// Parses one message with osip2, which makes a struct of every header.
///
/// Not for several threads at once: the first call prepares the tables of the library.
pub fn osip_parse(octets: &[u8]) -> Option<Summary> {
    let mut summary = Summary::default();
    // SAFETY: the function reads `length` octets and writes one summary, and keeps neither pointer.
    let result = unsafe { peers_osip_parse(octets.as_ptr(), octets.len(), &raw mut summary) };
    (result == 0).then_some(summary)
}

/// A context of FreeRDP's MPPC with a history of 8 KB.
struct Mppc(NonNull<Context>);

impl Mppc {
    fn new(compressor: bool) -> Self {
        // SAFETY: the function takes a plain value and gives a context of our own, or null.
        let context = unsafe { peers_mppc_new(c_int::from(compressor)) };
        Self(NonNull::new(context).expect("memory"))
    }
}

impl Drop for Mppc {
    fn drop(&mut self) {
        // SAFETY: the context came from `peers_mppc_new`, is ours and is not used after this.
        unsafe { peers_mppc_free(self.0.as_ptr()) }
    }
}

/// FreeRDP's compressor.
pub struct FreeRdpEncoder {
    context: Mppc,
    room: Vec<u8>,
}

impl fmt::Debug for FreeRdpEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeRdpEncoder").finish_non_exhaustive()
    }
}

impl Default for FreeRdpEncoder {
    fn default() -> Self {
        Self {
            context: Mppc::new(true),
            room: vec![0; 65_536],
        }
    }
}

impl FreeRdpEncoder {
    /// Compresses one packet: its payload and its flags.
    pub fn encode<'a>(&'a mut self, input: &'a [u8]) -> Option<(&'a [u8], u32)> {
        let (mut output, mut length, mut flags) = (ptr::null(), 0, 0);
        // SAFETY: the context is a live compressor used by nobody else; the function reads `input.len()` octets of the input, which
        // it declares mutable but does not write, and writes at most the room's length into the room.
        let result = unsafe {
            peers_mppc_compress(
                self.context.0.as_ptr(),
                input.as_ptr(),
                input.len(),
                self.room.as_mut_ptr(),
                self.room.len(),
                &raw mut output,
                &raw mut length,
                &raw mut flags,
            )
        };
        if result != 0 {
            return None;
        }
        // SAFETY: the function gave `length` octets that lie in the room or in the input; both are borrowed for 'a.
        let payload = unsafe { std::slice::from_raw_parts(output, length) };
        Some((payload, flags))
    }
}

/// FreeRDP's decompressor.
pub struct FreeRdpDecoder {
    context: Mppc,
}

impl fmt::Debug for FreeRdpDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeRdpDecoder").finish_non_exhaustive()
    }
}

impl Default for FreeRdpDecoder {
    fn default() -> Self {
        Self {
            context: Mppc::new(false),
        }
    }
}

impl FreeRdpDecoder {
    /// Decompresses one packet.
    pub fn decode<'a>(&'a mut self, payload: &'a [u8], flags: u32) -> Option<&'a [u8]> {
        let (mut output, mut length) = (ptr::null(), 0);
        // SAFETY: the context is a live decompressor used by nobody else; the function reads `payload.len()` octets of the payload,
        // which it declares mutable but does not write.
        let result = unsafe {
            peers_mppc_decompress(
                self.context.0.as_ptr(),
                payload.as_ptr(),
                payload.len(),
                flags,
                &raw mut output,
                &raw mut length,
            )
        };
        if result != 0 || output.is_null() {
            return None;
        }
        // SAFETY: the function gave `length` octets that lie in the context's history or in the payload; both are borrowed for
        // 'a.
        Some(unsafe { std::slice::from_raw_parts(output, length) })
    }
}

/// Octets of a key and salt of libsrtp2.
const SRTP_KEY_LEN: usize = 30;
/// Room that libsrtp2 may take behind a packet.
pub const SRTP_TRAILER_LEN: usize = 16 + 128 + 4;

/// A session of libsrtp2, for one direction.
///
/// Not for several threads at once: the first one prepares the library.
pub struct LibSrtp(NonNull<SrtpSession>);

impl fmt::Debug for LibSrtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibSrtp").finish_non_exhaustive()
    }
}

impl Drop for LibSrtp {
    fn drop(&mut self) {
        // SAFETY: the session came from `peers_srtp_new`, is ours and is not used after this.
        unsafe { peers_srtp_free(self.0.as_ptr()) }
    }
}

impl LibSrtp {
    /// One to four keys with MKIs of equal length, or one key with an empty MKI.
    pub fn new(receiver: bool, keys: &[([u8; SRTP_KEY_LEN], &[u8])]) -> Option<Self> {
        let mki_len = keys.first()?.1.len();
        if keys.iter().any(|(_, mki)| mki.len() != mki_len) {
            return None;
        }
        let masters: Vec<u8> = keys.iter().flat_map(|(key, _)| *key).collect();
        let mkis: Vec<u8> = keys.iter().flat_map(|(_, mki)| mki.to_vec()).collect();
        // SAFETY: the function reads as many keys and MKIs as `keys` has, and keeps no pointer to them.
        let session = unsafe {
            peers_srtp_new(
                c_int::from(receiver),
                masters.as_ptr(),
                keys.len(),
                mkis.as_ptr(),
                mki_len,
            )
        };
        NonNull::new(session).map(Self)
    }

    /// Protects in place the packet in the first `len` octets of the buffer, and gives its new length or the status of the library.
    ///
    /// # Panics
    /// If the buffer has less than [`SRTP_TRAILER_LEN`] octets behind the packet.
    pub fn protect(
        &mut self,
        rtcp: bool,
        key: usize,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, c_int> {
        assert!(buffer.len() >= len + SRTP_TRAILER_LEN);
        let mut length = c_int::try_from(len).expect("a packet");
        // SAFETY: the session is live and used by nobody else; the function writes at most a trailer behind the packet, and there is
        // room.
        let status = unsafe {
            peers_srtp_protect(
                self.0.as_ptr(),
                c_int::from(rtcp),
                key,
                buffer.as_mut_ptr(),
                &raw mut length,
            )
        };
        if status == 0 {
            Ok(usize::try_from(length).expect("a length"))
        } else {
            Err(status)
        }
    }

    /// Unprotects a packet in place, and gives its new length or the status of the library.
    pub fn unprotect(&mut self, rtcp: bool, packet: &mut [u8]) -> Result<usize, c_int> {
        let mut length = c_int::try_from(packet.len()).expect("a packet");
        // SAFETY: the session is live and used by nobody else; the function writes within the packet.
        let status = unsafe {
            peers_srtp_unprotect(
                self.0.as_ptr(),
                c_int::from(rtcp),
                packet.as_mut_ptr(),
                &raw mut length,
            )
        };
        if status == 0 {
            Ok(usize::try_from(length).expect("a length"))
        } else {
            Err(status)
        }
    }
}
