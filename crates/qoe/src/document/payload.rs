//! What a stream carried (\[MS-QoE\] 2.2.1.15 to 2.2.1.18, 2.2.1.22 to 2.2.1.28). Levels are in dB or dBoV.

use ocs_xml::SmolStr;

use super::schema::metrics;
use super::{ApplicationShared, Float, Text};

metrics! {
    /// What a stream carried: one of these.
    #[derive(Default)]
    pub struct Payload("Payload") {
        /// Sound.
        part_opt audio: Audio = V1 "Audio",
        /// Video.
        part_opt video: Video = V1 "Video",
        /// A shared desktop or application.
        part_opt application_sharing: ApplicationSharing = V3 "ApplicationSharing",
    }
}

metrics! {
    /// Sound (2.2.1.15).
    #[derive(Default)]
    pub struct Audio("Audio", V2 "Separator", V3 "Separator3") {
        /// The payload type of RTP.
        leaf_opt payload_type: i32 = V1 "PayloadType",
        /// The codec: `x-msrta`, `SIREN`, `PCMU`.
        leaf_opt payload_description: Text<256> = V1 "PayloadDescription",
        /// Samples a second.
        leaf_opt sample_rate: i32 = V1 "SampleRate",
        /// Levels.
        part_opt signal: Signal = V1 "Signal",
        /// Whether redundant packets were sent.
        leaf_opt audio_fec_used: bool = V2 "AudioFECUsed",
        /// Loss that redundancy did not repair: a fraction.
        leaf_opt audio_post_fec_plr: Float = V3 "AudioPostFECPLR",
        /// Stereo in what was decoded.
        leaf_opt decode_stereo_percent: Float = V3 "DecodeStereoPercent" => 1,
        /// Stereo at the loudspeaker.
        leaf_opt aec_render_stereo_percent: Float = V3 "AecRenderStereoPercent" => 1,
        /// Stereo in what was encoded.
        leaf_opt encode_stereo_percent: Float = V3 "EncodeStereoPercent" => 1,
        /// Stereo at the microphone.
        leaf_opt aec_capture_stereo_percent: Float = V3 "AecCaptureStereoPercent" => 1,
        /// Milliseconds of the jitter buffer.
        leaf_opt jitter_buffer_size_avg: i32 = V4 "JitterBufferSizeAvg" => 2,
        /// The longest one.
        leaf_opt jitter_buffer_size_max: i32 = V4 "JitterBufferSizeMax" => 2,
        /// The shortest one.
        leaf_opt jitter_buffer_size_min: i32 = V4 "JitterBufferSizeMin" => 2,
        /// Milliseconds (recalled).
        recalled network_jitter_avg: Float = V4 "NetworkJitterAvg" => 2,
        /// The highest one (recalled).
        recalled network_jitter_max: Float = V4 "NetworkJitterMax" => 2,
        /// The lowest one (recalled).
        recalled network_jitter_min: Float = V4 "NetworkJitterMin" => 2,
        /// Packets out of order: a fraction (recalled).
        recalled packet_reorder_ratio: Float = V4 "PacketReorderRatio" => 2,
        /// By how many packets (recalled).
        recalled packet_reorder_depth_avg: Float = V4 "PacketReorderDepthAvg" => 2,
        /// By how many at most (recalled).
        recalled packet_reorder_depth_max: i32 = V4 "PacketReorderDepthMax" => 2,
        /// Time without sound sent (recalled).
        recalled send_mute_percent: Float = V4 "SendMutePercent" => 2,
    }
}

metrics! {
    /// Levels of sound (2.2.1.17).
    #[derive(Default)]
    pub struct Signal("Signal") {
        /// Signal received.
        leaf_opt signal_level: i32 = V1 "SignalLevel",
        /// Noise received.
        leaf_opt noise_level: i32 = V1 "NoiseLevel",
        /// Loudspeaker in the microphone.
        leaf_opt speaker_feedback_mic_in: i32 = V1 "SpeakerFeedbackMicIn",
        /// Speech at the microphone.
        leaf_opt speech_level_mic_in: i32 = V1 "SpeechLevelMicIn",
        /// Speech after processing.
        leaf_opt speech_level_post_process: i32 = V1 "SpeechLevelPostProcess",
        /// Signal at the loudspeaker.
        leaf_opt signal_level_loud_speaker: i32 = V1 "SignalLevelLoudSpeaker",
        /// Noise at the microphone.
        leaf_opt background_noise_mic_in: i32 = V1 "BackGroundNoiseMicIn",
        /// Noise sent.
        leaf_opt background_noise_sent: i32 = V1 "BackGroundNoiseSent",
        /// Speech over echo; below 10 echo troubles.
        leaf_opt local_speech_to_echo: i32 = V1 "LocalSpeechToEcho",
        /// Glitches in 5 minutes, loudspeaker.
        leaf_opt speaker_glitch_rate: i32 = V1 "SpeakerGlitchRate",
        /// Glitches in 5 minutes, microphone.
        leaf_opt mic_glitch_rate: i32 = V1 "MicGlitchRate",
        /// Clippings in 5 minutes, loudspeaker.
        leaf_opt speaker_clip_rate: i32 = V1 "SpeakerClipRate",
        /// Clippings in 5 minutes, microphone.
        leaf_opt mic_clip_rate: i32 = V1 "MicClipRate",
        /// Signal after gain control.
        leaf_opt rx_agc_signal_level: i32 = V1 "RxAGCSignalLevel",
        /// Noise after gain control.
        leaf_opt rx_agc_noise_level: i32 = V1 "RxAGCNoiseLevel",
        /// Signal of the first seconds.
        leaf_opt initial_signal_level_rms: Float = V2 "InitialSignalLevelRMS",
    }
}

metrics! {
    /// Video (2.2.1.22, 2.2.1.23).
    #[derive(Default)]
    pub struct Video("Video", V2 "Separator") {
        /// The payload type of RTP.
        leaf_opt payload_type: i32 = V1 "PayloadType",
        /// The codec.
        leaf_opt payload_description: Text<256> = V1 "PayloadDescription",
        /// Width and height: `640x480`.
        leaf_opt resolution: Text<9> = V1 "Resolution",
        /// Bits a second.
        leaf_opt video_bit_rate_avg: i32 = V1 "VideoBitRateAvg",
        /// The most bits a second.
        leaf_opt video_bit_rate_max: i32 = V1 "VideoBitRateMax",
        /// Frames a second.
        leaf_opt video_frame_rate_avg: Float = V1 "VideoFrameRateAvg",
        /// Loss: a fraction; of what was sent.
        leaf_opt video_packet_loss_rate: Float = V1 "VideoPacketLossRate",
        /// Frames lost: a fraction; of what was received.
        leaf_opt video_frame_loss_rate: Float = V1 "VideoFrameLossRate",
        /// Milliseconds; of what was sent.
        leaf_opt video_frame_encoding_time: Float = V1 "VideoFrameEncodingTime",
        /// Milliseconds; of what was received.
        leaf_opt video_frame_decoding_time: Float = V1 "VideoFrameDecodingTime",
        /// How often it froze; of what was received.
        leaf_opt frozen_video_freq: Float = V1 "FrozenVideoFreq",
        /// How long it was frozen.
        leaf_opt frozen_period_percent_avg: Float = V1 "FrozenPeriodPercentAvg",
        /// Packets lost in a row.
        leaf_opt consecutive_packet_loss_avg: Float = V1 "ConsecutivePacketLossAvg",
        /// Frames left out for lack of bandwidth (recalled).
        recalled rate_match_level: Float = V1 "RateMatchLevel",
        /// Which resolutions it had.
        part_opt resolution_distribution: Resolutions = V2 "VideoResolutionDistribution",
        /// Which frames were left out.
        part_opt rate_matching_level_distribution: RateMatchingLevels = V2 "VideoRateMatchingLevelDistribution",
        /// The codec received.
        leaf_opt recv_codec_type: SmolStr = V3 "RecvCodecType" => 1,
        /// Pixels received.
        leaf_opt recv_resolution_width: i32 = V3 "RecvResolutionWidth" => 1,
        /// Pixels received.
        leaf_opt recv_resolution_height: i32 = V3 "RecvResolutionHeight" => 1,
        /// Frames a second received.
        leaf_opt recv_frame_rate_average: Float = V3 "RecvFrameRateAverage" => 1,
        /// The most bits a second received.
        leaf_opt recv_bit_rate_maximum: i32 = V3 "RecvBitRateMaximum" => 1,
        /// Bits a second received.
        leaf_opt recv_bit_rate_average: i32 = V3 "RecvBitRateAverage" => 1,
        /// The most streams received.
        leaf_opt recv_video_streams_max: i32 = V3 "RecvVideoStreamsMax" => 1,
        /// The fewest streams received.
        leaf_opt recv_video_streams_min: i32 = V3 "RecvVideoStreamsMin" => 1,
        /// The usual number of streams received.
        leaf_opt recv_video_streams_mode: i32 = V3 "RecvVideoStreamsMode" => 1,
        /// Loss that redundancy did not repair: a fraction.
        leaf_opt video_post_fec_plr: Float = V3 "VideoPostFECPLR" => 1,
        /// Time with 70 kbit/s or less.
        leaf_opt low_bit_rate_call_percent: Float = V3 "LowBitRateCallPercent" => 1,
        /// Time with less than 7.5 frames a second.
        leaf_opt low_frame_rate_call_percent: Float = V3 "LowFrameRateCallPercent" => 1,
        /// Time below 70 % of what the processor should do.
        leaf_opt dynamic_capability_percent: Float = V3 "DynamicCapabilityPercent" => 1,
        /// Seconds.
        leaf_opt duration_seconds: i32 = V3 "DurationSeconds" => 1,
        /// Frames a second sent.
        leaf_opt send_frame_rate_average: Float = V3 "SendFrameRateAverage" => 1,
        /// The most bits a second sent.
        leaf_opt send_bit_rate_maximum: i32 = V3 "SendBitRateMaximum" => 1,
        /// Bits a second sent.
        leaf_opt send_bit_rate_average: i32 = V3 "SendBitRateAverage" => 1,
        /// The most streams sent.
        leaf_opt send_video_streams_max: i32 = V3 "SendVideoStreamsMax" => 1,
        /// Pixels sent.
        leaf_opt send_resolution_width: i32 = V3 "SendResolutionWidth" => 1,
        /// Pixels sent.
        leaf_opt send_resolution_height: i32 = V3 "SendResolutionHeight" => 1,
    }
}

metrics! {
    /// Percent of the time with each resolution (2.2.1.26).
    #[derive(Default)]
    pub struct Resolutions("VideoResolutionDistribution", V2 "Separator") {
        /// 352 by 288.
        leaf_opt cif: u8 = V2 "CIFQuality",
        /// 640 by 480.
        leaf_opt vga: u8 = V2 "VGAQuality",
        /// 1280 by 720.
        leaf_opt hd_720: u8 = V2 "HD720Quality",
        /// 1920 by 1080.
        leaf_opt hd_1080: u8 = V3 "HD1080Quality" => 1,
        /// 1440 lines.
        leaf_opt hd_1440: u8 = V3 "HD1440Quality" => 1,
        /// 2160 lines.
        leaf_opt hd_2160: u8 = V3 "HD2160Quality" => 1,
    }
}

metrics! {
    /// Percent of the time in which frames of these kinds were left out (2.2.1.27).
    #[derive(Default)]
    pub struct RateMatchingLevels("VideoRateMatchingLevelDistribution", V2 "Separator") {
        /// None.
        leaf_opt none: u8 = V2 "None_Drop",
        /// B frames.
        leaf_opt b: u8 = V2 "B_Drop",
        /// P frames, too.
        leaf_opt bp: u8 = V2 "BP_Drop",
        /// SP frames, too.
        leaf_opt bpsp: u8 = V2 "BPSP_Drop",
        /// I frames, too.
        leaf_opt bpspi: u8 = V2 "BPSPI_Drop",
    }
}

metrics! {
    /// A shared desktop or application (2.2.1.28.1).
    #[derive(Default)]
    pub struct ApplicationSharing("ApplicationSharing", V3 "Separator3", V4 "Separator4") {
        /// What carried it.
        leaf_opt payload_description: SmolStr = V3 "PayloadDescription",
        /// Pixels.
        leaf_opt average_rectangle_height: i32 = V3 "AverageRectangleHeight",
        /// Pixels.
        leaf_opt average_rectangle_width: i32 = V3 "AverageRectangleWidth",
        /// What was shared.
        leaf_opt application_shared: ApplicationShared = V3 "ApplicationShared",
        /// Time for a tile.
        part_opt rdp_tile_processing_latency: MetricAggregation = V3 "RDPTileProcessingLatency",
        /// Tiles captured.
        part_opt capture_tile_rate: MetricAggregation = V3 "CaptureTileRate",
        /// Tiles thrown away.
        part_opt spoiled_tile_percent: MetricAggregation = V3 "SpoiledTilePercent",
        /// Frames captured.
        part_opt scraping_frame_rate: MetricAggregation = V3 "ScrapingFrameRate",
        /// Tiles received.
        part_opt incoming_tile_rate: MetricAggregation = V3 "IncomingTileRate",
        /// Frames received.
        part_opt incoming_frame_rate: MetricAggregation = V3 "IncomingFrameRate",
        /// Tiles sent.
        part_opt outgoing_tile_rate: MetricAggregation = V3 "OutgoingTileRate",
        /// Frames sent.
        part_opt outgoing_frame_rate: MetricAggregation = V3 "OutgoingFrameRate",
        /// Until the first frame came.
        leaf_opt initial_frame_received_time: i32 = V4 "InitialFrameReceivedTime" => 1,
        /// Octets of the first frame.
        leaf_opt initial_frame_sent_size: i32 = V4 "InitialFrameSentSize" => 1,
        /// How often sharing began.
        leaf_opt num_sharing_started: i32 = V4 "NumSharingStarted" => 1,
        /// How often control went over.
        leaf_opt num_remote_control_changes: i32 = V4 "NumRemoteControlChanges" => 1,
        /// Until it was set up, for who shares.
        leaf_opt sharer_app_sharing_establish_time: i32 = V4 "SharerAppSharingEstablishTime" => 1,
        /// Until it was set up, for who looks on.
        leaf_opt viewer_app_sharing_establish_time: i32 = V4 "ViewerAppSharingEstablishTime" => 1,
    }
}

metrics! {
    /// A metric over the time (all but `Average` and `Total` are recalled).
    #[derive(Default)]
    pub struct MetricAggregation("MetricAggregationType") {
        /// The sum.
        leaf_opt total: Float = V3 "Total",
        /// The average.
        leaf_opt average: Float = V3 "Average",
        /// The highest.
        recalled max: Float = V3 "Max",
        /// Bursts.
        recalled burst_occurrences: Float = V3 "BurstOccurrences",
        /// How much within bursts.
        recalled burst_density: Float = V3 "BurstDensity",
        /// How long a burst is.
        recalled burst_duration: Float = V3 "BurstDuration",
        /// Gaps.
        recalled gap_occurrences: Float = V3 "GapOccurrences",
        /// How much between bursts.
        recalled gap_density: Float = V3 "GapDensity",
        /// How long a gap is.
        recalled gap_duration: Float = V3 "GapDuration",
    }
}
