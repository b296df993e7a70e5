use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

/// An address under a mask, which iptables lets be any bits (`10.0.0.1/255.0.255.0`). Both of one family. Made by its
/// functions the address is masked; where a tool keeps the bits outside the mask, so may the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Masked {
    pub addr: IpAddr,
    pub mask: IpAddr,
}

impl Masked {
    pub fn new(addr: IpAddr, mask: IpAddr) -> Option<Self> {
        let addr = match (addr, mask) {
            (IpAddr::V4(a), IpAddr::V4(m)) => IpAddr::V4((a.to_bits() & m.to_bits()).into()),
            (IpAddr::V6(a), IpAddr::V6(m)) => IpAddr::V6((a.to_bits() & m.to_bits()).into()),
            _ => return None,
        };
        Some(Self { addr, mask })
    }

    /// All addresses of one family whose first `length` bits are those of `addr`; `None` past 32 or 128.
    pub fn prefix(addr: IpAddr, length: u8) -> Option<Self> {
        let mask = match addr {
            IpAddr::V4(_) if length <= 32 => {
                IpAddr::V4((u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into())
            }
            IpAddr::V6(_) if length <= 128 => {
                IpAddr::V6((u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into())
            }
            _ => return None,
        };
        Self::new(addr, mask)
    }

    pub fn host(addr: IpAddr) -> Self {
        let mask = match addr {
            IpAddr::V4(_) => IpAddr::V4(u32::MAX.into()),
            IpAddr::V6(_) => IpAddr::V6(u128::MAX.into()),
        };
        Self { addr, mask }
    }

    /// Addresses of the other family are never inside.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, self.mask, addr) {
            (IpAddr::V4(net), IpAddr::V4(mask), IpAddr::V4(a)) => {
                (a.to_bits() ^ net.to_bits()) & mask.to_bits() == 0
            }
            (IpAddr::V6(net), IpAddr::V6(mask), IpAddr::V6(a)) => {
                (a.to_bits() ^ net.to_bits()) & mask.to_bits() == 0
            }
            _ => false,
        }
    }

    /// The prefix length, where the mask is one.
    pub fn length(&self) -> Option<u8> {
        let (ones, zeros, bits) = match self.mask {
            IpAddr::V4(m) => (m.to_bits().leading_ones(), m.to_bits().trailing_zeros(), 32),
            IpAddr::V6(m) => (
                m.to_bits().leading_ones(),
                m.to_bits().trailing_zeros(),
                128,
            ),
        };
        (ones + zeros == bits).then_some(ones as u8)
    }
}

/// As iptables-save prints it: `/32` or a prefix length where there is one, else the mask in dots.
impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length() {
            Some(length) => write!(f, "{}/{length}", self.addr),
            None => write!(f, "{}/{}", self.addr, self.mask),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_need_not_be_a_prefix() {
        let m = Masked::new(
            "10.9.0.1".parse().unwrap(),
            "255.0.255.255".parse().unwrap(),
        )
        .unwrap();
        assert!(m.contains("10.1.0.1".parse().unwrap()));
        assert!(!m.contains("10.1.1.1".parse().unwrap()));
        assert_eq!(m.to_string(), "10.0.0.1/255.0.255.255");
        assert_eq!(
            Masked::prefix("1.2.3.4".parse().unwrap(), 0)
                .unwrap()
                .to_string(),
            "0.0.0.0/0"
        );
        assert_eq!(Masked::prefix("1.2.3.4".parse().unwrap(), 33), None);
    }
}
