//! [MS-NLMP]: NTLM authentication and session security, connection and connectionless, client and server
#![forbid(unsafe_code)]
