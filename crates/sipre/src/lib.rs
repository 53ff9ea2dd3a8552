//! [MS-SIPRE]: endpoint identities, GRUU, bindings, forking proxy, IM sessions
#![forbid(unsafe_code)]
