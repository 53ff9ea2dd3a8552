//! Virtual network, virtual clock and ladder diagrams for tests and examples
#![forbid(unsafe_code)]
