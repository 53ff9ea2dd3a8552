//! Application sharing (\[MS-SDPEXT\] 3.1.5.18) and streams over TCP (3.1.5.10).

use crate::text::words;

words! {
    /// `x-applicationsharing-role` (3.1.5.18.2): an offer of the one is answered with the other.
    SharingRole {
        /// Shows its screen.
        Sharer = "sharer",
        /// Looks at it.
        Viewer = "viewer",
    }
}

impl SharingRole {
    /// The role of the other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Sharer => Self::Viewer,
            Self::Viewer => Self::Sharer,
        }
    }
}

words! {
    /// `x-applicationsharing-media-type` (3.1.5.18.3)
    SharingMedia {
        /// The only one.
        Rdp = "rdp",
    }
}

words! {
    /// `x-applicationsharing-contentflow` (3.1.5.18.5): where content goes; both ways without it.
    ContentFlow {
        /// From the writer.
        SendOnly = "sendonly",
        /// To the writer.
        RecvOnly = "recvonly",
        /// Nowhere: paused.
        Inactive = "inactive",
    }
}

impl ContentFlow {
    /// The answer of a side that wants `own`, or anything without one: the opposite, or `inactive`.
    #[must_use]
    pub const fn answer(self, own: Option<Self>) -> Self {
        let opposite = match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            Self::Inactive => Self::Inactive,
        };
        match own {
            None => opposite,
            Some(own) if own as u8 == opposite as u8 => opposite,
            Some(_) => Self::Inactive,
        }
    }
}

words! {
    /// `setup` (RFC 4145)
    Setup {
        /// Connects.
        Active = "active",
        /// Accepts.
        Passive = "passive",
        /// Either.
        ActPass = "actpass",
        /// Not now.
        HoldConn = "holdconn",
    }
}

impl Setup {
    /// The answer (RFC 4145 4.1).
    #[must_use]
    pub const fn answer(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive | Self::ActPass => Self::Active,
            Self::HoldConn => Self::HoldConn,
        }
    }
}

words! {
    /// `connection` (RFC 4145; 3.1.5.10.2): `new` at the first offer of application sharing over TCP, else `existing`.
    TcpConnection {
        /// A new connection.
        New = "new",
        /// The one that is there.
        Existing = "existing",
    }
}
