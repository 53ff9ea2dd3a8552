//! Benches of the workspace, with other implementations beside ours in the same run.
//!
//! `docs/benchmarks.md` says how to run them. The peers written in C need the feature `c-peers`.

#[cfg(feature = "c-peers")]
#[allow(unsafe_code)] // The only foreign functions of the workspace.
pub mod c_peers;
pub mod data;
pub mod ours;
pub mod peers;
pub mod presence;
pub mod relay;
mod settings;
mod summary;
pub mod system;

pub use settings::{criterion, is_test, resident};
pub use summary::Summary;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_reads_the_invite() {
        let octets = data::INVITE.as_bytes();
        assert_eq!(ours::parse(octets).unwrap(), Summary::INVITE);
        assert_eq!(ours::parse_everything(octets).unwrap(), Summary::INVITE);
        assert_eq!(peers::ezk::parse(octets).unwrap(), Summary::INVITE, "ezk");
        #[cfg(feature = "c-peers")]
        {
            assert_eq!(c_peers::sofia_parse(octets), Some(Summary::INVITE), "sofia");
            assert_eq!(c_peers::osip_parse(octets), Some(Summary::INVITE), "osip");
        }
        assert_eq!(peers::rsip::parse(octets).unwrap(), Summary::INVITE, "rsip");
    }
}
