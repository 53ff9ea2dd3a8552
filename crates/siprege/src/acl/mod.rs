//! Access control lists of LCS and OCS 2005 (\[MS-SIP\] 2.2.3, 8). OCS 2007 and later have containers in their place (\[MS-PRES\]).
//!
//! A user's list says who may see the user's presence, which the server enforces, and who may talk to the user, which the
//! user's clients enforce.

mod access_list;
mod document;

pub use access_list::{AccessList, Applied, Limits};
pub use document::{Ace, AceType, AclList, Right, Rights, SetAce, UserAcl};

/// The event package.
pub const EVENT: &str = "vnd-microsoft-roaming-ACL";
/// The type of the document.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-acls+xml";
