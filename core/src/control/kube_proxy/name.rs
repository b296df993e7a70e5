use sha2::{Digest, Sha256};

use super::Short;

/// The hash of a Service port, from which its chains have their names: sha256 of `namespace/name[:port]` and the
/// protocol (`pkg/proxy/iptables/proxier.go`, `portProtoHash`). Each endpoint's chain hashes its address behind that.
#[derive(Clone)]
pub(super) struct PortHash(Sha256);

impl PortHash {
    pub(super) fn new(name: &str, protocol: &str) -> Self {
        Self(Sha256::new().chain_update(name).chain_update(protocol))
    }

    /// 16 letters.
    pub(super) fn text(&self) -> Short<16> {
        let mut text = Short::new();
        base32(&self.0.clone().finalize(), 16, |letter| {
            text.push_byte(letter)
        });
        text
    }

    /// The name of an endpoint's chain.
    pub(super) fn endpoint(&self, endpoint: &str) -> Short<25> {
        let mut chain = Short::new();
        chain.push("KUBE-SEP-");
        let hash = self.0.clone().chain_update(endpoint).finalize();
        base32(&hash, 16, |letter| chain.push_byte(letter));
        chain
    }
}

/// What ends the names of a Service port's chains: `name` is `namespace/name[:port]`.
pub fn port_hash(name: &str, protocol: &str) -> String {
    PortHash::new(name, protocol).text().to_string()
}

/// The same of an endpoint's chain: `endpoint` is its address and port.
pub fn endpoint_hash(name: &str, protocol: &str, endpoint: &str) -> String {
    let chain = PortHash::new(name, protocol).endpoint(endpoint).to_string();
    chain.trim_start_matches("KUBE-SEP-").to_string()
}

/// nftables names can be long, so the hash only has to tell apart what the cut takes away
/// (`pkg/proxy/nftables/proxier.go`, `hashAndTruncate`).
pub(super) fn hash_and_cut(name: &str) -> String {
    const MOST: usize = 240;
    let mut out = String::with_capacity(9 + name.len());
    base32(&Sha256::digest(name), 8, |letter| {
        out.push(char::from(letter))
    });
    out.push('-');
    out.push_str(name);
    if out.len() > MOST {
        let mut end = MOST - 3;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push_str("...");
    }
    out
}

/// The first letters of RFC 4648 base32; eight for each five bytes.
fn base32(bytes: &[u8], letters: usize, mut push: impl FnMut(u8)) {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for chunk in bytes.chunks_exact(5).take(letters / 8) {
        let bits = chunk.iter().fold(0u64, |bits, b| bits << 8 | u64::from(*b));
        for shift in (0..40).step_by(5).rev() {
            push(ALPHABET[(bits >> shift & 31) as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_named_as_in_the_cluster_of_the_default_scenario() {
        let hash = PortHash::new("default/istio-ingressgateway:http2", "tcp");
        assert_eq!(hash.text().as_str(), "HBO2MBMQRZFAHKF2");
        let endpoint = hash.endpoint("172.20.1.157:80");
        assert_eq!(endpoint.as_str(), "KUBE-SEP-EW7YLHH65NRUVIFQ");
        assert_eq!(
            hash_and_cut("default/istio-ingressgateway/tcp/http2"),
            "WTGRVRGC-default/istio-ingressgateway/tcp/http2"
        );
    }
}
