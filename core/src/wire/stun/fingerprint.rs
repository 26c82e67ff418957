//! STUN's FINGERPRINT (RFC 8489 §14.7), by which it is told from what shares its port.

/// The value of the attribute, for the message before it, whose length counts it already.
pub(super) fn of(message: &[u8]) -> [u8; 4] {
    (crc32(message) ^ 0x5354_554E).to_be_bytes()
}

/// As in ITU-T V.42. Bit by bit: messages have a few dozen bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = 0_u32.wrapping_sub(crc & 1);
            crc = crc >> 1 ^ (0xEDB8_8320 & mask);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_the_polynomial_is_right() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
