//! [MS-CONMGMT]: server discovery, keep-alive, connection life
#![forbid(unsafe_code)]
