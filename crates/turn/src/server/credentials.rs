//! Where the server learns passwords.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::Instant;

use ocs_stun::Password;

/// What is known of a username.
#[derive(Debug)]
pub enum Lookup {
    /// It is good, and this is its password.
    Password(Password),
    /// It is none of ours, or its own signature is wrong: error 436.
    Unknown,
    /// It was good once: error 430.
    Expired,
}

/// Derives or finds the password of a username, which for this family is a token of \[MS-AVEDGEA\] that carries its own signature.
pub trait CredentialStore {
    /// The password of a username, both as they are on the wire: binary.
    fn lookup(&self, now: Instant, username: &[u8]) -> Lookup;

    /// Whose allocations count together: by default those of one username. A store whose users get many tokens says here what they have in
    /// common.
    fn account<'a>(&'a self, username: &'a [u8]) -> &'a [u8] {
        username
    }
}

impl<S: BuildHasher> CredentialStore for HashMap<Vec<u8>, Password, S> {
    fn lookup(&self, _: Instant, username: &[u8]) -> Lookup {
        match self.get(username) {
            Some(password) => Lookup::Password(password.clone()),
            None => Lookup::Unknown,
        }
    }
}
