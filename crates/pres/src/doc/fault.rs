//! The body of a refused SERVICE request.

use ocs_xml::{Extra, SmolStr, element};

element! {
    /// Why a SERVICE request was refused. It has no namespace.
    pub struct Fault("", "Fault") {
        /// What kind of fault.
        leaf code: SmolStr = "Faultcode",
        /// The details.
        child_opt details: Details,
    }
}

element! {
    /// The details of a fault.
    pub struct Details("", "details") {
        /// What cannot be done, in the order of the request.
        children operations: Operation = "operation",
    }
}

element! {
    /// A part of a request whose version is not the current one.
    pub struct Operation("", "operation") {
        /// Its place in the request, from 1.
        attr index: u32,
        /// The version that was sent.
        attr version: u32,
        /// The version that the server has.
        attr current_version: u32 = "curVersion",
    }
}

impl Fault {
    /// The code of a version conflict.
    pub const WRONG_DELTA: &str = "Client.BadCall.WrongDelta";

    /// A version conflict.
    #[must_use]
    pub fn wrong_delta(operations: Vec<Operation>) -> Self {
        Self {
            code: Self::WRONG_DELTA.into(),
            details: Some(Details {
                operations,
                extra: Extra::default(),
            }),
            extra: Extra::default(),
        }
    }

    /// The conflicts.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.operations)
    }
}

impl Operation {
    /// A conflict.
    #[must_use]
    pub fn new(index: u32, version: u32, current_version: u32) -> Self {
        Self {
            index,
            version,
            current_version,
            extra: Extra::default(),
        }
    }
}
