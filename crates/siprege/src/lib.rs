#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod acl;
pub mod adhoc;
pub mod contacts;
pub mod location;
pub mod mcu;
pub mod notify;
pub mod presence_state;
pub mod provisioning;
pub mod registrar;
pub mod registration;
pub mod soap;
pub mod version_filter;
