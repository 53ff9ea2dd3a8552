//! The QoE Monitoring Agent of the pool: takes reports on the quality of calls ([MS-QoE] 3.2).

use std::time::Instant;

use ocs_qoe::server::{Report, answer, is_for_agent};
use ocs_qoe::{FEEDBACK_TYPE, REPORT_TYPE, is_report};
use ocs_sip_core::Message;
use ocs_sip_core::transaction::ServerId;
use ocs_sipre::gruu::Gruu;

use super::address::ServiceAddress;
use super::input::Caller;
use super::services::Refused;
use super::{Error, FrontEnd};
use crate::{Event, QualityReport, Store};

/// The role in the address of the agent ([MS-SIPRE] 2.2.2).
const ROLE: &str = "QoSM";

/// Where the agent is reached.
pub(super) fn address(name: &str, domain: &str) -> Result<ServiceAddress, Error> {
    ServiceAddress::new(ROLE, name, domain).ok_or_else(|| Error::QualityAgent {
        name: name.to_owned(),
    })
}

impl<S: Store> FrontEnd<S> {
    pub(super) fn is_quality_agent(&self, gruu: &Gruu<'_>) -> bool {
        let address = self.quality_address.as_ref();
        address.is_some_and(|address| address.is(gruu))
    }

    /// Whether a request that this server is to answer is the agent's: all that is sent to its address, and reports to the pool or to users of it.
    pub(super) fn is_for_quality_agent(&self, request: &Message) -> bool {
        let Some(address) = &self.quality_address else {
            return false;
        };
        let gruu = request.request_uri().map(Gruu::parse);
        let pool = || format!("sip:{}", self.config.fqdn);
        matches!(gruu, Some(Ok(gruu)) if address.is(&gruu))
            || is_report(request) && is_for_agent(request, &address.to_uri(), &pool())
    }

    /// Judges a report, and keeps it before it is answered.
    pub(super) fn take_quality_report(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: ServerId,
        request: &Message,
    ) {
        let tag = self.new_tag();
        let (response, report) = answer(request, &tag);
        if let Ok(report) = report
            && let Err(refused) = self.keep_quality_report(now, caller, request, report)
        {
            self.respond_refused(now, id, request, refused);
            return;
        }
        self.respond(now, id, response);
    }

    fn keep_quality_report(
        &mut self,
        now: Instant,
        caller: &Caller,
        request: &Message,
        report: Report,
    ) -> Result<(), Refused> {
        let aor = caller.identity.aor.clone();
        let kept = self.store.put_quality_report(QualityReport {
            aor: aor.clone(),
            received_at: self.config.clock.at(now),
            content_type: match report {
                Report::Feedback(_) => FEEDBACK_TYPE,
                _ => REPORT_TYPE,
            },
            document: String::from_utf8_lossy(request.body()).into_owned(),
        });
        if let Err(error) = kept {
            let reason = error.to_string();
            self.events
                .push_back(Event::QualityReportLost { aor, reason });
            return Err(Refused::store_failed());
        }
        let report = Box::new(report);
        self.events
            .push_back(Event::QualityReported { aor, report });
        Ok(())
    }
}
