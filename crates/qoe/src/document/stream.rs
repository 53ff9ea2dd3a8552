//! One direction of a media line (\[MS-QoE\] 2.2.1.11 to 2.2.1.14, 2.2.1.19).

use ocs_xml::SmolStr;

use super::schema::metrics;
use super::{Float, Payload};

metrics! {
    /// One direction (2.2.1.11; its attribute is recalled).
    #[derive(Default)]
    pub struct Stream("StreamType") {
        /// The SSRC, in decimal digits.
        attr id: SmolStr = V1 "Id",
        /// What the network did to it. It has to be there in what is sent.
        part_opt network: Network = V1 "Network",
        /// What it carried. It has to be there in what is sent.
        part_opt payload: Payload = V1 "Payload",
        /// How good it was.
        part_opt estimates: QualityEstimates = V1 "QualityEstimates",
    }
}

metrics! {
    /// What the network did (2.2.1.12).
    #[derive(Default)]
    pub struct Network("Network", V2 "Separator", V3 "Separator3") {
        /// Jitter.
        part_opt jitter: Jitter = V1 "Jitter",
        /// Loss.
        part_opt packet_loss: PacketLoss = V1 "PacketLoss",
        /// Loss in bursts.
        part_opt burst_gap_loss: BurstGapLoss = V1 "BurstGapLoss",
        /// Delay.
        part_opt delay: Delay = V1 "Delay",
        /// Packets and bandwidth.
        part_opt utilization: Utilization = V1 "Utilization",
        /// Samples that were made up: a fraction.
        leaf_opt ratio_concealed_samples: Float = V2 "RatioConcealedSamplesAvg",
        /// Samples of stretched sound: a fraction.
        leaf_opt ratio_stretched_samples: Float = V2 "RatioStretchedSamplesAvg",
        /// Samples of compressed sound: a fraction.
        leaf_opt ratio_compressed_samples: Float = V2 "RatioCompressedSamplesAvg",
        /// The highest fraction of samples that were made up (recalled).
        recalled conceal_ratio_max: Float = V3 "ConcealRatioMax" => 1,
        /// Its standard deviation (recalled).
        recalled conceal_ratio_sd: Float = V3 "ConcealRatioSD" => 1,
        /// Packets that came too late to be played: a fraction (recalled).
        recalled healer_packet_drop_ratio: Float = V3 "HealerPacketDropRatio" => 1,
    }
}

metrics! {
    /// Jitter of RFC 3550 6.4.1 (2.2.1.13).
    #[derive(Default)]
    pub struct Jitter("Jitter") {
        /// Milliseconds, on average.
        leaf_opt inter_arrival: i32 = V1 "InterArrival",
        /// Milliseconds, at most.
        leaf_opt inter_arrival_max: i32 = V1 "InterArrivalMax",
        /// Its standard deviation.
        leaf_opt inter_arrival_sd: Float = V3 "InterArrivalSD",
    }
}

metrics! {
    /// Loss (2.2.1.13).
    #[derive(Default)]
    pub struct PacketLoss("PacketLoss") {
        /// The average of RFC 3550's fraction lost: 0 to 1.
        leaf_opt loss_rate: Float = V1 "LossRate",
        /// The highest one.
        leaf_opt loss_rate_max: Float = V1 "LossRateMax",
    }
}

metrics! {
    /// Loss in bursts (RFC 3611 4.7.2; the names are recalled).
    #[derive(Default)]
    pub struct BurstGapLoss("BurstGapLoss") {
        /// Fraction lost within bursts.
        recalled burst_density: Float = V1 "BurstDensity",
        /// Milliseconds of a burst.
        recalled burst_duration: i32 = V1 "BurstDuration",
        /// Fraction lost between bursts.
        recalled gap_density: Float = V1 "GapDensity",
        /// Milliseconds between bursts.
        recalled gap_duration: i32 = V1 "GapDuration",
        /// Gmin: 16.
        recalled min_threshold: i32 = V1 "MinThreshold",
    }
}

metrics! {
    /// Delay (2.2.1.14).
    #[derive(Default)]
    pub struct Delay("Delay") {
        /// Milliseconds there and back, from RTCP; of what was sent.
        leaf_opt round_trip: i32 = V1 "RoundTrip",
        /// The longest one.
        leaf_opt round_trip_max: i32 = V1 "RoundTripMax",
        /// One way, above the shortest.
        part_opt relative_one_way: RelativeOneWay = V3 "RelativeOneWay",
    }
}

metrics! {
    /// Delay of one way above the shortest.
    #[derive(Default)]
    pub struct RelativeOneWay("RelativeOneWay") {
        /// Milliseconds.
        leaf_opt average: Float = V3 "Average",
    }
}

metrics! {
    /// Packets and bandwidth (2.2.1.14; the names of the last four are inferred).
    #[derive(Default)]
    pub struct Utilization("Utilization") {
        /// Packets.
        leaf_opt packets: i32 = V1 "Packets",
        /// Bits a second.
        leaf_opt bandwidth_est: i32 = V1 "BandwidthEst",
        /// The lowest.
        recalled bandwidth_est_min: i32 = V3 "BandwidthEstMin",
        /// The highest.
        recalled bandwidth_est_max: i32 = V3 "BandwidthEstMax",
        /// Its standard deviation.
        recalled bandwidth_est_std_dev: i32 = V3 "BandwidthEstStdDev",
        /// The average.
        recalled bandwidth_est_avg: i32 = V3 "BandwidthEstAvg",
    }
}

metrics! {
    /// How good it was (2.2.1.18).
    #[derive(Default)]
    pub struct QualityEstimates("QualityEstimates") {
        /// Of sound.
        part_opt audio: AudioEstimates = V1 "Audio",
    }
}

metrics! {
    /// Mean opinion scores, 1 to 5; 0 where there was too little media (2.2.1.19).
    #[derive(Default)]
    pub struct AudioEstimates("Audio") {
        /// Of what was received, decoded.
        leaf_opt recv_listen_mos: Float = V1 "RecvListenMOS",
        /// The lowest one.
        leaf_opt recv_listen_mos_min: Float = V1 "RecvListenMOSMin",
        /// Of what was sent, before it was encoded.
        leaf_opt send_listen_mos: Float = V1 "SendListenMOS",
        /// The lowest one.
        leaf_opt send_listen_mos_min: Float = V1 "SendListenMOSMin",
        /// What the network allowed; of what was received.
        part_opt network_mos: NetworkMos = V1 "NetworkMOS",
    }
}

metrics! {
    /// What the network allowed.
    #[derive(Default)]
    pub struct NetworkMos("NetworkMOS") {
        /// On average.
        leaf_opt overall_avg: Float = V1 "OverallAvg",
        /// At worst.
        leaf_opt overall_min: Float = V1 "OverallMin",
        /// The best of the codec, less the average.
        leaf_opt degradation_avg: Float = V1 "DegradationAvg",
        /// The same at worst.
        leaf_opt degradation_max: Float = V1 "DegradationMax",
        /// The part of jitter in it: a fraction.
        leaf_opt degradation_jitter_avg: Float = V1 "DegradationJitterAvg",
        /// The part of loss in it: a fraction.
        leaf_opt degradation_packet_loss_avg: Float = V1 "DegradationPacketLossAvg",
    }
}
