//! [MS-SIPAE]: SIP authentication extensions: challenges, security associations, per-message signatures
#![forbid(unsafe_code)]
