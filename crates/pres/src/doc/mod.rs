//! The documents of \[MS-PRES\].
