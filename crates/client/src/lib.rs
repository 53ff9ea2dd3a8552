//! The user agent: discovery, sign-in and instant messages as one composed state machine
#![forbid(unsafe_code)]
