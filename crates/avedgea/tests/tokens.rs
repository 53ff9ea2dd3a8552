//! Tokens: the vectors, every change of every bit, rotation of keys.

mod common;

use common::{MINUTE, NOW, issuer, keys, verifier};
use ocs_avedgea::Error;
use ocs_avedgea::document::{Location, Minutes, Version};
use ocs_avedgea::token::{Issuer, Key, Refused, SharedKeys, Token, Verifier};

fn octets(value: &serde_json::Value, name: &str) -> Vec<u8> {
    hex::decode(value[name].as_str().unwrap()).unwrap()
}

#[test]
fn the_vectors() {
    let file: serde_json::Value = serde_json::from_str(include_str!("data/tokens.json")).unwrap();
    let vectors = file["tokens"].as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let key = |name| Key::new(&octets(vector, name)).unwrap();
        let shared = SharedKeys::new(key("key1_hex"), key("key2_hex"));
        let issuer = Issuer::new(key("key0_hex"), shared.clone());
        let expiry = vector["expiry_filetime"].as_str().unwrap();
        let expires = u64::from_str_radix(expiry.trim_start_matches("0x"), 16).unwrap();
        let token = Token {
            expires,
            client_id: issuer.client_id(vector["identity"].as_str().unwrap()),
            flags: vector["flags"].as_u64().map(|flags| flags as u32),
        };
        assert_eq!(token.client_id.as_slice(), octets(vector, "client_id_hex"));
        let username = shared.username(&token);
        assert_eq!(username.as_bytes(), octets(vector, "username_hex"));
        assert!(username.as_bytes().starts_with(&octets(vector, "blob_hex")));
        assert_eq!(username.as_bytes().len() % 4, 0);
        let password = shared.password(username.as_bytes());
        assert_eq!(password.as_bytes(), octets(vector, "password_hex"));

        let verifier = Verifier::new(shared);
        let verified = verifier.verify(expires - 1, username.as_bytes());
        assert_eq!(verified, Ok((token, password)));
        let late = verifier.verify(expires, username.as_bytes());
        assert_eq!(late, Err(Refused::Expired));
    }
}

#[test]
fn a_pair_of_officesip() {
    use ocs_avedgea::Username;
    use ocs_xml::Value as _;

    let key = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    let key = Key::new(&key).unwrap();
    let verifier = Verifier::new(SharedKeys::new(key.clone(), key));
    let username = "AQAAIAAAAAAAAAAATG9nLojC+N64TnJlXEMxSQeURsIZd3OS4CQDCB2GJ6hQRR21QY7Gyg==";
    let username = Username::parse(username).unwrap();
    // It never ends, which has to be wanted.
    let refused = verifier.verify(NOW, username.as_bytes());
    assert_eq!(refused, Err(Refused::Expired));
    let verifier = verifier.accept_endless();
    let (token, password) = verifier.verify(NOW, username.as_bytes()).unwrap();
    assert_eq!((token.expires, token.flags), (0, None));
    let mut text = String::new();
    password.format(&mut text);
    assert_eq!(text, "oUU0sl7OCLQNpLUYuI1cX7OAwXE=");
}

#[test]
fn issued_tokens_last_as_long_as_they_say() {
    let ten = Minutes::new(10);
    for (version, flags) in [
        (Version::V1, None),
        (Version::V2, Some(Token::INTERNET)),
        (Version::V3, Some(Token::INTERNET)),
    ] {
        let internet = Some(Location::Internet);
        let (username, password) =
            issuer().issue(NOW, version, "sip:alice@contoso.com", internet, ten);
        let end = NOW + 10 * MINUTE;
        let (token, same) = verifier().verify(end - 1, username.as_bytes()).unwrap();
        assert_eq!((token.expires, token.flags), (end, flags));
        assert_eq!(same, password);
        let late = verifier().verify(end, username.as_bytes());
        assert_eq!(late, Err(Refused::Expired));
    }
}

#[test]
fn a_user_is_always_the_same_and_nobody_else() {
    let of = |identity| issuer().client_id(identity);
    assert_eq!(of("sip:alice@contoso.com"), of("sip:alice@contoso.com"));
    assert_ne!(of("sip:alice@contoso.com"), of("sip:bob@contoso.com"));
    for version in [Version::V1, Version::V2] {
        let (username, _) = issuer().issue(NOW, version, "alice", None, Minutes::EIGHT_HOURS);
        let found = Token::client_id_in(username.as_bytes());
        assert_eq!(found, Some(of("alice").as_slice()));
        assert_eq!(Token::client_id_in(&username.as_bytes()[1..]), None);
    }
}

#[test]
fn no_octet_may_change() {
    for version in [Version::V1, Version::V2] {
        let eight_hours = Minutes::EIGHT_HOURS;
        let (username, _) = issuer().issue(NOW, version, "alice", None, eight_hours);
        for bit in 0..username.as_bytes().len() * 8 {
            let mut changed = username.as_bytes().to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let expected = if bit < 32 {
                Refused::NotAToken
            } else {
                Refused::Forged
            };
            assert_eq!(verifier().verify(NOW, &changed), Err(expected), "bit {bit}");
        }
        let whole = username.as_bytes();
        for end in 0..whole.len() {
            assert_eq!(
                verifier().verify(NOW, &whole[..end]),
                Err(Refused::NotAToken)
            );
        }
        let longer = [whole, &[0; 4]].concat();
        assert_eq!(verifier().verify(NOW, &longer), Err(Refused::NotAToken));
    }
    assert_eq!(
        verifier().verify(NOW, &vec![0; 100_000]),
        Err(Refused::NotAToken)
    );
}

#[test]
fn locations() {
    let issue = |version, location| {
        issuer()
            .issue(NOW, version, "alice", location, Minutes::EIGHT_HOURS)
            .0
    };
    let outside = verifier().at(Location::Internet);
    let verify = |username: ocs_avedgea::Username| outside.verify(NOW, username.as_bytes());
    let foreign = issue(Version::V2, Some(Location::Intranet));
    assert_eq!(verify(foreign.clone()), Err(Refused::Location));
    assert!(verifier().verify(NOW, foreign.as_bytes()).is_ok());
    assert!(verify(issue(Version::V2, Some(Location::Internet))).is_ok());
    assert!(verify(issue(Version::V2, None)).is_ok());
    // Version 1 says nothing of it.
    assert!(verify(issue(Version::V1, Some(Location::Intranet))).is_ok());
}

#[test]
fn keys_are_changed_without_a_gap() {
    let mut issuer = issuer();
    let mut verifier = verifier();
    let issue =
        |issuer: &Issuer| issuer.issue(NOW, Version::V2, "alice", None, Minutes::EIGHT_HOURS);
    let (old, old_password) = issue(&issuer);
    verifier.add_keys(keys(20));
    issuer.set_keys(keys(20));
    let (new, new_password) = issue(&issuer);
    assert_ne!(old, new);
    let password = |verifier: &Verifier, username: &ocs_avedgea::Username| {
        let verified = verifier.verify(NOW, username.as_bytes());
        verified.map(|(_, password)| password)
    };
    assert_eq!(password(&verifier, &old), Ok(old_password));
    assert_eq!(password(&verifier, &new), Ok(new_password.clone()));
    verifier.forget_old_keys();
    assert_eq!(password(&verifier, &old), Err(Refused::Forged));
    assert_eq!(password(&verifier, &new), Ok(new_password));
}

#[test]
fn keys_are_long_and_silent() {
    assert_eq!(Key::new(&[1; 15]).unwrap_err(), Error::ShortKey { len: 15 });
    // Longer than a block of the hash too.
    for len in [16, 20, 64, 65, 1000] {
        assert!(Key::new(&vec![1; len]).is_ok());
    }
    let shown = format!("{:?} {:?}", issuer(), verifier());
    assert!(shown.contains("Key(..)"));
    assert!(!shown.contains("1, 1"));
}

/// A key is kept as two states of the hash, which wipe themselves.
#[test]
fn keys_are_wiped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<sha1::block_api::Sha1Core>();
    wiped::<ocs_avedgea::Password>();
}
