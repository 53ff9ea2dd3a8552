//! The message integrity code of the handshake, [MS-NLMP] 3.1.5.1.2 and
//! 3.1.5.2.1.
//!
//! Section 3.2.5.2.2 names another key and another input for the server of the
//! connectionless mode; the client's formula is the one used here.

use crate::crypto::hmac_md5;
use crate::{AuthenticateMessage, ExportedSessionKey};

const START: usize = AuthenticateMessage::MIC_OFFSET;
const END: usize = START + 16;

/// The MIC over the messages of a handshake. `negotiate` is empty in
/// connectionless mode; the room for the MIC in `authenticate` counts as zero.
///
/// `None` where `authenticate` is too short to have that room.
pub fn handshake_mic(
    key: &ExportedSessionKey,
    negotiate: &[u8],
    challenge: &[u8],
    authenticate: &[u8],
) -> Option<[u8; 16]> {
    let before = authenticate.get(..START)?;
    let after = authenticate.get(END..)?;
    let parts = [negotiate, challenge, before, &[0; 16], after];
    Some(hmac_md5(key.as_bytes(), &parts))
}

/// Writes the MIC into a message that was built with room for it.
pub(crate) fn insert(
    key: &ExportedSessionKey,
    negotiate: &[u8],
    challenge: &[u8],
    authenticate: &mut [u8],
) {
    if let Some(mic) = handshake_mic(key, negotiate, challenge, authenticate) {
        authenticate[START..END].copy_from_slice(&mic);
    }
}
