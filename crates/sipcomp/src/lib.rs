//! [MS-SIPCOMP]: compression of a SIP stream (LZ77-8K)
#![forbid(unsafe_code)]
