//! Packets, keys and short ways to protect them.
#![allow(dead_code)] // Each test file uses a part.

use ocs_srtp::{
    Error, KeyId, KeyParams, MasterKey, Mki, Receiver, ReceiverConfig, Sender, SenderConfig,
};

pub(crate) const KEY: &str = "3t+Jui/n92LdFt7lBWOYUC1wUg52ub4HAW4PzdDl";
pub(crate) const SSRC: u32 = 0x486e_0200;

pub(crate) fn params(mki: Option<Mki>) -> KeyParams {
    KeyParams {
        mki,
        ..KeyParams::new(MasterKey::parse(KEY).unwrap())
    }
}

/// A key of its own for each number.
pub(crate) fn other(number: u8, mki: Option<Mki>) -> KeyParams {
    KeyParams {
        mki,
        ..KeyParams::new(MasterKey::from([number; 30]))
    }
}

pub(crate) fn mki(value: u64, len: usize) -> Option<Mki> {
    Mki::new(value, len).ok()
}

pub(crate) fn sender(params: &KeyParams) -> Sender {
    Sender::new(SenderConfig::default(), params)
}

pub(crate) fn receiver(params: &KeyParams) -> Receiver {
    receiver_with(ReceiverConfig::default(), params).0
}

pub(crate) fn receiver_with(config: ReceiverConfig, params: &KeyParams) -> (Receiver, KeyId) {
    let mut receiver = Receiver::new(config);
    let id = receiver.add_key(params).unwrap();
    (receiver, id)
}

pub(crate) fn rtp(ssrc: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0x72];
    packet.extend(seq.to_be_bytes());
    packet.extend((u32::from(seq) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

/// A receiver report without blocks, and something behind it.
pub(crate) fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x81, 202, 0, 1, 1, 2, 3, 4]);
    packet
}

pub(crate) fn protect_rtp(sender: &mut Sender, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + sender.rtp_overhead(), 0xee);
    let len = sender.protect_rtp(&mut buffer, packet.len())?;
    assert_eq!(len, buffer.len());
    Ok(buffer)
}

pub(crate) fn protect_rtcp(sender: &mut Sender, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + sender.rtcp_overhead(), 0xee);
    let len = sender.protect_rtcp(&mut buffer, packet.len())?;
    assert_eq!(len, buffer.len());
    Ok(buffer)
}

/// Unprotects a copy, and sees to it that a packet that is refused is left as it was.
pub(crate) fn unprotect_rtp(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buffer = packet.to_vec();
    match receiver.unprotect_rtp(&mut buffer) {
        Ok(unprotected) => {
            buffer.truncate(unprotected.len);
            Ok(buffer)
        }
        Err(error) => {
            assert_eq!(buffer, packet);
            Err(error)
        }
    }
}

pub(crate) fn unprotect_rtcp(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buffer = packet.to_vec();
    match receiver.unprotect_rtcp(&mut buffer) {
        Ok(unprotected) => {
            buffer.truncate(unprotected.len);
            Ok(buffer)
        }
        Err(error) => {
            assert_eq!(buffer, packet);
            Err(error)
        }
    }
}
