//! The category `contactCard`: who somebody is and how to reach them (\[MS-PRES\], contact card schema).
//!
//! Its instances say different things about one person ([`crate::instance`]); a reader puts them together with [`ContactCard::merge`].

use ocs_xml::{SmolStr, content, element, words};

use crate::Time;
use crate::category::{Localized, UpdatedUri};

/// The namespace.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/contactcard";

words! {
    /// What is behind the address.
    pub enum PresentityType: open {
        /// A person.
        Person = "person",
        /// A group whose members take calls in turn.
        HuntGroup = "huntgroup",
        /// A menu.
        AutoAttendant = "autoattendant",
        /// A program.
        Automaton = "automaton",
    }
}

words! {
    /// Which telephone.
    pub enum PhoneType: open {
        /// At work.
        Work = "work",
        /// At home.
        Home = "home",
        /// Carried along.
        Mobile = "mobile",
        /// Another.
        Elsewhere = "other",
        /// The one that the administrator gave a name.
        Custom1 = "custom1",
    }
}

words! {
    /// Which address.
    pub enum AddressType: open {
        /// At work.
        Work = "work",
        /// At home.
        Home = "home",
        /// Another.
        Elsewhere = "other",
    }
}

words! {
    /// What a URL leads to.
    pub enum UrlType: open {
        /// The user's page.
        Sharepoint = "sharepoint",
        /// The voice mail.
        Voicemail = "voicemail",
        /// A picture.
        Photo = "photo",
        /// Something else.
        Elsewhere = "other",
    }
}

words! {
    /// Where a picture comes from.
    pub enum PhotoType: open {
        /// The directory's.
        Default = "default",
        /// The enterprise's store.
        Enterprise = "enterprise",
        /// A URL of the user's.
        Elsewhere = "other",
    }
}

element! {
    /// A name.
    pub struct Name(NAMESPACE, "name") {
        /// When it was changed last.
        attr_opt updated: Time,
        /// The name as it is shown.
        parts display_name: Localized = "displayName",
    }
}

element! {
    /// Who somebody is.
    pub struct Identity(NAMESPACE, "identity") {
        /// When it was changed last.
        attr_opt updated: Time,
        /// The name.
        child_opt name: Name,
        /// Addresses of mail.
        parts email: UpdatedUri,
    }
}

content! {
    /// A postal address.
    pub struct Address(NAMESPACE, "address") {
        /// Which.
        attr kind: AddressType = "type",
        /// Street and number.
        parts street: Localized,
        /// City.
        parts city: Localized,
        /// State or province.
        parts state: Localized,
        /// Postal code.
        parts zipcode: Localized,
        /// Country.
        part_opt country_code: Localized = "countryCode",
    }
}

element! {
    /// A telephone.
    pub struct Phone(NAMESPACE, "phone") {
        /// Which.
        attr kind: PhoneType = "type",
        /// Its TEL URI.
        part uri: UpdatedUri,
        /// How the number is shown.
        parts display_string: Localized = "displayString",
    }
}

element! {
    /// A page, a picture.
    pub struct Url(NAMESPACE, "url") {
        /// What it leads to.
        attr_opt kind: UrlType = "type",
        /// When it was changed last.
        attr_opt updated: Time,
        /// The URL.
        text value: SmolStr,
    }
}

element! {
    /// A picture of the person.
    pub struct Photo(NAMESPACE, "photo") {
        /// Where it comes from.
        attr kind: PhotoType = "type",
        /// When it was changed last.
        attr_opt updated: Time,
        /// Where it is.
        part_opt uri: UpdatedUri,
        /// A value that changes with the picture.
        leaf hash: SmolStr,
    }
}

element! {
    /// What one instance says about somebody. One that says nothing hides.
    #[derive(Default)]
    pub struct ContactCard(NAMESPACE, "contactCard") {
        /// When it was changed last.
        attr_opt updated: Time,
        /// Whether the user has unified communications.
        attr_opt is_uc_enabled: bool = "isUCEnabled",
        /// Who.
        children identity: Identity,
        /// Where.
        parts address: Address,
        /// For whom the person works.
        parts company: Localized,
        /// In which department.
        parts department: Localized,
        /// As what.
        parts title: Localized,
        /// In which room.
        parts office: Localized,
        /// Pages.
        children url: Url,
        /// Telephones.
        children phone: Phone,
        /// A program is behind the address: its presence never changes, so nobody need ask again.
        leaf_opt automaton: bool,
        /// What is behind the address.
        leaf_opt kind: PresentityType = "type",
        /// What it is for, at most 1020 characters (since 2007 R2).
        leaf_opt description: SmolStr => 1,
        /// Whether the picture of the directory may be shown (since 2010).
        leaf_opt display_ad_photo: bool = "displayADPhoto" => 2,
        /// Pictures (since 2010).
        children photo: Photo => 2,
    }
}

impl ContactCard {
    /// Puts what another instance says over what this one says. A reader begins with the lowest instance id.
    ///
    /// Telephones, addresses, pages and pictures are told apart by their type.
    pub fn merge(&mut self, other: Self) {
        replace(&mut self.updated, other.updated);
        replace(&mut self.is_uc_enabled, other.is_uc_enabled);
        replace_all(&mut self.identity, other.identity);
        replace_by(&mut self.address, other.address, |a, b| a.kind == b.kind);
        replace_all(&mut self.company, other.company);
        replace_all(&mut self.department, other.department);
        replace_all(&mut self.title, other.title);
        replace_all(&mut self.office, other.office);
        replace_by(&mut self.url, other.url, |a, b| a.kind == b.kind);
        replace_by(&mut self.phone, other.phone, |a, b| a.kind == b.kind);
        replace(&mut self.automaton, other.automaton);
        replace(&mut self.kind, other.kind);
        replace(&mut self.description, other.description);
        replace(&mut self.display_ad_photo, other.display_ad_photo);
        replace_by(&mut self.photo, other.photo, |a, b| a.kind == b.kind);
        for element in other.extra.elements() {
            self.extra.push_element(element.clone());
        }
    }

    /// The name for a reader of a language.
    #[must_use]
    pub fn display_name(&self, lcid: u32) -> Option<&str> {
        let name = self
            .identity
            .iter()
            .find_map(|identity| identity.name.as_ref())?;
        Localized::choose(&name.display_name, lcid).map(|name| name.value.as_str())
    }

    /// A telephone's TEL URI.
    #[must_use]
    pub fn phone(&self, kind: &PhoneType) -> Option<&str> {
        self.phone
            .iter()
            .find(|phone| phone.kind == *kind)
            .map(|phone| phone.uri.value.as_str())
    }
}

fn replace<T>(old: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *old = new;
    }
}

fn replace_all<T>(old: &mut Vec<T>, new: Vec<T>) {
    if !new.is_empty() {
        *old = new;
    }
}

fn replace_by<T>(old: &mut Vec<T>, new: Vec<T>, same: impl Fn(&T, &T) -> bool) {
    if old.is_empty() {
        *old = new;
        return;
    }
    for item in new {
        match old.iter_mut().find(|known| same(known, &item)) {
            Some(known) => *known = item,
            None => old.push(item),
        }
    }
}
