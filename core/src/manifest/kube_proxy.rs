use ipnetwork::IpNetwork;
use serde::Serialize;

use super::{Spanned, parse_cidr};
use crate::say;
use crate::text::Span;
use crate::yaml::{Cursor, Fields};

/// kube-proxy's configuration file, kubeproxy.config.k8s.io/v1alpha1, with its defaults (Kubernetes
/// `pkg/proxy/apis/config/v1alpha1/defaults.go`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeProxyConfiguration {
    pub mode: Option<Spanned<ProxyMode>>,
    /// At most one of each family matters, the first.
    pub cluster_cidrs: Vec<Spanned<IpNetwork>>,
    pub detect_local: Spanned<DetectLocalMode>,
    /// Networks, or the node's own address by the word `primary`, which stands for none here.
    pub node_port_addresses: Vec<Spanned<Option<IpNetwork>>>,
    pub iptables: Masquerade,
    pub nftables: Masquerade,
    pub localhost_node_ports: Spanned<bool>,
    /// It sets `nf_conntrack_tcp_be_liberal` on its node.
    pub tcp_be_liberal: Option<Spanned<bool>>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ProxyMode {
    Iptables,
    Nftables,
    Ipvs,
}

/// How kube-proxy tells traffic from the node's own pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetectLocalMode {
    ClusterCidr,
    NodeCidr,
    BridgeInterface(Box<str>),
    InterfaceNamePrefix(Box<str>),
}

/// What both modes can be told about source NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masquerade {
    pub all: Spanned<bool>,
    /// Which bit of the mark.
    pub bit: Spanned<u8>,
}

impl KubeProxyConfiguration {
    /// What kube-proxy does without a configuration.
    pub fn new(span: Span) -> Self {
        let masquerade = Masquerade {
            all: Spanned::new(false, span),
            bit: Spanned::new(14, span),
        };
        Self {
            mode: None,
            cluster_cidrs: Vec::new(),
            detect_local: Spanned::new(DetectLocalMode::ClusterCidr, span),
            node_port_addresses: Vec::new(),
            iptables: masquerade,
            nftables: masquerade,
            localhost_node_ports: Spanned::new(true, span),
            tcp_be_liberal: None,
            span,
        }
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Self {
        let mut config = Self::new(fields.cursor.span());
        let modes = [
            ("iptables", ProxyMode::Iptables),
            ("nftables", ProxyMode::Nftables),
            ("ipvs", ProxyMode::Ipvs),
        ];
        if let Some(cursor) = given(&mut fields, "mode") {
            config.mode = cursor
                .one_of(&modes)
                .map(|mode| Spanned::new(mode, cursor.span()));
        }
        if let Some(cursor) = given(&mut fields, "clusterCIDR") {
            let parts = cursor.str().into_iter().flat_map(|text| text.split(','));
            for part in parts.map(str::trim) {
                config.cluster_cidrs.extend(cidr(cursor, part));
            }
        }
        config.read_detect_local(&mut fields);
        if let Some(list) = fields.get("nodePortAddresses") {
            for cursor in list.items() {
                match cursor.str() {
                    Some("primary") => {
                        let primary = Spanned::new(None, cursor.span());
                        config.node_port_addresses.push(primary);
                    }
                    Some(text) => config.node_port_addresses.extend(
                        cidr(cursor, text).map(|net| Spanned::new(Some(net.value), net.span)),
                    ),
                    None => {}
                }
            }
        }
        if let Some(mut section) = fields.get("iptables").and_then(|c| c.fields()) {
            config.iptables.read(&mut section);
            if let Some(cursor) = section.get("localhostNodePorts")
                && let Some(on) = cursor.bool()
            {
                config.localhost_node_ports = Spanned::new(on, cursor.span());
            }
            section.no_matter(&["minSyncPeriod", "syncPeriod"]);
            section.end();
        }
        if let Some(mut section) = fields.get("nftables").and_then(|c| c.fields()) {
            config.nftables.read(&mut section);
            section.no_matter(&["minSyncPeriod", "syncPeriod"]);
            section.end();
        }
        if let Some(mut section) = fields.get("conntrack").and_then(|c| c.fields()) {
            if let Some(cursor) = section.get("tcpBeLiberal") {
                let on = cursor.bool();
                config.tcp_be_liberal = on.map(|on| Spanned::new(on, cursor.span()));
            }
            section.no_matter(&[
                "maxPerCore",
                "min",
                "tcpCloseWaitTimeout",
                "tcpEstablishedTimeout",
                "udpStreamTimeout",
                "udpTimeout",
            ]);
            section.end();
        }
        fields.not_modelled(&["featureGates", "hostnameOverride"]);
        fields.no_matter(&[
            "bindAddress",
            "bindAddressHardFail",
            "clientConnection",
            "configSyncPeriod",
            "enableProfiling",
            "healthzBindAddress",
            "ipvs",
            "logging",
            "metricsBindAddress",
            "oomScoreAdj",
            "portRange",
            "showHiddenMetricsForVersion",
            "udpIdleTimeout",
            "windowsRunAsService",
            "winkernel",
        ]);
        fields.end();
        config
    }

    fn read_detect_local(&mut self, fields: &mut Fields<'_>) {
        let mode = given(fields, "detectLocalMode");
        let mut section = fields.get("detectLocal").and_then(|c| c.fields());
        let mut name = |key: &'static str| -> Option<Box<str>> {
            let section = section.as_mut()?;
            section.str(key).filter(|s| !s.is_empty()).map(Into::into)
        };
        let bridge = name("bridgeInterface");
        let prefix = name("interfaceNamePrefix");
        let Some(cursor) = mode else {
            return;
        };
        let modes = [
            ("ClusterCIDR", Some(DetectLocalMode::ClusterCidr)),
            ("NodeCIDR", Some(DetectLocalMode::NodeCidr)),
            (
                "BridgeInterface",
                bridge.map(DetectLocalMode::BridgeInterface),
            ),
            (
                "InterfaceNamePrefix",
                prefix.map(DetectLocalMode::InterfaceNamePrefix),
            ),
        ];
        let by_word = modes.each_ref().map(|(word, mode)| (*word, mode.as_ref()));
        match cursor.one_of(&by_word) {
            Some(Some(mode)) => self.detect_local = Spanned::new(mode.clone(), cursor.span()),
            Some(None) => cursor.error(say!("manifest/detect-local-name", path = cursor.path())),
            None => {}
        }
    }
}

impl Masquerade {
    fn read(&mut self, section: &mut Fields<'_>) {
        if let Some(cursor) = section.get("masqueradeAll")
            && let Some(all) = cursor.bool()
        {
            self.all = Spanned::new(all, cursor.span());
        }
        if let Some(cursor) = section.get("masqueradeBit")
            && let Some(bit) = cursor.int_in(0..=31)
        {
            self.bit = Spanned::new(bit, cursor.span());
        }
    }
}

/// A field that is there and not empty: kube-proxy's own dumps write `mode: ""`.
fn given<'n>(fields: &mut Fields<'n>, key: &'static str) -> Option<Cursor<'n>> {
    fields.get(key).filter(|c| c.node.str() != Some(""))
}

fn cidr(cursor: Cursor<'_>, text: &str) -> Option<Spanned<IpNetwork>> {
    let net = parse_cidr(text);
    if net.is_none() {
        cursor.error(say!(
            "manifest/bad-cidr",
            path = cursor.path(),
            found = text
        ));
    }
    net.map(|net| Spanned::new(net, cursor.span()))
}
