//! Reports on the quality of calls ([MS-QoE]).

use std::time::Instant;

use ocs_call::Direction;
use ocs_qoe::document::{DialogInfo, Endpoint, SessionReport, Text, Time, Unknown, VqReportEvent};

use super::slot::Slot;
use super::{LineId, Phone};

impl Phone {
    /// Reports on a call that was answered and is over. A server that wants no reports gets none.
    pub(super) fn report(&mut self, now: Instant, id: LineId) {
        if !self.config.report {
            return;
        }
        if let Some(report) = self.quality_report(now, id) {
            // A report that lacks something, as of a call that had no media, helps nobody.
            let _ = self.agent.report_quality(now, report);
        }
    }

    /// What is known of the quality of a call so far, for a report at its end or in its middle. None before it is answered.
    #[must_use]
    pub fn quality_report(&self, now: Instant, id: LineId) -> Option<VqReportEvent> {
        let line = self.lines.get(&id)?;
        let start = line.answered?;
        let call = self.agent.call(line.call?)?;
        let dialog = call.dialog()?;
        let caller = call.direction() == Direction::Outgoing;
        let (local, remote) = (&*dialog.id().local_tag, &*dialog.id().remote_tag);
        let (from_tag, to_tag) = if caller {
            (local, remote)
        } else {
            (remote, local)
        };
        let (local, remote) = (dialog.local_uri(), dialog.remote_uri());
        let (from_uri, to_uri) = if caller {
            (local, remote)
        } else {
            (remote, local)
        };
        let end = self.agent.config().clock.at(now);
        let config = self.agent.config();
        let own = config.aor.to_uri();
        let dialog = DialogInfo {
            call_id: dialog.id().call_id.as_str().into(),
            from_tag: from_tag.into(),
            to_tag: to_tag.into(),
            start: Time::from(start),
            end: Time::from(end),
            from_uri: from_uri.into(),
            to_uri: to_uri.into(),
            caller,
            local_contact_uri: Some(self.agent.gruu().unwrap_or(&own).into()),
            remote_contact_uri: Some(dialog.remote_target().into()),
            local_user_agent: Some(Text::cut(&config.user_agent)),
            remote_user_agent: Some(Text::cut(call.remote_user_agent().unwrap_or_default())),
            dialog_category: None,
            correlation_id: None,
            local_pai: Some(own.as_str().into()),
            remote_pai: None,
            conf_uri: None,
            call_priority: None,
            mediation_server_bypass_flag: None,
            trunking_peer: None,
            media_bypass_warning_flag: None,
            registered_inside: None,
            unknown: Unknown::default(),
        };
        let media_lines = line.slots.iter().filter_map(Slot::quality);
        let media_lines = line.past.iter().cloned().chain(media_lines);
        let report = SessionReport {
            session_id: dialog.session_id().into(),
            endpoint: Endpoint {
                name: Text::cut(&self.config.machine),
                os: None,
                cpu_name: None,
                cpu_number_of_cores: None,
                cpu_processor_speed: None,
                virtualization_flag: None,
                unknown: Unknown::default(),
            },
            dialog,
            media_lines: media_lines.collect(),
            unknown: Unknown::default(),
        };
        Some(VqReportEvent::new(self.config.report_version, report))
    }
}
