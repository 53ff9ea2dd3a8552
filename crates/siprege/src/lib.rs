//! [MS-SIPREGE]: registration
#![forbid(unsafe_code)]
