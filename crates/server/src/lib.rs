//! The front end: registrar, proxy and authentication as one composed state machine over a store
#![forbid(unsafe_code)]
