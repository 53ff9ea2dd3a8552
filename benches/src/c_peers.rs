//! The peers in C: sofia-sip, osip2 and FreeRDP's MPPC, through the functions of `c/peers.h`.

use std::ffi::c_int;
use std::fmt;
use std::ptr::{self, NonNull};

use crate::Summary;

/// `struct peers_mppc` of `c/peers.h`, only ever behind a pointer.
#[repr(C)]
struct Context {
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
