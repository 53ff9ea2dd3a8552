//! The numbers.

use crate::table::{self, ErrorInfo};
use crate::{Component, Kind};

/// The number of an error condition (\[MS-OCER\] 2.2.1.1): it decides what a reader does; the reason beside it is for people.
///
/// Any number may come in; those of the specification are in [`table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorId(pub u32);

macro_rules! error_ids {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        impl ErrorId {
            $($(#[$doc])* pub const $name: Self = Self::listed($id);)*
        }
    };
}

error_ids! {
    /// Wrong credentials.
    FINAL_HANDSHAKE_FAILED = 1000;
    /// No such user here.
    USER_DOES_NOT_EXIST = 1003;
    /// The Record-Route of the server was changed, or is of another run of it.
    ROUTE_SET_NOT_VALID = 1004;
    /// No way to this domain.
    CANNOT_ROUTE_TO_DOMAIN = 1005;
    /// A server before this one failed and did not say why.
    PREVIOUS_HOP_SILENT = 1011;
    /// The user may not talk to the outside.
    NOT_AUTHORIZED_OUTSIDE = 1012;
    /// The message cannot be read (text recalled).
    PARSING_FAILURE = 1018;
    /// A federated peer failed and did not say why (text recalled).
    FEDERATED_PEER_SILENT = 1034;
    /// A provider of public IM failed and did not say why (text recalled).
    PUBLIC_IM_SILENT = 1035;
    /// A peer that shares the address space failed and did not say why (text recalled).
    SHARED_ADDRESS_SPACE_SILENT = 1036;
    /// A client failed and did not say why (text recalled).
    CLIENT_SILENT = 1037;
    /// The server takes no more reports for now (meaning inferred).
    REPORTS_NOT_ACCEPTED = 2019;
    /// `msrtc-event-categories` without `gruu-10` in a REGISTER.
    GRUU_REQUIRED = 2057;
    /// The contact is not in the list.
    CONTACT_DOES_NOT_EXIST = 2001;
    /// The group is not in the list.
    GROUP_DOES_NOT_EXIST = 2002;
    /// As many contacts as there may be.
    CONTACT_LIMIT_EXCEEDED = 2007;
    /// As many groups as there may be.
    GROUP_LIMIT_EXCEEDED = 2008;
    /// What a client keeps with a contact is too long.
    CONTACT_EXTENSION_TOO_LARGE = 2009;
    /// The dialog of a SUBSCRIBE is not known, or has ended.
    SUBSCRIPTION_DOES_NOT_EXIST = 2014;
    /// Another group has the name.
    DUPLICATE_GROUP_NAME = 2015;
    /// The contacts of the user are kept elsewhere: in Exchange.
    CONTACTS_MOVED = 2165;
    /// The From of a conference command is not its sender.
    BAD_FROM_IN_C3P = 3000;
    /// The To of a conference command is not whom it went to.
    BAD_TO_IN_C3P = 3001;
    /// The conference command cannot be read.
    C3P_PARSE_FAILURE = 3006;
    /// User services failed, and there is no better number.
    USER_SERVICES_DEFAULT = 4000;
    /// The body is not the XML that it should be.
    XML_PARSE_FAILURE = 4001;
    /// The account may not use the address in From.
    NOT_AUTHORIZED_AS_FROM = 4004;
    /// A part of the input is over its limit.
    INPUT_TOO_LARGE = 4008;
    /// Neither epid nor `+sip.instance`.
    MISSING_ENDPOINT_IDENTIFIER = 4010;
    /// An epid of more than 16 characters.
    EPID_TOO_LONG = 4012;
    /// Another Content-Type than the expected one.
    CONTENT_TYPE_MISMATCH = 4013;
    /// A REGISTER for another event package than `registration`.
    EVENT_NOT_SUPPORTED = 4055;
    /// A policy ended the registration.
    USER_LOGGED_OUT = 4140;
    /// The user is disabled for SIP.
    USER_DISABLED = 4141;
    /// The user is served elsewhere now.
    USER_MOVED = 4142;
    /// The presence service is down.
    PRESENCE_UNAVAILABLE = 4165;
    /// The home registrar changed.
    PREFERRED_REGISTRAR_CHANGED = 4166;
    /// A second answer to reports that a server may give (meaning not known).
    REPORT_ANSWER = 10413;
    /// Outbound routing tries the next gateway: a progress report.
    TRYING_NEXT_HOP = 12006;
    /// Stands in place of diagnostics that were taken off for privacy.
    REMOVED_FOR_PRIVACY = 13008;
    /// The version filter refuses the client.
    INVALID_CLIENT_VERSION = 17002;
    /// The user hung up or gave up (text recalled).
    ACTION_BY_USER = 51004;
    /// One side wants encryption, the other refuses it.
    ENCRYPTION_LEVELS_DIFFER = 52017;
    /// The session description cannot be answered.
    UNSUPPORTED_SESSION_DESCRIPTION = 52063;
}

impl ErrorId {
    /// A number of the table; another one does not compile.
    const fn listed(id: u32) -> Self {
        assert!(table::position(id).is_some());
        Self(id)
    }

    /// What the table says of it.
    #[must_use]
    pub fn info(self) -> Option<&'static ErrorInfo> {
        table::find(self)
    }

    /// Whether it may leave the enterprise in ms-diagnostics-public. A number that the table does not know may not.
    #[must_use]
    pub fn is_public(self) -> bool {
        self.info().is_some_and(|info| info.carrier.is_public())
    }

    /// The header in which a server, or for the numbers of clients a client, sends it inside the enterprise.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.info()
            .map_or(Kind::Private, |info| info.carrier.kind())
    }

    /// The reason text of the table.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        self.info().and_then(|info| info.reason)
    }

    /// Whose number it is.
    #[must_use]
    pub fn component(self) -> Option<Component> {
        Component::of(self)
    }

    /// The number with which the Mediation Server tells that a gateway answered `status`, 400 to 699 (pattern recalled).
    #[must_use]
    pub fn of_gateway_status(status: u16) -> Self {
        match status {
            400..=699 => Self(10_000 + u32::from(status)),
            _ => Self(10_000),
        }
    }
}

impl core::fmt::Display for ErrorId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
