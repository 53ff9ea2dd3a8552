//! From pictures to access units.

use ocs_rtp::payload::h264::nal_type;

use super::bits::BitWriter;
use super::{FRAME_NUMBERS, I_PCM, I_PCM_IN_P, MACROBLOCK, Picture, SLICE_I, SLICE_P};

/// NRI 3: what later pictures need.
const REFERENCE: u8 = 0x60;

/// Makes a stream. The first picture is an IDR picture, and those that are asked for; of the others there is what has changed.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    last: Option<Picture>,
    frame_number: u32,
    idr_number: u32,
}

impl Encoder {
    /// An encoder at the beginning of its stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The access unit of a picture: of an IDR picture with its parameter sets. A picture of another size than the one before is one, too.
    pub fn encode(&mut self, picture: &Picture, idr: bool) -> Vec<u8> {
        let same_size =
            |last: &Picture| (last.width(), last.height()) == (picture.width(), picture.height());
        let last = self.last.take().filter(|last| !idr && same_size(last));
        let mut out = Vec::new();
        if let Some(last) = &last {
            self.frame_number = (self.frame_number + 1) % FRAME_NUMBERS;
            self.write_p_slice(last, picture, &mut out);
        } else {
            self.frame_number = 0;
            // Two in a row must differ.
            self.idr_number ^= 1;
            write_sequence_parameters(picture, &mut out);
            write_picture_parameters(&mut out);
            self.write_i_slice(picture, &mut out);
        }
        self.last = Some(picture.clone());
        out
    }

    fn write_i_slice(&self, picture: &Picture, out: &mut Vec<u8>) {
        let mut bits = self.slice_header(SLICE_I);
        bits.ue(self.idr_number);
        // dec_ref_pic_marking: no_output_of_prior_pics_flag, long_term_reference_flag
        bits.u(2, 0);
        end_slice_header(&mut bits);
        for macroblock in 0..picture.macroblocks() {
            bits.ue(I_PCM);
            write_samples(&mut bits, picture, macroblock);
        }
        bits.finish(REFERENCE | nal_type::IDR, out);
    }

    fn write_p_slice(&self, last: &Picture, picture: &Picture, out: &mut Vec<u8>) {
        let mut bits = self.slice_header(SLICE_P);
        // num_ref_idx_active_override_flag, ref_pic_list_modification_flag_l0, adaptive_ref_pic_marking_mode_flag
        bits.u(3, 0);
        end_slice_header(&mut bits);
        let mut skipped = 0;
        for macroblock in 0..picture.macroblocks() {
            let mut rows = picture.rows_of(macroblock);
            if rows.all(|row| picture.at(row) == last.at(row)) {
                skipped += 1;
                continue;
            }
            bits.ue(std::mem::take(&mut skipped));
            bits.ue(I_PCM_IN_P);
            write_samples(&mut bits, picture, macroblock);
        }
        if skipped > 0 {
            bits.ue(skipped);
        }
        bits.finish(REFERENCE | nal_type::SLICE, out);
    }

    /// As far as all slices have it.
    fn slice_header(&self, slice_type: u32) -> BitWriter {
        let mut bits = BitWriter::default();
        bits.ue(0); // first_mb_in_slice
        bits.ue(slice_type);
        bits.ue(0); // pic_parameter_set_id
        bits.u(FRAME_NUMBERS.ilog2(), self.frame_number);
        bits
    }
}

fn end_slice_header(bits: &mut BitWriter) {
    bits.ue(0); // slice_qp_delta
    // disable_deblocking_filter_idc: samples stay what they are.
    bits.ue(1);
}

fn write_samples(bits: &mut BitWriter, picture: &Picture, macroblock: usize) {
    bits.align();
    for row in picture.rows_of(macroblock) {
        bits.octets(picture.at(row));
    }
}

/// 7.3.2.1.1
fn write_sequence_parameters(picture: &Picture, out: &mut Vec<u8>) {
    let mut bits = BitWriter::default();
    bits.u(8, 66); // profile_idc: Baseline
    bits.u(8, 0b1100_0000); // constraint_set0_flag, constraint_set1_flag: Constrained Baseline
    bits.u(8, 31); // level_idc
    bits.ue(0); // seq_parameter_set_id
    bits.ue(FRAME_NUMBERS.ilog2() - 4); // log2_max_frame_num_minus4
    bits.ue(2); // pic_order_cnt_type: shown in the order of the stream
    bits.ue(1); // max_num_ref_frames
    bits.u(1, 0); // gaps_in_frame_num_value_allowed_flag
    bits.ue((picture.width() / MACROBLOCK) as u32 - 1);
    bits.ue((picture.height() / MACROBLOCK) as u32 - 1);
    bits.u(1, 1); // frame_mbs_only_flag
    bits.u(1, 1); // direct_8x8_inference_flag
    bits.u(2, 0); // frame_cropping_flag, vui_parameters_present_flag
    bits.finish(REFERENCE | nal_type::SPS, out);
}

/// 7.3.2.2
fn write_picture_parameters(out: &mut Vec<u8>) {
    let mut bits = BitWriter::default();
    bits.ue(0); // pic_parameter_set_id
    bits.ue(0); // seq_parameter_set_id
    bits.u(2, 0); // entropy_coding_mode_flag: CAVLC; bottom_field_pic_order_in_frame_present_flag
    bits.ue(0); // num_slice_groups_minus1
    bits.ue(0); // num_ref_idx_l0_default_active_minus1
    bits.ue(0); // num_ref_idx_l1_default_active_minus1
    bits.u(3, 0); // weighted_pred_flag, weighted_bipred_idc
    bits.ue(0); // pic_init_qp_minus26
    bits.ue(0); // pic_init_qs_minus26
    bits.ue(0); // chroma_qp_index_offset
    bits.u(3, 0b100); // deblocking_filter_control_present_flag; constrained_intra_pred_flag, redundant_pic_cnt_present_flag
    bits.finish(REFERENCE | nal_type::PPS, out);
}
