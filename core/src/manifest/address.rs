use std::net::{IpAddr, Ipv4Addr};

use ipnetwork::IpNetwork;

/// An address as Kubernetes reads it: leading zeros do not matter, and `::ffff:a.b.c.d` is IPv4 (k8s.io/utils/net,
/// `ParseIPSloppy`).
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    if let Ok(addr) = text.parse::<IpAddr>() {
        return Some(addr.to_canonical());
    }
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        *octet = digits.then(|| part.parse().ok()).flatten()?;
    }
    parts
        .next()
        .is_none()
        .then_some(IpAddr::V4(Ipv4Addr::from(octets)))
}

/// A network; bits past the mask are cleared.
pub fn parse_cidr(text: &str) -> Option<IpNetwork> {
    let (addr, length) = text.split_once('/')?;
    if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let net = IpNetwork::new(parse_ip(addr)?, length.parse().ok()?).ok()?;
    IpNetwork::new(net.network(), net.prefix()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_kubernetes_reads_them() {
        let ip = |text| parse_ip(text).map(|a| a.to_string());
        assert_eq!(ip("010.0.0.01").as_deref(), Some("10.0.0.1"));
        assert_eq!(ip("::ffff:10.0.0.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(ip("FD00::1").as_deref(), Some("fd00::1"));
        assert_eq!(ip("10.0.0"), None);
        assert_eq!(ip("10.0.0.256"), None);
        assert_eq!(ip("10.0.0.+1"), None);
        let net = |text| parse_cidr(text).map(|n| n.to_string());
        assert_eq!(net("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(net("10.1.2.3/33"), None);
        assert_eq!(net("10.1.2.3"), None);
    }
}
