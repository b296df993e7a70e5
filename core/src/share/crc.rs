/// The checksum of zip and PNG (ISO 3309, as RFC 2083, 15 gives it).
pub fn crc32<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.into_iter().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc = crc >> 1 ^ carry.wrapping_neg() & 0xedb8_8320;
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_the_algorithm() {
        assert_eq!(super::crc32([&b"12345"[..], b"6789"]), 0xcbf4_3926);
    }
}
