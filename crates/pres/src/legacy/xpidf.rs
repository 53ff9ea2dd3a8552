//! XPIDF: what Windows Messenger reads and writes, from before RFC 3863 (recalled).

use ocs_xml::{Error, Extra, Limits, Reader, SmolStr, content, element, words};

use crate::category::{Availability, AvailabilityClass, LegacyInterop, Token};

words! {
    /// Whether somebody is there.
    pub enum Status: open {
        /// Somebody is.
        Open = "open",
        /// Somebody is, in a call.
        InUse = "inuse",
        /// Nobody is.
        Closed = "closed",
    }
}

words! {
    /// What they do.
    pub enum Substatus: open {
        /// Nothing in particular.
        Online = "online",
        /// Are busy.
        Busy = "busy",
        /// Talk.
        OnThePhone = "onthephone",
        /// Have not touched the machine.
        Idle = "idle",
        /// Will be right back.
        BeRightBack = "berightback",
        /// Are away.
        Away = "away",
        /// Are at lunch.
        OutToLunch = "outtolunch",
        /// Are offline.
        Offline = "offline",
    }
}

content! {
    /// Who.
    pub struct Subject("", "presentity") {
        /// The URI, which the writer gives a parameter `method=SUBSCRIBE`.
        attr uri: SmolStr,
    }
}

content! {
    /// Whether somebody is there.
    pub struct StatusElement("", "status") {
        /// Whether.
        attr status: Status,
    }
}

content! {
    /// What they do.
    pub struct SubstatusElement("", "msnsubstatus") {
        /// What.
        attr substatus: Substatus,
    }
}

content! {
    /// Where.
    pub struct Address("", "address") {
        /// The URI.
        attr uri: SmolStr,
        /// How much it is preferred, as a decimal number up to 1.
        attr_opt priority: SmolStr,
        /// Whether somebody is there.
        part_opt status: StatusElement,
        /// What they do.
        part_opt substatus: SubstatusElement = "msnsubstatus",
    }
}

content! {
    /// A place.
    pub struct Atom("", "atom") {
        /// Tells places apart.
        attr_opt id: SmolStr,
        /// Where.
        parts address: Address,
    }
}

element! {
    /// Presence of somebody.
    pub struct Presence("", "presence") {
        /// Who.
        part_opt presentity: Subject,
        /// The places.
        parts atom: Atom,
    }
}

impl Presence {
    /// Reads a document. Writers begin it with a document type that names an external file; it is passed over.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let whole = std::str::from_utf8(document).ok();
        let at = whole.and_then(|text| text.find("<!DOCTYPE"));
        let (Some(text), Some(at)) = (whole, at) else {
            return Reader::new(document, limits)?.document();
        };
        let end = text[at..].find('>').map_or(text.len(), |end| at + end + 1);
        let is_outside_root =
            text[..at].trim_ascii().is_empty() || text[..at].trim_ascii().ends_with("?>");
        // What defines something is not passed over, but refused by the reader.
        if !is_outside_root || text[at..end].contains('[') {
            return Err(Error::Doctype { offset: at });
        }
        Reader::new(&document[end..], limits)?.document()
    }

    /// Presence of a user of 2007, by SIP URI (recalled).
    #[must_use]
    pub fn of(uri: &str, state: &LegacyInterop) -> Self {
        let substatus = match state.availability.class() {
            AvailabilityClass::Unknown | AvailabilityClass::Offline => Substatus::Offline,
            AvailabilityClass::Available => Substatus::Online,
            AvailabilityClass::AvailableIdle => Substatus::Idle,
            AvailabilityClass::Busy | AvailabilityClass::BusyIdle
                if matches!(state.token, Some(Token::OnThePhone | Token::InAConference)) =>
            {
                Substatus::OnThePhone
            }
            AvailabilityClass::Busy
            | AvailabilityClass::BusyIdle
            | AvailabilityClass::DoNotDisturb => Substatus::Busy,
            AvailabilityClass::BeRightBack => Substatus::BeRightBack,
            AvailabilityClass::Away => Substatus::Away,
        };
        let status = match substatus {
            Substatus::Offline => Status::Closed,
            Substatus::OnThePhone => Status::InUse,
            _ => Status::Open,
        };
        Self {
            presentity: Some(Subject {
                uri: format!("{uri};method=SUBSCRIBE").into(),
                extra: Extra::default(),
            }),
            atom: vec![Atom {
                id: Some(SmolStr::new_static("1")),
                address: vec![Address {
                    uri: uri.into(),
                    priority: Some(SmolStr::new_static("0.800000")),
                    status: Some(StatusElement {
                        status,
                        extra: Extra::default(),
                    }),
                    substatus: Some(SubstatusElement {
                        substatus,
                        extra: Extra::default(),
                    }),
                    extra: Extra::default(),
                }],
                extra: Extra::default(),
            }],
            extra: Extra::default(),
        }
    }

    /// What a reader of 2007 takes it for: the most available of the places.
    #[must_use]
    pub fn enhanced(&self) -> Availability {
        self.atom
            .iter()
            .flat_map(|atom| &atom.address)
            .map(Address::enhanced)
            .min()
            .unwrap_or(Availability::OFFLINE)
    }
}

impl Address {
    fn enhanced(&self) -> Availability {
        let status = self.status.as_ref().map(|status| &status.status);
        let substatus = self
            .substatus
            .as_ref()
            .map(|substatus| &substatus.substatus);
        match (status, substatus) {
            (None | Some(Status::Closed), _) | (_, Some(Substatus::Offline)) => {
                Availability::OFFLINE
            }
            (_, Some(Substatus::Idle)) => Availability::IDLE,
            (_, Some(Substatus::BeRightBack)) => Availability::BE_RIGHT_BACK,
            (_, Some(Substatus::Away | Substatus::OutToLunch)) => Availability::AWAY,
            (Some(Status::InUse), _) | (_, Some(Substatus::Busy | Substatus::OnThePhone)) => {
                Availability::BUSY
            }
            _ => Availability::AVAILABLE,
        }
    }
}
