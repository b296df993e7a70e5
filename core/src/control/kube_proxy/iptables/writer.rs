use std::sync::Arc;

use super::Payload;
use crate::control::kube_proxy::name::PortHash;
use crate::control::kube_proxy::proxier::DetectBy;
use crate::control::kube_proxy::version::{Chains, Comments, Dialect};
use crate::control::kube_proxy::{
    Endpoint, Field, Lines, NodePorts, Origin, ServicePort, Short, View,
};
use crate::manifest::IpFamily;

/// More endpoints than this, and the rules about endpoints lose their comments.
const LARGE_CLUSTER: usize = 1000;

/// What all rules of one sync have in common.
pub(super) struct Writer<'v, 'a> {
    pub(super) view: &'v View<'a>,
    pub(super) dialect: &'static Dialect,
    /// `0x00004000`
    mark: String,
    /// Arguments with a blank before them, for traffic from the node's own pods; `None` where nothing tells it.
    pub(super) local: Option<String>,
    pub(super) not_local: Option<String>,
    pub(super) localhost: bool,
    large: bool,
    /// The match for one packet in n, by n.
    probabilities: Vec<Arc<str>>,
    pub(super) out: Payload,
}

/// An endpoint by its place, and its chain.
pub(super) type EndpointChain = (u32, Short<25>);

/// A port's texts.
pub(super) struct PortText<'p> {
    pub(super) name: &'p str,
    /// ` -m tcp -p tcp`
    pub(super) protocol: &'static str,
    pub(super) port: Short<5>,
    pub(super) cluster_ip: String,
    /// What the names of the port's chains end in.
    hash: Short<16>,
    endpoint_hash: PortHash,
}

impl<'p> PortText<'p> {
    pub(super) fn new(port: &'p ServicePort<'_>) -> Self {
        let endpoint_hash = PortHash::new(&port.name, port.protocol());
        let mut number = Short::new();
        number.push_number(port.port.port.value);
        Self {
            name: &port.name,
            protocol: match port.protocol() {
                "udp" => " -m udp -p udp",
                "sctp" => " -m sctp -p sctp",
                _ => " -m tcp -p tcp",
            },
            port: number,
            cluster_ip: port.cluster_ip.to_string(),
            hash: endpoint_hash.text(),
            endpoint_hash,
        }
    }

    pub(super) fn chain(&self, prefix: &str) -> Short<25> {
        let mut chain = Short::new();
        chain.push(prefix);
        chain.push(self.hash.as_str());
        chain
    }

    /// The chains of some endpoints.
    pub(super) fn chains(&self, port: &ServicePort<'_>, places: &[u32]) -> Vec<EndpointChain> {
        let of = |place: &u32| {
            let endpoint = port.endpoints.all.get(*place as usize)?;
            Some((*place, self.endpoint_hash.endpoint(endpoint.text.as_str())))
        };
        let mut chains = Vec::with_capacity(places.len());
        chains.extend(places.iter().filter_map(of));
        chains
    }
}

impl<'v, 'a> Writer<'v, 'a> {
    pub(super) fn new(view: &'v View<'a>) -> Self {
        let proxier = &view.proxier;
        let endpoints = view.endpoint_count();
        let local = proxier
            .detector(view.family)
            .map(|detector| match detector.by {
                DetectBy::Cidr(net) => format!(" -s {net}"),
                DetectBy::Interface(name) => format!(" -i {name}"),
                DetectBy::Prefix(prefix) => format!(" -i {prefix}+"),
            });
        let mut out = Payload {
            filter_chains: Lines::default(),
            filter_rules: Lines::default(),
            nat_chains: Lines::default(),
            nat_rules: Lines::default(),
        };
        let ports = view.ports.len();
        out.nat_chains
            .reserve(36 * (endpoints + 3 * ports), endpoints + 3 * ports);
        out.nat_rules
            .reserve(400 * (endpoints + ports), 3 * endpoints + 8 * ports);
        Self {
            view,
            dialect: proxier.dialect(),
            mark: proxier.mark(),
            not_local: local.as_ref().map(|local| [" !", local].concat()),
            local,
            localhost: proxier.localhost_node_ports(view.family),
            large: endpoints > LARGE_CLUSTER,
            probabilities: Vec::new(),
            out,
        }
    }

    pub(super) fn nat(&mut self, origin: Origin, pieces: &[&str]) {
        self.out.nat_rules.line(origin, pieces);
    }

    pub(super) fn filter(&mut self, origin: Origin, pieces: &[&str]) {
        self.out.filter_rules.line(origin, pieces);
    }

    pub(super) fn nat_chain(&mut self, origin: Origin, chain: &str) {
        self.out.nat_chains.line(origin, &[":", chain, " - [0:0]"]);
    }

    /// The chains that every node has, and the rules at the heads of both tables.
    pub(super) fn head(&mut self) {
        let modern = self.dialect.chains == Chains::ExtSvl;
        for chain in ["KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-FORWARD"] {
            self.out.filter_chains.frame(&[":", chain, " - [0:0]"]);
        }
        if self.dialect.health_check_rules {
            self.out.filter_chains.frame(&[":KUBE-NODEPORTS - [0:0]"]);
        }
        if modern {
            self.out
                .filter_chains
                .frame(&[":KUBE-PROXY-FIREWALL - [0:0]"]);
        }
        for chain in [
            "KUBE-SERVICES",
            "KUBE-NODEPORTS",
            "KUBE-POSTROUTING",
            "KUBE-MARK-MASQ",
        ] {
            self.out.nat_chains.frame(&[":", chain, " - [0:0]"]);
        }
        self.masquerade();
        if self.dialect.localhost_option && self.localhost {
            let origin = Origin::config(Field::LocalhostNodePorts);
            self.out
                .filter_chains
                .line(origin, &[":KUBE-FIREWALL - [0:0]"]);
            self.filter(
                origin,
                &["-A KUBE-FIREWALL -m comment --comment \"block incoming localnet connections\" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"],
            );
        }
    }

    fn masquerade(&mut self) {
        let origin = Origin::config(Field::MasqueradeBit);
        let mark = &self.mark;
        let rules = &mut self.out.nat_rules;
        let random = self.dialect.random_fully && self.view.proxier.host.random_fully;
        let random = if random { " --random-fully" } else { "" };
        const SNAT: &str = "-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\"";
        if self.dialect.xor_mark {
            rules.line(
                origin,
                &[
                    "-A KUBE-POSTROUTING -m mark ! --mark ",
                    mark,
                    "/",
                    mark,
                    " -j RETURN",
                ],
            );
            rules.line(origin, &["-A KUBE-POSTROUTING -j MARK --xor-mark ", mark]);
            rules.line(Origin::FRAME, &[SNAT, " -j MASQUERADE", random]);
            rules.line(origin, &["-A KUBE-MARK-MASQ -j MARK --or-mark ", mark]);
        } else {
            rules.line(
                origin,
                &[
                    SNAT,
                    " -m mark --mark ",
                    mark,
                    "/",
                    mark,
                    " -j MASQUERADE",
                    random,
                ],
            );
            rules.line(
                origin,
                &["-A KUBE-MARK-MASQ -j MARK --set-xmark ", mark, "/", mark],
            );
        }
    }

    /// The way to KUBE-NODEPORTS, which must come last, and KUBE-FORWARD.
    pub(super) fn tail(&mut self) {
        const LAST: &str = "-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\"";
        let origin = Origin::config(Field::NodePortAddresses);
        let option = self.dialect.localhost_option;
        match self.view.proxier.node_ports(self.view.family) {
            NodePorts::All => {
                let but = match self.view.family {
                    _ if !option => "",
                    IpFamily::V6 => " ! -d ::1/128",
                    IpFamily::V4 if !self.localhost => " ! -d 127.0.0.0/8",
                    IpFamily::V4 => "",
                };
                let origin = origin.and(Field::LocalhostNodePorts);
                self.nat(
                    origin,
                    &[
                        LAST,
                        " -m addrtype --dst-type LOCAL",
                        but,
                        " -j KUBE-NODEPORTS",
                    ],
                );
            }
            NodePorts::Only(addresses) => {
                for ip in addresses {
                    if option && ip.is_loopback() && !self.localhost {
                        continue;
                    }
                    self.nat(
                        origin,
                        &[LAST, " -d ", &ip.to_string(), " -j KUBE-NODEPORTS"],
                    );
                }
            }
        }
        self.forward();
    }

    fn forward(&mut self) {
        let host = self.view.proxier.host;
        let rules = &mut self.out.filter_rules;
        if !(self.dialect.heeds_liberal && host.conntrack_tcp_liberal) {
            let count = match self.dialect.nfacct && host.nfacct {
                true => " -m nfacct --nfacct-name ct_state_invalid_dropped_pkts",
                false => "",
            };
            rules.frame(&[
                "-A KUBE-FORWARD -m conntrack --ctstate INVALID",
                count,
                " -j DROP",
            ]);
        }
        let mark = &self.mark;
        rules.line(
            Origin::config(Field::MasqueradeBit),
            &[
                "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark --mark ",
                mark,
                "/",
                mark,
                " -j ACCEPT",
            ],
        );
        const GOES_ON: &str = " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
        if self.dialect.health_check_rules {
            rules.frame(&[
                "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\"",
                GOES_ON,
            ]);
        } else if let Some(local) = &self.local {
            let origin = Origin::config(Field::DetectLocal);
            let cidr = local.trim_start_matches(" -s ");
            rules.line(
                origin,
                &[
                    "-A KUBE-FORWARD -s ",
                    cidr,
                    " -m comment --comment \"kubernetes forwarding conntrack pod source rule\"",
                    GOES_ON,
                ],
            );
            rules.line(
                origin,
                &[
                    "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack pod destination rule\" -d ",
                    cidr,
                    GOES_ON,
                ],
            );
        }
    }

    pub(super) fn opens_no_node_port(&self) -> bool {
        let ports = self.view.proxier.node_ports(self.view.family);
        ports == NodePorts::Only(Vec::new())
    }

    /// The comment of a rule that jumps to an endpoint.
    fn endpoint_comment(&self, text: &PortText<'_>, endpoint: &Endpoint<'_>) -> String {
        match self.dialect.endpoint_comments {
            _ if self.large => String::new(),
            Comments::Nothing => String::new(),
            Comments::Service => [" -m comment --comment ", text.name].concat(),
            Comments::Endpoint => {
                let (name, to) = (text.name, endpoint.text.as_str());
                [" -m comment --comment \"", name, " -> ", to, "\""].concat()
            }
        }
    }

    /// Of the rules of an endpoint's own chain.
    fn service_comment(&self, text: &PortText<'_>) -> String {
        match self.dialect.endpoint_comments {
            Comments::Service | Comments::Endpoint if !self.large => {
                [" -m comment --comment ", text.name].concat()
            }
            _ => String::new(),
        }
    }

    /// Session affinity first, then an even share for each endpoint (`writeServiceToEndpointRules`).
    pub(super) fn balance(
        &mut self,
        text: &PortText<'_>,
        (port, at): (&ServicePort<'_>, u32),
        chain: &str,
        endpoints: &[EndpointChain],
    ) {
        self.affinity(text, (port, at), chain, endpoints);
        for i in 0..endpoints.len() {
            self.share(text, (port, at), chain, endpoints, i);
        }
    }

    pub(super) fn affinity(
        &mut self,
        text: &PortText<'_>,
        (port, at): (&ServicePort<'_>, u32),
        chain: &str,
        endpoints: &[EndpointChain],
    ) {
        let Some(affinity) = &port.service.session_affinity else {
            return;
        };
        let seconds = affinity.value.to_string();
        for (number, to) in endpoints {
            let Some(endpoint) = port.endpoints.all.get(*number as usize) else {
                continue;
            };
            let comment = self.endpoint_comment(text, endpoint);
            self.nat(
                Origin::endpoint(at, *number).and(Field::SessionAffinity),
                &[
                    "-A ",
                    chain,
                    &comment,
                    " -m recent --name ",
                    to.as_str(),
                    " --rcheck --seconds ",
                    &seconds,
                    " --reap -j ",
                    to.as_str(),
                ],
            );
        }
    }

    /// The match that takes one packet in n; nothing where it takes all.
    pub(super) fn chance(&mut self, n: usize) -> Arc<str> {
        while self.probabilities.len() <= n {
            let chance = match self.probabilities.len() {
                0 | 1 => String::new(),
                n => one_in(n, self.dialect.probability),
            };
            self.probabilities.push(chance.into());
        }
        self.probabilities.get(n).cloned().unwrap_or_default()
    }

    /// The rule for the i-th of these endpoints.
    pub(super) fn share(
        &mut self,
        text: &PortText<'_>,
        (port, at): (&ServicePort<'_>, u32),
        chain: &str,
        endpoints: &[EndpointChain],
        i: usize,
    ) {
        let Some((number, to)) = endpoints.get(i) else {
            return;
        };
        let Some(endpoint) = port.endpoints.all.get(*number as usize) else {
            return;
        };
        let comment = self.endpoint_comment(text, endpoint);
        let chance = self.chance(endpoints.len() - i);
        self.out.nat_rules.line(
            Origin::endpoint(at, *number),
            &["-A ", chain, &comment, &chance, " -j ", to.as_str()],
        );
    }

    /// The rules of an endpoint's own chain: source NAT for what comes back to its sender, then the destination.
    pub(super) fn endpoint(
        &mut self,
        text: &PortText<'_>,
        (port, at): (&ServicePort<'_>, u32),
        (number, chain): &EndpointChain,
    ) {
        let Some(endpoint) = port.endpoints.all.get(*number as usize) else {
            return;
        };
        let chain = chain.as_str();
        let comment = self.service_comment(text);
        let origin = Origin::endpoint(at, *number);
        let length = match (self.dialect.host_prefix, self.view.family) {
            (false, _) => "",
            (true, IpFamily::V4) => "/32",
            (true, IpFamily::V6) => "/128",
        };
        self.nat(
            origin,
            &[
                "-A ",
                chain,
                &comment,
                " -s ",
                endpoint.ip_text(),
                length,
                " -j KUBE-MARK-MASQ",
            ],
        );
        let (recent, origin) = match port.service.session_affinity {
            Some(_) => (
                [" -m recent --name ", chain, " --set"].concat(),
                origin.and(Field::SessionAffinity),
            ),
            None => (String::new(), origin),
        };
        self.nat(
            origin,
            &[
                "-A ",
                chain,
                &comment,
                &recent,
                text.protocol,
                " -j DNAT --to-destination ",
                endpoint.text.as_str(),
            ],
        );
    }
}

/// Go's `%0.10f` of `1/n`: the double nearest to it, which Rust prints alike.
fn one_in(n: usize, decimals: usize) -> String {
    let chance = 1.0 / n as f64;
    format!(" -m statistic --mode random --probability {chance:.decimals$}")
}
