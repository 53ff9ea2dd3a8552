//! Channel bindings ("extended protection"), [MS-NLMP] 3.1.1.2 and RFC 2744 3.11.

use crate::crypto::md5;

/// The MD5 of a `gss_channel_bindings_struct` without addresses, as it stands
/// in `MsvAvChannelBindings`.
///
/// `application_data` is for instance `tls-server-end-point:` followed by the
/// hash of the server's certificate (RFC 5929 4).
pub fn channel_bindings_hash(application_data: &[u8]) -> [u8; 16] {
    let len = u32::try_from(application_data.len()).unwrap_or(u32::MAX);
    // Two addresses of type 0 and length 0, then the data with its length.
    md5(&[&[0; 16], &len.to_le_bytes(), application_data])
}

#[cfg(test)]
mod tests {
    #[test]
    fn tls_server_end_point() {
        // A published example of Microsoft's extended protection.
        let mut data = b"tls-server-end-point:".to_vec();
        data.extend(
            hex::decode("ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95")
                .unwrap(),
        );
        assert_eq!(
            hex::encode(super::channel_bindings_hash(&data)),
            "6586e99d81c2fc984e47172fd4dd0310"
        );
    }
}
