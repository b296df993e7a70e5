//! Numbers of thousands of bits, as far as an RSA signature asks for them: a power and its remainder. All that is computed with is
//! public, so it need not take the same time for all numbers.

/// Without leading zeros, the lowest 32 bits first.
pub(super) type Number = Vec<u32>;

pub(super) fn read(bytes: &[u8]) -> Number {
    let mut number: Number = bytes
        .rchunks(4)
        .map(|chunk| chunk.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
        .collect();
    trim(&mut number);
    number
}

pub(super) fn bits(number: &Number) -> usize {
    let zeros = number.last().map_or(0, |top| top.leading_zeros() as usize);
    number.len() * 32 - zeros
}

/// As so many bytes, the highest first. `None`: it has more.
pub(super) fn write(number: &Number, length: usize) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = number.iter().flat_map(|n| n.to_le_bytes()).collect();
    let more = bytes.get(length..).unwrap_or_default();
    if more.iter().any(|b| *b != 0) {
        return None;
    }
    bytes.resize(length, 0);
    bytes.reverse();
    Some(bytes)
}

/// `base` to the power of `exponent`, modulo `modulus`, which is not 0.
pub(super) fn power(base: &Number, exponent: u32, modulus: &Number) -> Number {
    let base = remainder(base.clone(), modulus);
    let mut all = base.clone();
    for bit in (0..exponent.ilog2()).rev() {
        all = remainder(product(&all, &all), modulus);
        if exponent >> bit & 1 == 1 {
            all = remainder(product(&all, &base), modulus);
        }
    }
    all
}

/// Whether the first is less.
pub(super) fn is_less(a: &Number, b: &Number) -> bool {
    (a.len(), a.iter().rev().collect::<Vec<_>>()) < (b.len(), b.iter().rev().collect())
}

fn trim(number: &mut Number) {
    while number.last() == Some(&0) {
        number.pop();
    }
}

fn low(n: u64) -> u32 {
    (n & u64::from(u32::MAX)) as u32
}

fn product(a: &Number, b: &Number) -> Number {
    let mut all = vec![0; a.len() + b.len()];
    for (at, x) in a.iter().enumerate() {
        let mut carry = 0;
        let places = all.iter_mut().skip(at);
        for (place, y) in places.zip(b.iter().chain([&0])) {
            let sum = u64::from(*x) * u64::from(*y) + u64::from(*place) + carry;
            (*place, carry) = (low(sum), sum >> 32);
        }
    }
    trim(&mut all);
    all
}

fn shifted(number: &Number, by: u32) -> Number {
    let mut carry = 0;
    let mut all: Number = Vec::with_capacity(number.len() + 2);
    for n in number {
        let wide = u64::from(*n) << by | carry;
        all.push(low(wide));
        carry = wide >> 32;
    }
    all.push(low(carry));
    all
}

/// By long division in digits of 32 bits (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D).
fn remainder(number: Number, by: &Number) -> Number {
    let Some(shift) = by.last().map(|top| top.leading_zeros()) else {
        return number;
    };
    let mut divisor = shifted(by, shift);
    trim(&mut divisor);
    let top = u64::from(divisor.last().copied().unwrap_or(1));
    let mut rest = shifted(&number, shift);
    while rest.len() > divisor.len() {
        let high = u64::from(rest.pop().unwrap_or(0)) << 32;
        let next = u64::from(rest.last().copied().unwrap_or(0));
        let digit = ((high | next) / top).min(u64::from(u32::MAX));
        let from = rest.len() - divisor.len();
        // What the digit takes, and one more time the divisor for each that it was too large by.
        let mut borrow = 0;
        for (place, d) in rest.iter_mut().skip(from).zip(&divisor) {
            let taken = digit * u64::from(*d) + borrow;
            let (left, under) = place.overflowing_sub(low(taken));
            *place = left;
            borrow = (taken >> 32) + u64::from(under);
        }
        let mut owed = borrow.saturating_sub(high >> 32);
        while owed > 0 {
            let mut carry = 0;
            for (place, d) in rest.iter_mut().skip(from).zip(&divisor) {
                let sum = u64::from(*place) + u64::from(*d) + carry;
                (*place, carry) = (low(sum), sum >> 32);
            }
            owed -= carry;
        }
    }
    let mut carry = 0;
    for place in rest.iter_mut().rev() {
        let wide = carry << 32 | u64::from(*place);
        *place = low(wide >> shift);
        carry = wide & ((1 << shift) - 1);
    }
    trim(&mut rest);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n: u128) -> Number {
        read(&n.to_be_bytes())
    }

    #[test]
    fn a_remainder_is_what_division_leaves() {
        let mut random = crate::net::Random::new(7);
        let mut wide = |bits: u32| {
            let n = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
            n >> (128 - bits)
        };
        for bits in [1, 20, 31, 32, 33, 63, 64, 65, 96, 100, 127, 128] {
            for by in [1, 8, 32, 33, 40, 64, 65, 90, 128] {
                for _ in 0..20 {
                    let (a, b) = (wide(bits), wide(by).max(1));
                    assert_eq!(remainder(of(a), &of(b)), of(a % b), "{a} % {b}");
                }
            }
        }
        let all = u128::MAX;
        let high = 0xffff_ffff_0000_0000_u128;
        assert_eq!(remainder(of(all), &of(high)), of(all % high));
        let tight = 0x8000_0000_0000_0000_ffff_ffff_u128;
        let least = 0x8000_0000_0000_0001_u128;
        assert_eq!(remainder(of(tight), &of(least)), of(tight % least));
    }

    #[test]
    fn a_power_is_a_product_of_its_base() {
        assert_eq!(power(&of(4), 13, &of(497)), of(445));
        assert_eq!(
            power(&of(500), 65537, &of(497)),
            power(&of(3), 65537, &of(497))
        );
        let by = of(u128::MAX - 4);
        let square = remainder(product(&of(1 << 100), &of(1 << 100)), &by);
        assert_eq!(power(&of(1 << 100), 2, &by), square);
        assert_eq!(
            write(&of(0x0001_0203_0405), 6),
            Some(vec![0, 1, 2, 3, 4, 5])
        );
        assert_eq!(write(&of(0x0001_0203_0405), 4), None);
    }
}
