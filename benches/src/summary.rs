//! What every peer reads out of the message, so that each proves that it made the typed views.

/// Numbers that can only be right when start line, headers and URIs were parsed. Lengths are in octets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Summary {
    /// Vias.
    pub vias: u32,
    /// The ports of all Vias, added.
    pub via_ports: u32,
    /// The branch of the topmost Via.
    pub branch: u32,
    /// The user of the URI in From.
    pub from_user: u32,
    /// The tag of From.
    pub from_tag: u32,
    /// The `epid` parameter of From.
    pub from_epid: u32,
    /// The host of the URI in To.
    pub to_host: u32,
    /// Call-ID.
    pub call_id: u32,
    /// The number in CSeq.
    pub cseq: u32,
    /// The user of the URI in Contact.
    pub contact_user: u32,
    /// Routes.
    pub routes: u32,
    /// The ports of the URIs of all Routes, added.
    pub route_ports: u32,
    /// The user of the Request-URI.
    pub request_user: u32,
    /// The body.
    pub body: u32,
}

impl Summary {
    /// What [`data::INVITE`](crate::data::INVITE) holds.
    pub const INVITE: Self = Self {
        vias: 3,
        via_ports: 5061 + 61234 + 50122,
        branch: "z9hG4bK7C6B9A51.5D8A0E2F4C31B7A6".len() as u32,
        from_user: "alice".len() as u32,
        from_tag: "4a2b44d131".len() as u32,
        from_epid: "8248ca9ebb".len() as u32,
        to_host: "contoso.com".len() as u32,
        call_id: "d5f2b95d5be64c2cbfb38aa5d3a87ae7".len() as u32,
        cseq: 7,
        contact_user: "alice".len() as u32,
        routes: 2,
        route_ports: 5061 + 5061,
        request_user: "bob".len() as u32,
        body: 579,
    };
}
