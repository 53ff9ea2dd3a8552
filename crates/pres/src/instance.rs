//! Instance ids: which source of a category a publication is from (\[MS-PRES\], publication of the categories).
//!
//! A source that there is once has a constant id; an endpoint, a mailbox or a telephone has one that is made from its name. Nobody but the
//! publisher makes it, so it need only be different from the others of its kind.

use md5::{Digest, Md5};

/// Identity, from the directory. Published by the server.
pub const CONTACT_CARD_IDENTITY: u32 = 0;
/// Telephones that the user entered.
pub const CONTACT_CARD_PHONES: u32 = 1;
/// Addresses.
pub const CONTACT_CARD_USER: u32 = 2;
/// What the address book says: title, company, office, telephone at work.
pub const CONTACT_CARD_ADDRESS_BOOK: u32 = 3;
/// Voice mail.
pub const CONTACT_CARD_VOICE_MAIL: u32 = 4;
/// What is behind the address.
pub const CONTACT_CARD_PRESENTITY: u32 = 5;
/// Title, office and picture.
pub const CONTACT_CARD_PHOTO: u32 = 6;

/// The state that blocked contacts see.
pub const STATE_BLOCKED: u32 = 0;
/// The state of a user who is not there, in the place of the aggregate: what Lync Server 2013 shows of one who is offline.
pub const STATE_OFFLINE: u32 = STATE_BLOCKED;
/// The aggregate of all states.
pub const STATE_AGGREGATE: u32 = 1;
/// The aggregate of the machines.
pub const STATE_AGGREGATE_MACHINE: u32 = 0x1000_0000;
/// The user's choice, until it is changed.
pub const STATE_USER: u32 = 0x2000_0000;
/// The user's choice, for a time.
pub const STATE_USER_TIMED: u32 = 0x2400_0000;

/// The personal note.
pub const NOTE_PERSONAL: u32 = 0;
/// Working hours in `calendarData`.
pub const CALENDAR_WORKING_HOURS: u32 = 0;
/// Permissions in `otherOptions`.
pub const OPTIONS_PERMISSIONS: u32 = 0;
/// Times of last access in `otherOptions`.
pub const OPTIONS_LAST_ACCESS: u32 = 1;
/// Privacy in `otherOptions`.
pub const OPTIONS_PRIVACY: u32 = 2;
/// The rules for calls.
pub const ROUTING: u32 = 0;
/// Whose calls ring through.
pub const ROUTING_BREAKTHROUGH: u32 = 1;
/// The one instance of `legacyInterop`.
pub const LEGACY_INTEROP: u32 = 1;
/// The one instance of `services`, `dndState`, `mwi`, `userInformation`, `userProperties`, `workingHours`, `alerts` and `rccOptions`.
pub const SINGLE: u32 = 0;

/// What an id is made from: 32 bits that belong to an endpoint, a mailbox or a telephone.
///
/// ```
/// use ocs_pres::instance::Source;
///
/// let endpoint = Source::from_epid("4c77e6ec72").unwrap();
/// assert_eq!(endpoint.device(), 1_282_926_316);
/// assert_eq!(endpoint.machine_state(), 0x34C7_7E6E);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    bits: u32,
    /// The lowest 28 of them, or in SIPE's way the highest.
    low: u32,
    /// The lowest 30 of them, or in SIPE's way the highest 28.
    low_30: u32,
}

impl Source {
    /// From a name: the GRUU of an endpoint, the SMTP address of a mailbox, the TEL URI of a telephone.
    ///
    /// The MD5 of the name, its last four octets as a number with the highest octet first. The documentation does not say what the "least
    /// significant bits" of an MD5 are, so other programs may make other ids from the same name; nothing depends on it.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let digest: [u8; 16] = Md5::digest(name.as_bytes()).into();
        let [.., a, b, c, d] = digest;
        let bits = u32::from_be_bytes([a, b, c, d]);
        Self {
            bits,
            low: bits & 0x0FFF_FFFF,
            low_30: bits & 0x3FFF_FFFF,
        }
    }

    /// From a telephone and the endpoint that uses it.
    #[must_use]
    pub fn from_phone(uri: &str, gruu: &str) -> Self {
        Self::from_name(&format!("{uri},{gruu}"))
    }

    /// From the first eight hexadecimal digits of an endpoint id, as SIPE does. `None` when it does not begin with eight.
    #[must_use]
    pub fn from_epid(epid: &str) -> Option<Self> {
        let digits = epid.get(..8)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let bits = u32::from_str_radix(digits, 16).ok()?;
        Some(Self {
            bits,
            low: bits >> 4,
            low_30: bits >> 4,
        })
    }

    /// Of an endpoint's `device`.
    #[must_use]
    pub const fn device(self) -> u32 {
        self.bits
    }

    /// Of what an endpoint sees of its user.
    #[must_use]
    pub const fn machine_state(self) -> u32 {
        0x3000_0000 | self.low
    }

    /// Of a meeting in a mailbox's calendar.
    #[must_use]
    pub const fn meeting(self) -> u32 {
        0x4000_0000 | self.low
    }

    /// Of an absence in a mailbox's calendar.
    #[must_use]
    pub const fn out_of_office_meeting(self) -> u32 {
        0x5000_0000 | self.low
    }

    /// Of a mailbox's automatic reply.
    #[must_use]
    pub const fn out_of_office_message(self) -> u32 {
        0x6000_0000 | self.low
    }

    /// Of a telephone that is controlled.
    #[must_use]
    pub const fn controlled_phone(self) -> u32 {
        0x7000_0000 | self.low
    }

    /// Of calls of an endpoint.
    #[must_use]
    pub const fn voip_phone(self) -> u32 {
        0x8000_0000 | self.low
    }

    /// Of calls that an endpoint makes into the telephone network.
    #[must_use]
    pub const fn pstn_phone(self) -> u32 {
        0x9000_0000 | self.low
    }

    /// Of a mailbox's free and busy times.
    #[must_use]
    pub const fn free_busy(self) -> u32 {
        0x4000_0000 | self.low_30
    }

    /// Of the note that a mailbox's automatic reply makes.
    #[must_use]
    pub const fn out_of_office_note(self) -> u32 {
        0x4000_0000 | self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_stable_ids_of_each_kind() {
        let mailbox = Source::from_name("bob@contoso.com");
        assert_eq!(mailbox, Source::from_name("bob@contoso.com"));
        assert_ne!(mailbox, Source::from_name("alice@contoso.com"));
        let kinds = [
            mailbox.machine_state(),
            mailbox.meeting(),
            mailbox.out_of_office_meeting(),
            mailbox.out_of_office_message(),
            mailbox.controlled_phone(),
            mailbox.voip_phone(),
            mailbox.pstn_phone(),
        ];
        for (index, kind) in kinds.iter().enumerate() {
            assert_eq!(kind >> 28, index as u32 + 3);
            assert_eq!(kind & 0x0FFF_FFFF, mailbox.device() & 0x0FFF_FFFF);
        }
    }

    #[test]
    fn an_epid_needs_eight_digits() {
        for bad in ["", "4c77e6e", "4c77e6eg", "+c77e6ec", "ééééé"] {
            assert_eq!(Source::from_epid(bad), None, "{bad}");
        }
    }
}
