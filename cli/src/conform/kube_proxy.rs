//! Clusters of kube-proxy's corpus: each case is a document about the host, kube-proxy's configuration, and the cluster.

use std::fs;
use std::path::Path;

use northsouth::control::kube_proxy::{
    HostFacts, Proxier, Version, View, health, iptables, nftables,
};
use northsouth::manifest::{
    IpFamily, KubeProxyConfiguration, Manifests, Node, Other, ProxyMode, parse_cidr,
};
use northsouth::text::{FileId, Lang, Severity};
use northsouth::yaml;

use serde_json::{Value, json};

pub(super) fn run(from: &Path, to: &Path) -> Result<(), String> {
    let said = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| format!("{path}: {e}")
    };
    let inputs = from.join("inputs");
    for entry in fs::read_dir(&inputs).map_err(said(&inputs))? {
        let path = entry.map_err(said(&inputs))?.path();
        let stem = path.file_stem().and_then(|s| s.to_str());
        let Some(name) = stem.filter(|_| path.extension().is_some_and(|e| e == "yaml")) else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(said(&path))?;
        let case = Case::read(&text).map_err(|e| format!("{name}: {e}"))?;
        for (folder, file, text) in case.answers(name) {
            let folder = to.join(folder);
            fs::create_dir_all(&folder).map_err(said(&folder))?;
            let out = folder.join(file);
            fs::write(&out, text).map_err(said(&out))?;
        }
    }
    Ok(())
}

struct Case {
    cluster: Manifests,
    config: KubeProxyConfiguration,
    node: usize,
    families: Vec<IpFamily>,
    host: HostFacts,
}

impl Case {
    fn read(text: &str) -> Result<Case, String> {
        let mut cluster = Manifests::default();
        let diagnostics = northsouth::manifest::read(text, FileId(0), &mut cluster);
        for diagnostic in diagnostics.iter().filter(|d| d.severity == Severity::Error) {
            eprintln!("{}", diagnostic.message.text(Lang::En));
        }
        let oracle = cluster.others.iter().find(|o| &*o.kind == "OracleCase");
        let spec = oracle
            .and_then(|o: &Other| o.node.field("spec"))
            .ok_or("no OracleCase")?;
        let name = spec.field("nodeName").and_then(|n| n.str()).unwrap_or("");
        let of_name = |n: &Node| *n.meta.name == *name;
        let node = cluster.nodes.iter().position(of_name).ok_or("no Node")?;
        let config = match cluster.kube_proxy.first() {
            Some(config) => config.clone(),
            None => KubeProxyConfiguration::new(Default::default()),
        };
        Ok(Case {
            config,
            node,
            families: families(spec),
            host: host(spec),
            cluster,
        })
    }

    /// Folder, file and text of each answer.
    fn answers(&self, name: &str) -> Vec<(String, String, String)> {
        let mut answers = Vec::new();
        for version in Version::ALL {
            let newest = version == Version::V1_36;
            // The older releases were run for IPv4 alone, and for the detection by clusterCIDR that all of them have.
            if !newest && !self.old_releases_know(name) {
                continue;
            }
            let (host, config) = match newest {
                true => (self.host.clone(), self.config.clone()),
                false => self.for_old_releases(),
            };
            let folder = match newest {
                true => "iptables".to_string(),
                false => format!("iptables-v{}", version.name()),
            };
            for family in &self.families {
                let proxier = self.proxier(version, ProxyMode::Iptables, &config, &host);
                let view = self.view(proxier, *family);
                let file = self.file(name, *family, "rules");
                answers.push((folder.clone(), file, iptables::rules(&view).text()));
            }
        }
        for family in &self.families {
            let mode = ProxyMode::Nftables;
            let proxier = self.proxier(Version::V1_36, mode, &self.config, &self.host);
            let table = nftables::rules(&self.view(proxier, *family));
            let file = self.file(name, *family, "nft");
            answers.push((
                "nftables-state".into(),
                file,
                table.commands().text().into(),
            ));
        }
        let health = self.families.iter().map(|f| self.health(*f)).collect();
        let text = format!("{}\n", Value::Array(health));
        answers.push(("meta".into(), format!("{name}.json"), text));
        answers
    }

    /// What the health servers know.
    fn health(&self, family: IpFamily) -> Value {
        let mode = ProxyMode::Iptables;
        let proxier = self.proxier(Version::V1_36, mode, &self.config, &self.host);
        let view = self.view(proxier, family);
        let health = health(&view);
        let mut node_ports = json!({});
        for ((namespace, name), port) in health.node_ports {
            node_ports[format!("{namespace}/{name}")] = json!(port);
        }
        let mut ready = json!({});
        for ((namespace, name), count) in health.local_ready {
            ready[format!("{namespace}/{name}")] = json!(count);
        }
        json!({
            "family": family.name(),
            "healthCheckNodePorts": node_ports,
            "localReadyEndpoints": ready,
            "servicePorts": view.ports.len(),
        })
    }

    fn proxier<'a>(
        &'a self,
        version: Version,
        mode: ProxyMode,
        config: &'a KubeProxyConfiguration,
        host: &'a HostFacts,
    ) -> Proxier<'a> {
        Proxier {
            version,
            mode,
            config,
            node: &self.cluster.nodes[self.node],
            host,
        }
    }

    fn view<'a>(&'a self, proxier: Proxier<'a>, family: IpFamily) -> View<'a> {
        let (services, slices) = (&self.cluster.services, &self.cluster.endpoint_slices);
        View::new(services, slices, proxier, family)
    }

    fn file(&self, name: &str, family: IpFamily, end: &str) -> String {
        match (self.families.len(), family) {
            (1, _) => format!("{name}.{end}"),
            (_, IpFamily::V4) => format!("{name}.v4.{end}"),
            (_, IpFamily::V6) => format!("{name}.v6.{end}"),
        }
    }

    fn old_releases_know(&self, name: &str) -> bool {
        use northsouth::manifest::DetectLocalMode;
        self.families == [IpFamily::V4]
            && self.config.detect_local.value == DetectLocalMode::ClusterCidr
            && self
                .config
                .node_port_addresses
                .iter()
                .all(|a| a.value.is_some())
            && !name.starts_with("scale-")
    }

    /// The older releases' driver passed on no flags of the host.
    fn for_old_releases(&self) -> (HostFacts, KubeProxyConfiguration) {
        let host = HostFacts::new(self.host.addresses.clone());
        let mut config = self.config.clone();
        config.localhost_node_ports.value = true;
        (host, config)
    }
}

fn families(spec: &yaml::Node) -> Vec<IpFamily> {
    let list = spec
        .field("ipFamilies")
        .map(|n| n.items())
        .unwrap_or_default();
    list.iter()
        .filter_map(|f| match f.str()? {
            "IPv4" => Some(IpFamily::V4),
            "IPv6" => Some(IpFamily::V6),
            _ => None,
        })
        .collect()
}

fn host(spec: &yaml::Node) -> HostFacts {
    let list = |key| {
        spec.field(key)
            .map(|n| n.items())
            .unwrap_or_default()
            .iter()
    };
    let flag = |key, default| spec.field(key).and_then(|n| n.bool()).unwrap_or(default);
    let address = |n: &yaml::Node| northsouth::manifest::parse_ip(n.str()?.split('/').next()?);
    HostFacts {
        random_fully: flag("iptablesRandomFully", true),
        conntrack_tcp_liberal: flag("conntrackTCPBeLiberal", false),
        nfacct: flag("nfacct", false),
        service_cidrs: list("serviceCIDRs")
            .filter_map(|n| parse_cidr(n.str()?))
            .collect(),
        ..HostFacts::new(list("hostAddresses").filter_map(address).collect())
    }
}
