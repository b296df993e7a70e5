/// MurmurHash2, 64 bits, with the seed of libstdc++'s `std::hash` (Envoy `source/common/common/hash.cc`).
pub fn murmur2(input: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    let mix = |n: u64| n ^ (n >> 47);
    let word = |bytes: &[u8]| {
        let low = bytes.iter().rev();
        low.fold(0u64, |n, b| (n << 8) | u64::from(*b))
    };
    let mut hash = 0xc70f_6907 ^ (input.len() as u64).wrapping_mul(MULTIPLIER);
    for bytes in input.chunks(8) {
        let data = match bytes.len() {
            8 => mix(word(bytes).wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER),
            _ => word(bytes),
        };
        hash = (hash ^ data).wrapping_mul(MULTIPLIER);
    }
    mix(mix(hash).wrapping_mul(MULTIPLIER))
}

/// xxHash, 64 bits (Collet), which Envoy uses for hash policies, rings and tables.
pub fn xxh64(input: &[u8], seed: u64) -> u64 {
    const P1: u64 = 0x9e37_79b1_85eb_ca87;
    const P2: u64 = 0xc2b2_ae3d_27d4_eb4f;
    const P3: u64 = 0x1656_67b1_9e37_79f9;
    const P4: u64 = 0x85eb_ca77_c2b2_ae63;
    const P5: u64 = 0x27d4_eb2f_1656_67c5;
    let round = |acc: u64, lane: u64| {
        let acc = acc.wrapping_add(lane.wrapping_mul(P2));
        acc.rotate_left(31).wrapping_mul(P1)
    };
    let word = |bytes: &[u8]| {
        let low = bytes.iter().rev();
        low.fold(0u64, |n, b| (n << 8) | u64::from(*b))
    };
    let mut rest = input;
    let mut hash = if input.len() < 32 {
        seed.wrapping_add(P5)
    } else {
        let mut lanes = [
            seed.wrapping_add(P1).wrapping_add(P2),
            seed.wrapping_add(P2),
            seed,
            seed.wrapping_sub(P1),
        ];
        while let Some((block, tail)) = rest.split_at_checked(32) {
            for (lane, bytes) in lanes.iter_mut().zip(block.chunks(8)) {
                *lane = round(*lane, word(bytes));
            }
            rest = tail;
        }
        let [a, b, c, d] = lanes;
        let mixed = a
            .rotate_left(1)
            .wrapping_add(b.rotate_left(7))
            .wrapping_add(c.rotate_left(12))
            .wrapping_add(d.rotate_left(18));
        lanes.iter().fold(mixed, |hash, lane| {
            (hash ^ round(0, *lane)).wrapping_mul(P1).wrapping_add(P4)
        })
    };
    hash = hash.wrapping_add(input.len() as u64);
    while let Some((bytes, tail)) = rest.split_at_checked(8) {
        hash ^= round(0, word(bytes));
        hash = hash.rotate_left(27).wrapping_mul(P1).wrapping_add(P4);
        rest = tail;
    }
    if let Some((bytes, tail)) = rest.split_at_checked(4) {
        hash ^= word(bytes).wrapping_mul(P1);
        hash = hash.rotate_left(23).wrapping_mul(P2).wrapping_add(P3);
        rest = tail;
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(P5);
        hash = hash.rotate_left(11).wrapping_mul(P1);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(P2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(P3);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_xxhash() {
        assert_eq!(xxh64(b"", 0), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"a", 0), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(xxh64(b"abc", 0), 0x44bc_2cf5_ad77_0999);
        let long = b"xxhash is an extremely fast non-cryptographic hash";
        assert_ne!(xxh64(long, 0), xxh64(long, 1));
    }
}
