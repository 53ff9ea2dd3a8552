//! `MediaLine` and what describes it (\[MS-QoE\] 2.2.1.5 to 2.2.1.10, 2.2.1.29).

use ocs_xml::SmolStr;

use super::schema::metrics;
use super::{Float, Ice, Label, NetworkConnection, Stream, Text, Transport};

metrics! {
    /// One line of the session description (2.2.1.5).
    pub struct MediaLine("MediaLine", V2 "Separator") {
        /// Which one.
        attr label: Label = V1 "Label",
        /// Its way through the network.
        part description: Description = V1 "Description",
        /// What was received.
        part_opt inbound: Stream = V1 "InboundStream",
        /// What was sent.
        part_opt outbound: Stream = V1 "OutboundStream",
        /// Clarity of the conversation (P.562 6.3).
        leaf_opt local_conversational_mos: Float = V1 "LocalConversationalMOS",
        /// Bits a second that policy allowed to send.
        leaf_opt applied_bandwidth_limit: i32 = V2 "AppliedBandwidthLimit",
        /// Who set that bound.
        leaf_opt applied_bandwidth_source: Text<256> = V2 "AppliedBandwidthSource",
        /// What the reporter's client warned of.
        part_opt local_client_events: ClientEvents = V2 "LocalClientEvent",
        /// What the other side's client warned of.
        part_opt remote_client_events: ClientEvents = V2 "RemoteClientEvent",
    }
}

metrics! {
    /// The way through the network (2.2.1.6).
    #[derive(Default)]
    pub struct Description("Description", V3 "Separator3", V4 "Separator4") {
        /// How ICE ended.
        part_opt connectivity: Connectivity = V1 "Connectivity",
        /// `SRTP`, `V1` or `None`.
        leaf_opt security: Text<128> = V1 "Security",
        /// Whether the reporter wrote the offer.
        leaf_opt offerer: bool = V1 "Offerer",
        /// UDP or TCP.
        leaf_opt transport: Transport = V1 "Transport",
        /// The reporter's network.
        part_opt network: NetworkConnectivityInfo = V1 "NetworkConnectivityInfo",
        /// The reporter's address. It has to be there in what is sent.
        part_opt local_address: Address = V1 "LocalAddr",
        /// The other side's address. It has to be there in what is sent.
        part_opt remote_address: Address = V1 "RemoteAddr",
        /// Microphone or camera.
        part_opt capture_device: Device = V1 "CaptureDev",
        /// Loudspeaker.
        part_opt render_device: Device = V1 "RenderDev",
        /// The reporter's address as the other side sees it.
        part_opt reflexive_local_address: Address = V3 "ReflexiveLocalIPAddress",
        /// Whether the call goes on.
        leaf_opt mid_call_report: bool = V3 "MidCallReport",
        /// Its values are not known; kept as it is.
        leaf_opt wifi_radio_type: SmolStr = V4 "WifiRadioType" => 1,
        /// 0 to 100.
        leaf_opt wifi_rssi: i32 = V4 "WifiRSSI" => 1,
        /// In hex digits.
        leaf_opt ssid: SmolStr = V4 "SSID" => 1,
        /// The channel.
        leaf_opt wifi_channel: i32 = V4 "WifiChannel" => 1,
        /// Its values are not known; kept as it is.
        leaf_opt active_power_profile: SmolStr = V4 "ActivePowerProfile" => 1,
        /// Changes of access point.
        leaf_opt wifi_handovers: i32 = V4 "WifiHandovers" => 1,
        /// Changes of channel.
        leaf_opt wifi_channel_switches: i32 = V4 "WifiChannelSwitches" => 1,
        /// Associations made anew.
        leaf_opt wifi_channel_reassociations: i32 = V4 "WifiChannelReassociations" => 1,
    }
}

metrics! {
    /// How ICE ended (2.2.1.7).
    #[derive(Default)]
    pub struct Connectivity("Connectivity") {
        /// The way that was found.
        leaf_opt ice: Ice = V1 "Ice",
        /// A sum of the constants of [`ice_warning`](super::ice_warning).
        leaf_opt ice_warning_flags: u32 = V1 "IceWarningFlags",
        /// The relays that were used.
        parts relay_addresses: Address = V1 "RelayAddress",
    }
}

metrics! {
    /// A network (2.2.1.8).
    #[derive(Default)]
    pub struct NetworkConnectivityInfo("NetworkConnectivityInfo", V2 "Separator") {
        /// Its kind.
        leaf_opt network_connection: NetworkConnection = V1 "NetworkConnection",
        /// Whether through a VPN.
        leaf_opt vpn: bool = V1 "VPN",
        /// Bits a second.
        leaf_opt link_speed: Float = V1 "LinkSpeed",
        /// The access point.
        leaf_opt bssid: Text<32> = V2 "BSSID",
        /// `Ethernet` and the like.
        leaf_opt network_connection_details: SmolStr = V3 "NetworkConnectionDetails" => 1,
        /// The adapter.
        leaf_opt wifi_driver_device: SmolStr = V3 "WifiDriverDeviceDesc" => 1,
        /// Its driver.
        leaf_opt wifi_driver_version: SmolStr = V3 "WifiDriverVersion" => 1,
        /// The routers on the way.
        parts trace_route: TraceRoute = V3 "TraceRoute" => 1,
    }
}

metrics! {
    /// A router on the way.
    pub struct TraceRoute("TraceRoute") {
        /// Its number, from 1 on.
        leaf hop: u32 = V3 "Hop",
        /// Its address; a router that did not answer has none.
        leaf_opt ip_address: SmolStr = V3 "IPAddress",
        /// Milliseconds until it answered.
        leaf_opt rtt: i32 = V3 "RTT",
    }
}

metrics! {
    /// An address (2.2.1.10).
    #[derive(Default)]
    pub struct Address("AddrType", V2 "Separator") {
        /// IPv4 or IPv6.
        leaf_opt ip_address: SmolStr = V1 "IPAddr",
        /// Of the local and the remote address.
        leaf_opt port: u16 = V1 "Port",
        /// Whether it lies inside of the enterprise; of the local address.
        leaf_opt inside: bool = V1 "Inside",
        /// Dotted, of IPv6 the length; of the local address.
        leaf_opt subnet_mask: SmolStr = V1 "SubnetMask",
        /// In hex digits; of the local address.
        leaf_opt mac_address: Text<32> = V2 "MACAddr",
    }
}

metrics! {
    /// A device (2.2.1.9).
    #[derive(Default)]
    pub struct Device("DeviceType") {
        /// Its name.
        leaf_opt name: SmolStr = V1 "Name",
        /// Its driver, with version.
        leaf_opt driver: SmolStr = V1 "Driver",
    }
}

metrics! {
    /// How much of the call a client warned of something: fractions from 0 to 1 (2.2.1.29).
    #[derive(Default)]
    pub struct ClientEvents("ClientEventType") {
        /// Sending over the network.
        leaf_opt network_send_quality: Float = V2 "NetworkSendQualityEventRatio",
        /// Receiving over the network.
        leaf_opt network_receive_quality: Float = V2 "NetworkReceiveQualityEventRatio",
        /// Delay.
        leaf_opt network_delay: Float = V2 "NetworkDelayEventRatio",
        /// Bandwidth.
        leaf_opt network_bandwidth_low: Float = V2 "NetworkBandwidthLowEventRatio",
        /// The processor.
        leaf_opt cpu_insufficient: Float = V2 "CPUInsufficientEventRatio",
        /// Only one side could speak at a time.
        leaf_opt device_half_duplex_aec: Float = V2 "DeviceHalfDuplexAECEventRatio",
        /// The loudspeaker.
        leaf_opt device_render_not_functioning: Float = V2 "DeviceRenderNotFunctioningEventRatio",
        /// The microphone.
        leaf_opt device_capture_not_functioning: Float = V2 "DeviceCaptureNotFunctioningEventRatio",
        /// Glitches.
        leaf_opt device_glitches: Float = V2 "DeviceGlitchesEventRatio",
        /// Noise.
        leaf_opt device_low_snr: Float = V2 "DeviceLowSNREventRatio",
        /// Low voice.
        leaf_opt device_low_speech_level: Float = V2 "DeviceLowSpeechLevelEventRatio",
        /// Clipping.
        leaf_opt device_clipping: Float = V2 "DeviceClippingEventRatio",
        /// Echo.
        leaf_opt device_echo: Float = V2 "DeviceEchoEventRatio",
        /// Echo louder than the voice.
        leaf_opt device_near_end_to_echo_ratio: Float = V2 "DeviceNearEndToEchoRatioEventRatio",
        /// How often several endpoints were in one room.
        leaf_opt device_multiple_endpoints_count: i32 = V2 "DeviceMultipleEndpointsEventCount",
        /// How often it howled.
        leaf_opt device_howling_count: i32 = V2 "DeviceHowlingEventCount",
        /// The loudspeaker at volume zero (recalled).
        recalled device_render_zero_volume: Float = V2 "DeviceRenderZeroVolumeEventRatio",
        /// The loudspeaker muted (recalled).
        recalled device_render_mute: Float = V2 "DeviceRenderMuteEventRatio",
    }
}
