use std::fmt;
use std::net::IpAddr;

/// A short ASCII text that needs no allocation: a node has hundreds of thousands of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Short<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

/// `10.244.1.5:8080`, `[fd00::5]:8080`: at most 47 bytes.
pub type AddressText = Short<47>;

impl<const N: usize> Short<N> {
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// What does not fit is left out.
    pub(super) fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            self.push_byte(byte);
        }
    }

    pub(super) fn push_byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.len)) {
            *place = byte;
            self.len += 1;
        }
    }

    pub(super) fn push_number(&mut self, number: u16) {
        let mut scale = 10_000;
        while scale > 1 && number < scale {
            scale /= 10;
        }
        while scale > 0 {
            self.push_byte(b'0' + (number / scale % 10) as u8);
            scale /= 10;
        }
    }
}

impl AddressText {
    pub(super) fn of(ip: IpAddr, port: u16) -> Self {
        let mut text = Self::new();
        match ip {
            IpAddr::V4(ip) => {
                for (i, octet) in ip.octets().into_iter().enumerate() {
                    if i > 0 {
                        text.push_byte(b'.');
                    }
                    text.push_number(u16::from(octet));
                }
            }
            IpAddr::V6(ip) => {
                text.push_byte(b'[');
                text.push(&ip.to_string());
                text.push_byte(b']');
            }
        }
        text.push_byte(b':');
        text.push_number(port);
        text
    }
}

impl<const N: usize> fmt::Display for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_ports_are_written_as_go_joins_them() {
        let text = |ip: &str, port| AddressText::of(ip.parse().unwrap(), port).to_string();
        assert_eq!(text("10.0.255.1", 80), "10.0.255.1:80");
        assert_eq!(text("0.0.0.0", 0), "0.0.0.0:0");
        let longest = "[1111:2222:3333:4444:5555:6666:7777:8888]:65535";
        assert_eq!(
            text("1111:2222:3333:4444:5555:6666:7777:8888", 65_535),
            longest
        );
        assert_eq!(text("fd00::5", 10_000), "[fd00::5]:10000");
    }
}
