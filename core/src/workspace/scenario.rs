//! The scenarios of `content/scenarios/`, a folder each: `scenario.yaml` has titles, the probe and the seed, all else are the
//! workspace's files.

use super::{Probe, Workspace, parse_probe};
use crate::say;
use crate::text::{File, FileId, Lang, Say};
use crate::yaml::{self, Node};

/// A workspace to start from.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name of its folder.
    pub name: &'static str,
    about: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// The scenario that a new user sees.
pub const DEFAULT: &str = "article";

pub fn scenarios() -> &'static [Scenario] {
    &SCENARIOS
}

macro_rules! scenario {
    ($name:literal: $($file:literal),* $(,)?) => {
        Scenario {
            name: $name,
            about: include_str!(concat!("../../../content/scenarios/", $name, "/scenario.yaml")),
            files: &[$((
                $file,
                include_str!(concat!("../../../content/scenarios/", $name, "/", $file)),
            )),*],
        }
    };
}

static SCENARIOS: [Scenario; 1] = [scenario!("article":
    "client.yaml",
    "load-balancer.yaml",
    "vpc.yaml",
    "kubectl-get-nodes.txt",
    "kubectl-get-pods.txt",
    "kubectl-get-svc.txt",
    "nodes/work001/iptables-save.txt",
    "nodes/work001/ip-route.txt",
    "nodes/work001/brctl-show.txt",
    "nodes/work001/ip-addr.txt",
    "nodes/work001/sysctl.txt",
    "nodes/work001/ss.txt",
    "nodes/work002/iptables-save.txt",
    "nodes/work002/ip-route.txt",
    "nodes/work002/brctl-show.txt",
    "nodes/work002/ip-addr.txt",
    "nodes/work002/sysctl.txt",
    "nodes/work002/ss.txt",
    "pods/istio-ingressgateway-84b4868f6b-9xnts/ip-route.txt",
    "pods/istio-ingressgateway-84b4868f6b-9xnts/ip-addr.txt",
    "pods/istio-ingressgateway-84b4868f6b-9xnts/ss.txt",
    "pods/istio-ingressgateway-84b4868f6b-qxz5t/ip-route.txt",
    "pods/istio-ingressgateway-84b4868f6b-qxz5t/ip-addr.txt",
    "pods/istio-ingressgateway-84b4868f6b-qxz5t/ss.txt",
    "pods/caf-sample-mesh-tomcat-77ff76b78f-fhgcl/ip-route.txt",
    "pods/caf-sample-mesh-tomcat-77ff76b78f-fhgcl/ip-addr.txt",
    "pods/caf-sample-mesh-tomcat-77ff76b78f-fhgcl/ss.txt",
    "pods/zookeeper-854f49888f-4zhhk/ip-route.txt",
    "pods/zookeeper-854f49888f-4zhhk/ip-addr.txt",
    "pods/zookeeper-854f49888f-4zhhk/ss.txt",
)];

/// The probe and the seed of a `scenario.yaml`.
pub fn parse(text: &str) -> Result<(Probe, u64), Say> {
    let head = yaml::read(text, FileId(0)).0.into_iter().next();
    let field = |name| head.as_ref().and_then(|h| h.field(name));
    let probe = field("probe").and_then(Node::str);
    let probe = parse_probe(probe.ok_or_else(|| say!("texts/scenario-without-probe"))?)?;
    let seed = field("seed").and_then(Node::int).unwrap_or(1);
    let seed = u64::try_from(seed).map_err(|_| say!("texts/scenario-seed", seed = seed))?;
    Ok((probe, seed))
}

impl Scenario {
    pub fn find(name: &str) -> Option<Scenario> {
        SCENARIOS.iter().find(|s| s.name == name).copied()
    }

    pub fn title(&self, lang: Lang) -> String {
        self.text("title", lang)
    }

    /// A paragraph on what it shows.
    pub fn about(&self, lang: Lang) -> String {
        self.text("about", lang)
    }

    /// `None` where its folder is not whole, which a test prevents.
    pub fn workspace(&self) -> Option<Workspace> {
        let (probe, seed) = parse(self.about).ok()?;
        let files = self.files.iter().map(|(name, text)| File::new(name, text));
        Some(Workspace {
            files: files.collect(),
            probe,
            seed,
        })
    }

    fn head(&self) -> Option<Node> {
        yaml::read(self.about, FileId(0)).0.into_iter().next()
    }

    fn text(&self, field: &str, lang: Lang) -> String {
        let head = self.head();
        let text = head
            .as_ref()
            .and_then(|h| h.at(&[field, lang.tag()])?.str());
        text.unwrap_or_default().to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn names(dir: &Path, base: &Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, base, out);
            } else {
                let inside = path.strip_prefix(base).unwrap();
                out.push(inside.to_str().unwrap().replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_folder_is_a_scenario_and_whole() {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/scenarios");
        for entry in std::fs::read_dir(&content).unwrap() {
            let dir = entry.unwrap().path();
            let name = dir.file_name().unwrap().to_str().unwrap();
            let scenario = Scenario::find(name).unwrap_or_else(|| panic!("{name} is not listed"));
            let mut there = Vec::new();
            names(&dir, &dir, &mut there);
            there.retain(|f| f != "scenario.yaml");
            let mut listed: Vec<_> = scenario.files.iter().map(|f| f.0.to_string()).collect();
            there.sort();
            listed.sort();
            assert_eq!(there, listed);
            assert!(scenario.workspace().is_some(), "{name}: probe or seed");
            for lang in Lang::ALL {
                assert!(!scenario.title(lang).is_empty() && !scenario.about(lang).is_empty());
            }
        }
    }
}
