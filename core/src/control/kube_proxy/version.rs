use serde::Serialize;

/// A release whose rules are known. What lies between two of them follows the older one, with a few months' difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Version {
    V1_14,
    V1_17,
    V1_23,
    V1_25,
    V1_30,
    V1_36,
}

impl Version {
    pub const ALL: [Version; 6] = [
        Version::V1_14,
        Version::V1_17,
        Version::V1_23,
        Version::V1_25,
        Version::V1_30,
        Version::V1_36,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Version::V1_14 => "1.14",
            Version::V1_17 => "1.17",
            Version::V1_23 => "1.23",
            Version::V1_25 => "1.25",
            Version::V1_30 => "1.30",
            Version::V1_36 => "1.36",
        }
    }

    /// Of `1.30`, `v1.30.3`, `v1.14.8-aliyun.1`: the newest that is known and not newer; the oldest for older ones.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts = text.split(['.', '-', '+']);
        let (major, minor) = (parts.next()?, parts.next()?);
        let minor: u32 = minor.parse().ok().filter(|_| major == "1")?;
        let known = |v: &Version| v.name()[2..].parse().is_ok_and(|n: u32| n <= minor);
        let newest = Self::ALL.into_iter().rfind(known);
        Some(newest.unwrap_or(Version::V1_14))
    }

    pub(super) fn dialect(self) -> &'static Dialect {
        match self {
            Version::V1_14 => &V1_14,
            Version::V1_17 => &V1_17,
            Version::V1_23 => &V1_23,
            Version::V1_25 => &V1_25,
            Version::V1_30 => &V1_30,
            Version::V1_36 => &V1_36,
        }
    }
}

/// How the releases differ, as far as a value can say it.
#[derive(Debug)]
pub(super) struct Dialect {
    pub chains: Chains,
    /// Ready addresses in the order of the Endpoints object; later, everything in the slices, sorted.
    pub from_slices: bool,
    /// A port without a name leaves a colon behind the Service's name.
    pub colon: bool,
    /// Addresses are written with `/32` or `/128`.
    pub host_prefix: bool,
    /// Of the decimals of `--probability`.
    pub probability: usize,
    pub endpoint_comments: Comments,
    /// MASQUERADE --random-fully, where iptables has it.
    pub random_fully: bool,
    /// KUBE-POSTROUTING clears the mark and KUBE-MARK-MASQ ors it, instead of one rule with `--set-xmark`.
    pub xor_mark: bool,
    /// KUBE-XLB lets the node itself through to all endpoints.
    pub local_short_circuit: bool,
    /// Filter rules that let health checks in.
    pub health_check_rules: bool,
    /// `nf_conntrack_tcp_be_liberal` does away with the drop of INVALID.
    pub heeds_liberal: bool,
    /// A copy of kubelet's KUBE-FIREWALL, and the option to switch localhost NodePorts off.
    pub localhost_option: bool,
    pub nfacct: bool,
    /// detectLocalMode.
    pub local_modes: bool,
    /// internalTrafficPolicy.
    pub internal_policy: bool,
    /// externalTrafficPolicy governs a ClusterIP Service's externalIPs.
    pub external_ips_policy: bool,
    /// ipMode.
    pub ip_mode: bool,
    pub hints: Hints,
    /// Endpoints that serve while they terminate stand in where none is ready.
    pub terminating: bool,
    /// Of two endpoints with one address, the one that runs wins; before, the local one.
    pub running_wins: bool,
    /// A source range of everything among others is as good as no range.
    pub zero_range: bool,
    /// Source ranges keep the bits past their mask.
    pub ranges_as_written: bool,
    /// KUBE-FW ends in a rule that only has a comment.
    pub firewall_note: bool,
    /// No rules for NodePorts where nodePortAddresses selects no address of the node.
    pub node_port_needs_address: bool,
    /// Load balancers' addresses and nodePortAddresses of the other family are not set aside.
    pub family_blind: bool,
    /// Connections of UDP are compared with the endpoints that serve, where there are some; before, whatever led to an
    /// endpoint that went away was deleted.
    pub conntrack_by_state: bool,
}

/// Which chains a Service has beside KUBE-SVC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chains {
    /// KUBE-FW always, KUBE-XLB under policy Local; cluster IPs are marked in KUBE-SERVICES.
    FwXlb,
    /// The same, marked in KUBE-SVC.
    FwXlbMarkInSvc,
    /// KUBE-EXT, KUBE-SVL, and KUBE-FW for source ranges only.
    ExtSvl,
}

/// What the rules that jump to an endpoint say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comments {
    /// Nothing: the result of an `append` was dropped (kubernetes #89660).
    Nothing,
    Service,
    Endpoint,
}

/// When zone hints count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hints {
    Never,
    /// The annotation topology-aware-hints says Auto.
    Auto,
    /// That or topology-mode says anything but Disabled.
    Annotated,
    /// Always, and node hints as well.
    Always,
}

const V1_14: Dialect = Dialect {
    chains: Chains::FwXlb,
    from_slices: false,
    colon: true,
    host_prefix: true,
    probability: 5,
    endpoint_comments: Comments::Nothing,
    random_fully: false,
    xor_mark: false,
    local_short_circuit: false,
    health_check_rules: false,
    heeds_liberal: false,
    localhost_option: false,
    nfacct: false,
    local_modes: false,
    internal_policy: false,
    external_ips_policy: false,
    ip_mode: false,
    hints: Hints::Never,
    terminating: false,
    running_wins: false,
    zero_range: false,
    ranges_as_written: true,
    firewall_note: false,
    node_port_needs_address: false,
    family_blind: true,
    conntrack_by_state: false,
};

const V1_17: Dialect = Dialect {
    probability: 10,
    random_fully: true,
    local_short_circuit: true,
    ..V1_14
};

const V1_23: Dialect = Dialect {
    chains: Chains::FwXlbMarkInSvc,
    from_slices: true,
    colon: false,
    host_prefix: false,
    endpoint_comments: Comments::Service,
    xor_mark: true,
    health_check_rules: true,
    local_modes: true,
    internal_policy: true,
    node_port_needs_address: true,
    family_blind: false,
    ..V1_17
};

const V1_25: Dialect = Dialect {
    chains: Chains::ExtSvl,
    endpoint_comments: Comments::Endpoint,
    hints: Hints::Auto,
    ..V1_23
};

const V1_30: Dialect = Dialect {
    heeds_liberal: true,
    localhost_option: true,
    external_ips_policy: true,
    ip_mode: true,
    hints: Hints::Annotated,
    terminating: true,
    ranges_as_written: false,
    firewall_note: true,
    node_port_needs_address: false,
    ..V1_25
};

const V1_36: Dialect = Dialect {
    nfacct: true,
    hints: Hints::Always,
    running_wins: true,
    zero_range: true,
    conntrack_by_state: true,
    ..V1_30
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_in_between_follows_the_older_one() {
        for (text, version) in [
            ("1.36", Some(Version::V1_36)),
            ("v1.14.8-aliyun.1", Some(Version::V1_14)),
            ("v1.29.3+k3s1", Some(Version::V1_25)),
            ("1.9", Some(Version::V1_14)),
            ("1.99", Some(Version::V1_36)),
            ("2.1", None),
            ("1", None),
        ] {
            assert_eq!(Version::parse(text), version, "{text}");
        }
    }
}
