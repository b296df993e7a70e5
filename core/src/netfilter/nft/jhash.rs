//! The kernel's `jhash` (`include/linux/jhash.h`): Bob Jenkins' lookup3 over bytes, words in the little-endian order of the
//! machines that nodes run on.

pub(super) fn jhash(key: &[u8], seed: u32) -> u32 {
    let start = 0xdead_beef_u32
        .wrapping_add(key.len() as u32)
        .wrapping_add(seed);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = key;
    while rest.len() > 12 {
        let (now, later) = rest.split_at(12);
        a = a.wrapping_add(word(now, 0));
        b = b.wrapping_add(word(now, 4));
        c = c.wrapping_add(word(now, 8));
        mix(&mut a, &mut b, &mut c);
        rest = later;
    }
    if rest.is_empty() {
        return c;
    }
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 4));
    c = c.wrapping_add(word(rest, 8));
    finish(a, b, c)
}

/// Four bytes from an offset, 0 behind the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    let byte = |i| u32::from(bytes.get(at + i).copied().unwrap_or(0)) << (8 * i);
    byte(0) | byte(1) | byte(2) | byte(3)
}

fn mix(a: &mut u32, b: &mut u32, c: &mut u32) {
    let step = |x: &mut u32, y: &mut u32, z: &mut u32, rotate: u32| {
        *x = x.wrapping_sub(*z) ^ z.rotate_left(rotate);
        *z = z.wrapping_add(*y);
    };
    step(a, b, c, 4);
    step(b, c, a, 6);
    step(c, a, b, 8);
    step(a, b, c, 16);
    step(b, c, a, 19);
    step(c, a, b, 4);
}

fn finish(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    let step = |x: &mut u32, y: u32, rotate: u32| *x = (*x ^ y).wrapping_sub(y.rotate_left(rotate));
    step(&mut c, b, 14);
    step(&mut a, c, 11);
    step(&mut b, a, 25);
    step(&mut c, b, 16);
    step(&mut a, c, 4);
    step(&mut b, a, 14);
    step(&mut c, b, 24);
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_lookup3() {
        // Test vectors of lookup3.c, `hashlittle` with the seed as it takes it.
        assert_eq!(jhash(b"", 0), 0xdead_beef);
        assert_eq!(jhash(b"", 0xdead_beef), 0xbd5b_7dde);
        assert_eq!(jhash(b"Four score and seven years ago", 0), 0x1777_0551);
        assert_eq!(jhash(b"Four score and seven years ago", 1), 0xcd62_8161);
    }
}
