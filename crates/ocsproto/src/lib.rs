#![cfg_attr(feature = "sip-core", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "sip-core"),
    doc = "Libraries for the protocols of the Skype for Business, Lync and OCS system."
)]
#![forbid(unsafe_code)]

#[cfg(feature = "avedgea")]
pub use ocs_avedgea as avedgea;
#[cfg(feature = "call")]
pub use ocs_call as call;
#[cfg(feature = "client")]
pub use ocs_client as client;
#[cfg(feature = "conmgmt")]
pub use ocs_conmgmt as conmgmt;
#[cfg(feature = "ice")]
pub use ocs_ice as ice;
#[cfg(feature = "media-stream")]
pub use ocs_media as media;
#[cfg(feature = "ntlm")]
pub use ocs_ntlm as ntlm;
#[cfg(feature = "ocer")]
pub use ocs_ocer as ocer;
#[cfg(feature = "pres")]
pub use ocs_pres as pres;
#[cfg(feature = "qoe")]
pub use ocs_qoe as qoe;
#[cfg(feature = "rtp")]
pub use ocs_rtp as rtp;
#[cfg(feature = "sdpext")]
pub use ocs_sdpext as sdpext;
#[cfg(feature = "server")]
pub use ocs_server as server;
#[cfg(feature = "sip-core")]
pub use ocs_sip_core as sip_core;
#[cfg(feature = "sipae")]
pub use ocs_sipae as sipae;
#[cfg(feature = "sipcomp")]
pub use ocs_sipcomp as sipcomp;
#[cfg(feature = "sipre")]
pub use ocs_sipre as sipre;
#[cfg(feature = "siprege")]
pub use ocs_siprege as siprege;
#[cfg(feature = "srtp")]
pub use ocs_srtp as srtp;
#[cfg(feature = "stun")]
pub use ocs_stun as stun;
#[cfg(feature = "turn")]
pub use ocs_turn as turn;
#[cfg(feature = "xml")]
pub use ocs_xml as xml;
