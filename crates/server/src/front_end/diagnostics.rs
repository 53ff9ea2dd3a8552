//! Which error id of [MS-OCER] explains a refusal.

use ocs_sip_core::HeaderName;
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

/// The header with diagnostics for a refusal, if [MS-OCER] has an id that fits.
///
/// `ms-diagnostics` names the server; `ms-diagnostics-public` never does (2.2.1.2).
pub(super) fn header(refusal: &Refusal, fqdn: &str) -> Option<(HeaderName, String)> {
    let public = *refusal == NOT_ENABLED || *refusal == FOREIGN_REFERRER;
    let id = if public {
        4004
    } else if *refusal == STALE_ROUTE {
        1004
    } else {
        match refusal.status {
            400 => 1018,
            404 => 1003,
            504 => 1005,
            _ => return None,
        }
    };
    let reason = refusal.reason;
    Some(if public {
        let value = format!("{id};reason=\"{reason}\"");
        (HeaderName::MsDiagnosticsPublic, value)
    } else {
        let value = format!("{id};reason=\"{reason}\";source=\"{fqdn}\"");
        (HeaderName::MsDiagnostics, value)
    })
}
