//! Which error id of [MS-OCER] explains a refusal.

use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_sipre::Refusal;

/// A user who is not in the directory, or not enabled: he may not use the address that he claims.
pub(super) const NOT_ENABLED: Refusal = Refusal::new(403, "User is not enabled for SIP");

/// A domain to which this server has no way.
pub(super) const NO_ROUTE: Refusal = Refusal::new(504, "Cannot route to destination domain");

/// Referred-By, P-Session-On-Behalf-Of or P-Agent-On-Behalf-Of name somebody for whom the sender may not speak.
pub(super) const FOREIGN_REFERRER: Refusal =
    Refusal::new(403, "Not permitted to act for this user");

/// The Record-Route of this server in a request was changed, or is of another run of the server: the dialog is lost.
pub(super) const STALE_ROUTE: Refusal = Refusal::new(481, "Route set is no longer valid");

/// The diagnostics of a refusal, if [MS-OCER] has an id that fits.
pub(super) fn of_refusal(refusal: &Refusal, fqdn: &str) -> Option<DiagnosticsWriter> {
    let id = if *refusal == NOT_ENABLED || *refusal == FOREIGN_REFERRER {
        ErrorId::NOT_AUTHORIZED_AS_FROM
    } else if *refusal == STALE_ROUTE {
        ErrorId::ROUTE_SET_NOT_VALID
    } else {
        match refusal.status {
            400 => ErrorId::PARSING_FAILURE,
            404 => ErrorId::USER_DOES_NOT_EXIST,
            504 => ErrorId::CANNOT_ROUTE_TO_DOMAIN,
            _ => return None,
        }
    };
    Some(DiagnosticsWriter::new(id.kind(), id, refusal.reason).source(fqdn))
}
