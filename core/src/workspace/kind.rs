use std::fmt;

use crate::netfilter::TableName;
use crate::say;
use crate::text::Say;

/// What a file is, by its place and name. These names are part of shared links: they stay.
///
/// ```text
/// client.yaml  load-balancer.yaml  vpc.yaml
/// cluster.yaml  manifests/NAME.yaml
/// kubectl-get-pods.txt  kubectl-get-svc.txt  kubectl-get-nodes.txt
/// nodes/NODE/FILE  pods/POD/FILE  pods/NAMESPACE/POD/FILE
/// ```
///
/// with a [`HostFile`]'s name for `FILE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    Client,
    LoadBalancer,
    Vpc,
    /// What a cluster is made of; most other files can be generated from it.
    Manifests,
    KubectlPods,
    KubectlServices,
    KubectlNodes,
    Host(Place, HostFile),
    /// Kept, and not read.
    Unknown,
}

/// The machine that a text was taken from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Node(String),
    /// `POD`, or `NAMESPACE/POD` outside of namespace `default`.
    Pod(String),
}

impl Place {
    pub fn name(&self) -> &str {
        match self {
            Place::Node(name) | Place::Pod(name) => name,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Node(name) => write!(f, "nodes/{name}"),
            Place::Pod(name) => write!(f, "pods/{name}"),
        }
    }
}

/// What a command printed on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostFile {
    IptablesSave,
    Ip6tablesSave,
    /// `iptables -L` or `-S` of one table.
    IptablesList(TableName),
    NftRuleset,
    IpsetSave,
    IpAddr,
    IpRoute,
    IpRule,
    Ip6Rule,
    IpNeigh,
    BrctlShow,
    BridgeLink,
    BridgeFdb,
    Sockets,
    Sysctl,
    /// Of the Envoy in a Pod.
    ConfigDump,
}

impl HostFile {
    pub const ALL: [HostFile; 20] = [
        HostFile::IptablesSave,
        HostFile::Ip6tablesSave,
        HostFile::IptablesList(TableName::Raw),
        HostFile::IptablesList(TableName::Mangle),
        HostFile::IptablesList(TableName::Nat),
        HostFile::IptablesList(TableName::Filter),
        HostFile::IptablesList(TableName::Security),
        HostFile::NftRuleset,
        HostFile::IpsetSave,
        HostFile::IpAddr,
        HostFile::IpRoute,
        HostFile::IpRule,
        HostFile::Ip6Rule,
        HostFile::IpNeigh,
        HostFile::BrctlShow,
        HostFile::BridgeLink,
        HostFile::BridgeFdb,
        HostFile::Sockets,
        HostFile::Sysctl,
        HostFile::ConfigDump,
    ];

    pub fn file_name(self) -> &'static str {
        match self {
            HostFile::IptablesSave => "iptables-save.txt",
            HostFile::Ip6tablesSave => "ip6tables-save.txt",
            HostFile::IptablesList(table) => match table {
                TableName::Raw => "iptables-list-raw.txt",
                TableName::Mangle => "iptables-list-mangle.txt",
                TableName::Nat => "iptables-list-nat.txt",
                TableName::Filter => "iptables-list-filter.txt",
                TableName::Security => "iptables-list-security.txt",
            },
            HostFile::NftRuleset => "nft-ruleset.txt",
            HostFile::IpsetSave => "ipset-save.txt",
            HostFile::IpAddr => "ip-addr.txt",
            HostFile::IpRoute => "ip-route.txt",
            HostFile::IpRule => "ip-rule.txt",
            HostFile::Ip6Rule => "ip-6-rule.txt",
            HostFile::IpNeigh => "ip-neigh.txt",
            HostFile::BrctlShow => "brctl-show.txt",
            HostFile::BridgeLink => "bridge-link.txt",
            HostFile::BridgeFdb => "bridge-fdb.txt",
            HostFile::Sockets => "ss.txt",
            HostFile::Sysctl => "sysctl.txt",
            HostFile::ConfigDump => "config-dump.json",
        }
    }

    /// The command that prints such a text.
    pub fn command(self) -> &'static str {
        match self {
            HostFile::IptablesSave => "iptables-save -c",
            HostFile::Ip6tablesSave => "ip6tables-save -c",
            HostFile::IptablesList(table) => match table {
                TableName::Raw => "iptables -t raw -L -n -v",
                TableName::Mangle => "iptables -t mangle -L -n -v",
                TableName::Nat => "iptables -t nat -L -n -v",
                TableName::Filter => "iptables -t filter -L -n -v",
                TableName::Security => "iptables -t security -L -n -v",
            },
            HostFile::NftRuleset => "nft list ruleset",
            HostFile::IpsetSave => "ipset save",
            HostFile::IpAddr => "ip -d addr",
            HostFile::IpRoute => "ip route show table all",
            HostFile::IpRule => "ip rule",
            HostFile::Ip6Rule => "ip -6 rule",
            HostFile::IpNeigh => "ip neigh",
            HostFile::BrctlShow => "brctl show",
            HostFile::BridgeLink => "bridge -d link",
            HostFile::BridgeFdb => "bridge fdb",
            HostFile::Sockets => "ss -lntup",
            HostFile::Sysctl => "sysctl -a",
            HostFile::ConfigDump => "pilot-agent request GET config_dump?include_eds",
        }
    }

    fn title(self) -> Say {
        match self {
            HostFile::IptablesSave | HostFile::IptablesList(_) => say!("texts/title-iptables"),
            HostFile::Ip6tablesSave => say!("texts/title-ip6tables"),
            HostFile::NftRuleset => say!("texts/title-nft"),
            HostFile::IpsetSave => say!("texts/title-ipset"),
            HostFile::BridgeFdb => say!("texts/title-fdb"),
            HostFile::IpAddr => say!("texts/title-addr"),
            HostFile::IpRoute => say!("texts/title-route"),
            HostFile::IpRule | HostFile::Ip6Rule => say!("texts/title-rule"),
            HostFile::IpNeigh => say!("texts/title-neigh"),
            HostFile::BrctlShow | HostFile::BridgeLink => say!("texts/title-bridge"),
            HostFile::Sockets => say!("texts/title-sockets"),
            HostFile::Sysctl => say!("texts/title-sysctl"),
            HostFile::ConfigDump => say!("texts/title-config-dump"),
        }
    }
}

impl FileKind {
    pub fn of(name: &str) -> Self {
        match name {
            "client.yaml" => return FileKind::Client,
            "load-balancer.yaml" => return FileKind::LoadBalancer,
            "vpc.yaml" => return FileKind::Vpc,
            "cluster.yaml" => return FileKind::Manifests,
            "kubectl-get-pods.txt" => return FileKind::KubectlPods,
            "kubectl-get-svc.txt" => return FileKind::KubectlServices,
            "kubectl-get-nodes.txt" => return FileKind::KubectlNodes,
            _ => {}
        }
        let parts: Vec<_> = name.split('/').collect();
        let (place, file) = match parts[..] {
            _ if parts.contains(&"") => return FileKind::Unknown,
            ["manifests", file] if is_manifest(file) => return FileKind::Manifests,
            ["nodes", node, file] => (Place::Node(node.to_string()), file),
            ["pods", pod, file] => (Place::Pod(pod.to_string()), file),
            ["pods", "default", pod, file] => (Place::Pod(pod.to_string()), file),
            ["pods", namespace, pod, file] => (Place::Pod(format!("{namespace}/{pod}")), file),
            _ => return FileKind::Unknown,
        };
        let known = HostFile::ALL.into_iter().find(|f| f.file_name() == file);
        known.map_or(FileKind::Unknown, |file| FileKind::Host(place, file))
    }

    /// What it holds, for people.
    pub fn title(&self) -> Say {
        match self {
            FileKind::Client => say!("texts/title-client"),
            FileKind::LoadBalancer => say!("texts/title-balancer"),
            FileKind::Vpc => say!("texts/title-vpc"),
            FileKind::Manifests => say!("manifest/title"),
            FileKind::KubectlPods => say!("texts/title-pods"),
            FileKind::KubectlServices => say!("texts/title-services"),
            FileKind::KubectlNodes => say!("texts/title-nodes"),
            FileKind::Host(_, file) => file.title(),
            FileKind::Unknown => say!("texts/title-unknown"),
        }
    }

    /// The command that prints such a text; none for what is YAML of our own.
    pub fn command(&self) -> Option<&'static str> {
        match self {
            FileKind::KubectlPods => Some("kubectl get pods -o wide"),
            FileKind::KubectlServices => Some("kubectl get svc -o wide"),
            FileKind::KubectlNodes => Some("kubectl get nodes -o wide"),
            FileKind::Host(_, file) => Some(file.command()),
            FileKind::Manifests => Some("kubectl get svc,endpointslices,nodes,pods -A -o yaml"),
            FileKind::Client | FileKind::LoadBalancer | FileKind::Vpc | FileKind::Unknown => None,
        }
    }
}

fn is_manifest(file: &str) -> bool {
    let end = file.rsplit_once('.').map(|(_, end)| end);
    matches!(end, Some("yaml" | "yml" | "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_what_a_file_is() {
        let host = |place, file| FileKind::Host(place, file);
        let node = || Place::Node("work001".to_string());
        for (name, kind) in [
            ("vpc.yaml", FileKind::Vpc),
            ("cluster.yaml", FileKind::Manifests),
            ("manifests/web.yml", FileKind::Manifests),
            ("manifests/web.txt", FileKind::Unknown),
            (
                "nodes/work001/ip-route.txt",
                host(node(), HostFile::IpRoute),
            ),
            ("nodes/work001/notes.txt", FileKind::Unknown),
            ("nodes//ip-route.txt", FileKind::Unknown),
            (
                "pods/web-1/ss.txt",
                host(Place::Pod("web-1".to_string()), HostFile::Sockets),
            ),
            (
                "pods/kube-system/dns/ss.txt",
                host(Place::Pod("kube-system/dns".to_string()), HostFile::Sockets),
            ),
            (
                "pods/default/web-1/ss.txt",
                host(Place::Pod("web-1".to_string()), HostFile::Sockets),
            ),
        ] {
            assert_eq!(FileKind::of(name), kind, "{name}");
        }
    }
}
