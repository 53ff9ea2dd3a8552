//! Libraries for the protocols of the Skype for Business, Lync and OCS system
#![forbid(unsafe_code)]
