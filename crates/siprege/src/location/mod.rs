//! Location profiles: dial plans over SERVICE (\[MS-SIPRE\] 2.2.8, 3.8; \[MS-OCPSTN\] 3.2), and what a dialled number becomes.
//!
//! - A client asks for a profile with a SERVICE to [`request_uri`] and reads the answer with [`answer_of`]; a server answers with
//!   [`handle_service`].
//! - [`DialPlan`] holds the rules of a profile, compiled within [`PlanLimits`], and translates what is dialled.
//!
//! # Regular expressions
//!
//! Patterns are written for .NET. They are compiled to automata that run in time linear in the dialled string, so no pattern of a peer can
//! stop a server. What differs between the two is either rewritten or refused with its name ([`PatternError`]):
//!
//! | in .NET | here |
//! |---|---|
//! | `(?=...)`, `(?!...)` right behind the leading `^` | a condition of its own |
//! | `(?<=`, `(?<!`, other `(?=` and `(?!`, `\1`, `(?>`, `(?(`, `(?<1>`, `[a-z-[aeiou]]`, options `n` and `x`, `\p`, `\G` | refused |
//! | `(?<name>...)`, `(?'name'...)`: numbered behind the groups without names | renumbered |
//! | `(?#...)` | left out |
//! | `\Z` | `\z`: a dialled string has no line ends |
//! | `{` that is no repetition, `[` and doubled operators in a class, `\<`, `\>` | plain characters |
//! | `\d`, `\w`, `\s` | ASCII: a dialled string has nothing else |
//! | `$1`, `${1}`, `${name}`, `$$`, `$&`, `$0` in a translation | the same; a reference to no group, and the others of .NET, are refused |

mod dialled;
mod document;
mod pattern;
mod plan;
mod service;
mod translation;

pub use dialled::{DialError, Dialled};
pub use document::{LocationProfileDescription, Rule};
pub use pattern::PatternError;
pub use plan::{DialPlan, Number, PlanLimits, Refused};
pub use service::{Profiles, answer_of, handle_service, request_uri};

/// The type of the document.
pub const CONTENT_TYPE: &str = "application/ms-location-profile-definition+xml";
/// Its namespace.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2007/03/LocationProfileDescription";
/// The phone-context of a string that no profile is known for: the server takes the caller's.
pub const DIALSTRING: &str = "dialstring";
