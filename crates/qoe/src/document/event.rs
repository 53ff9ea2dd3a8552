//! `VQReportEvent` (\[MS-QoE\] 2.2.1.1 to 2.2.1.4).

use ocs_xml::{Content as _, Limits, Reader, SmolStr, Writer};

use super::schema::{Cut, metrics};
use super::{MediaLine, SchemaVersion, Text, Time};
use crate::{Error, MAX_BODY_LEN};

metrics! {
    /// A report on a session (2.2.1.1).
    pub struct VqReportEvent("VQReportEvent") {
        /// `2.0` from OCS 2007 R2 on.
        attr_opt version: SmolStr = V1 "Version",
        /// The version of the schema from Lync 2010 on: [`SchemaVersion::name`].
        attr_opt schema_version: SmolStr = V2 "SchemaVersion",
        /// One for each dialog.
        parts reports: SessionReport = V1 "VQSessionReport",
        /// Reports in the middle of a session, as some web clients send them (inferred).
        parts interval_reports: SessionReport = V1 "VQSessionIntervalReport",
    }
}

metrics! {
    /// What one endpoint saw of one dialog (2.2.1.2).
    pub struct SessionReport("VQSessionReport") {
        /// The dialog: `callid;from-tag=...;to-tag=...`.
        attr session_id: SmolStr = V1 "SessionId",
        /// Who reports.
        part endpoint: Endpoint = V1 "Endpoint",
        /// The dialog.
        part dialog: DialogInfo = V1 "DialogInfo",
        /// One for each line of the session description, at least one.
        parts media_lines: MediaLine = V1 "MediaLine",
    }
}

metrics! {
    /// The machine that reports (2.2.1.3).
    pub struct Endpoint("Endpoint") {
        /// Its name.
        attr name: Text<256> = V1 "Name",
        /// Its operating system.
        attr_opt os: Text<128> = V2 "OS",
        /// Its processor.
        attr_opt cpu_name: Text<128> = V2 "CPUName",
        /// Cores.
        attr_opt cpu_number_of_cores: i32 = V2 "CPUNumberOfCores",
        /// MHz.
        attr_opt cpu_processor_speed: i32 = V2 "CPUProcessorSpeed",
        /// 0 none, 1 Hyper-V, 2 VMware, 4 Virtual PC, 8 Xen.
        attr_opt virtualization_flag: u8 = V2 "VirtualizationFlag",
    }
}

metrics! {
    /// The dialog (2.2.1.4).
    pub struct DialogInfo("DialogInfo", V2 "Separator") {
        /// Call-ID.
        attr call_id: SmolStr = V1 "CallId",
        /// Tag of From.
        attr from_tag: SmolStr = V1 "FromTag",
        /// Tag of To.
        attr to_tag: SmolStr = V1 "ToTag",
        /// When it began.
        attr start: Time = V1 "Start",
        /// When it ended.
        attr end: Time = V1 "End",
        /// Which leg of a mediated call.
        leaf_opt dialog_category: SmolStr = V1 "DialogCategory",
        /// Ties the legs of a mediated call.
        leaf_opt correlation_id: Text<775> = V1 "CorrelationID",
        /// From of the INVITE, whoever reports.
        leaf from_uri: SmolStr = V1 "FromURI",
        /// To of the INVITE.
        leaf to_uri: SmolStr = V1 "ToURI",
        /// Whether the reporter placed the call.
        leaf caller: bool = V1 "Caller",
        /// The reporter's GRUU. This and the next three have to be there in what is sent.
        leaf_opt local_contact_uri: SmolStr = V1 "LocalContactURI",
        /// The other side's GRUU.
        leaf_opt remote_contact_uri: SmolStr = V1 "RemoteContactURI",
        /// User-Agent of the reporter.
        leaf_opt local_user_agent: Text<450> = V1 "LocalUserAgent",
        /// User-Agent of the other side.
        leaf_opt remote_user_agent: Text<450> = V1 "RemoteUserAgent",
        /// P-Asserted-Identity of the reporter.
        leaf_opt local_pai: SmolStr = V1 "LocalPAI",
        /// P-Asserted-Identity of the other side.
        leaf_opt remote_pai: SmolStr = V1 "RemotePAI",
        /// The focus, when it was a conference.
        leaf_opt conf_uri: SmolStr = V1 "ConfURI",
        /// Its values are not known; kept as it is.
        leaf_opt call_priority: SmolStr = V2 "CallPriority",
        /// Its values are not known; kept as it is.
        leaf_opt mediation_server_bypass_flag: SmolStr = V2 "MediationServerBypassFlag",
        /// The peer of a Mediation Server.
        leaf_opt trunking_peer: SmolStr = V2 "TrunkingPeer",
        /// Its values are not known; kept as it is.
        leaf_opt media_bypass_warning_flag: SmolStr = V2 "MediaBypassWarningFlag",
        /// Whether the reporter was registered from inside.
        leaf_opt registered_inside: bool = V2 "RegisteredInside" => 1,
    }
}

impl DialogInfo {
    /// The dialog as `SessionId` names it.
    #[must_use]
    pub fn session_id(&self) -> String {
        let (call_id, from_tag, to_tag) = (&self.call_id, &self.from_tag, &self.to_tag);
        format!("{call_id};from-tag={from_tag};to-tag={to_tag}")
    }
}

impl SessionReport {
    fn check(&self) -> Result<(), Error> {
        let dialog = &self.dialog;
        for (child, is_there) in [
            ("LocalContactURI", dialog.local_contact_uri.is_some()),
            ("RemoteContactURI", dialog.remote_contact_uri.is_some()),
            ("LocalUserAgent", dialog.local_user_agent.is_some()),
            ("RemoteUserAgent", dialog.remote_user_agent.is_some()),
        ] {
            require("DialogInfo", child, is_there)?;
        }
        require("VQSessionReport", "MediaLine", !self.media_lines.is_empty())?;
        for line in &self.media_lines {
            let description = &line.description;
            let (local, remote) = (&description.local_address, &description.remote_address);
            require("Description", "LocalAddr", local.is_some())?;
            require("Description", "RemoteAddr", remote.is_some())?;
            for stream in line.inbound.iter().chain(&line.outbound) {
                require("StreamType", "Network", stream.network.is_some())?;
                require("StreamType", "Payload", stream.payload.is_some())?;
            }
        }
        Ok(())
    }
}

const fn require(element: &'static str, child: &'static str, is_there: bool) -> Result<(), Error> {
    if is_there {
        Ok(())
    } else {
        Err(Error::Incomplete { element, child })
    }
}

impl VqReportEvent {
    const NAME: &'static str = "VQReportEvent";

    /// One report, in this version: what came later is left out.
    #[must_use]
    pub fn new(version: SchemaVersion, mut report: SessionReport) -> Self {
        report.cut(version);
        Self {
            version: None,
            schema_version: version.name().map(SmolStr::from),
            reports: vec![report],
            interval_reports: Vec::new(),
            unknown: super::Unknown::default(),
        }
    }

    /// Leaves out what came after a version, and what is not known: for a server that knows no later one.
    pub fn cut(&mut self, version: SchemaVersion) {
        Cut::cut(self, version);
        if self.schema_version.as_deref() > version.name() {
            self.schema_version = version.name().map(SmolStr::from);
        }
    }

    /// Looks for what the schema demands and reading does not: a server refuses a report without it.
    ///
    /// # Errors
    ///
    /// [`Incomplete`](Error::Incomplete) names the first element that is missing.
    pub fn check(&self) -> Result<(), Error> {
        require(
            Self::NAME,
            "VQSessionReport",
            self.all_reports().next().is_some(),
        )?;
        self.all_reports().try_for_each(SessionReport::check)
    }

    /// All reports, of both kinds.
    pub fn all_reports(&self) -> impl Iterator<Item = &SessionReport> {
        self.reports.iter().chain(&self.interval_reports)
    }

    /// Reads a document.
    pub fn parse(document: &[u8]) -> Result<Self, Error> {
        let mut reader = reader(document)?;
        reader.root(SchemaVersion::V1.namespace(), Self::NAME)?;
        let event = Self::read_content(&mut reader)?;
        reader.finish()?;
        let missing =
            |element, child| Error::Xml(ocs_xml::Error::MissingElement { element, child });
        if event.all_reports().next().is_none() && event.unknown.is_empty() {
            return Err(missing(Self::NAME, "VQSessionReport"));
        }
        if event
            .all_reports()
            .any(|report| report.media_lines.is_empty())
        {
            return Err(missing("VQSessionReport", "MediaLine"));
        }
        Ok(event)
    }

    /// Writes the document. The root declares the namespaces of all versions up to its own.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::new();
        writer.open(SchemaVersion::V1.namespace(), Self::NAME);
        for version in SchemaVersion::LATER {
            if version.name() <= self.schema_version.as_deref() {
                writer.bind(version.prefix(), version.namespace());
            }
        }
        self.write_content(&mut writer);
        writer.close();
        writer.finish()
    }
}

/// A reader of a document that is short enough.
pub(super) fn reader(document: &[u8]) -> Result<Reader<'_>, Error> {
    if document.len() > MAX_BODY_LEN {
        return Err(Error::TooLong {
            len: document.len(),
        });
    }
    Ok(Reader::new(document, &Limits::default())?)
}
