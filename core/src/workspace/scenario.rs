//! The scenarios of `content/scenarios/`, a folder each: `scenario.yaml` has titles, the probe and the seed, all else are the
//! workspace's files.

use super::{Probe, Workspace, parse_probe};
use crate::say;
use crate::text::{File, FileId, Lang, Say};
use crate::yaml::{self, Node};

/// A workspace to start from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// The name of its folder.
    pub name: &'static str,
    about: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// The scenario that a new user sees.
pub const DEFAULT: &str = "article";

pub fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

/// What a scenario is about: how a gallery arranges them, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The article's cluster.
    Article,
    /// What kube-proxy makes of a Service.
    Service,
    /// Pods and nodes, and the networks between them.
    Network,
    /// The cloud's load balancers.
    Cloud,
    /// Through the ingress gateway: Gateway, VirtualService, Gateway API.
    Gateway,
    /// Sidecars.
    Mesh,
    /// What goes wrong.
    Trouble,
}

impl Group {
    pub const ALL: [Group; 7] = [
        Group::Article,
        Group::Service,
        Group::Network,
        Group::Cloud,
        Group::Gateway,
        Group::Mesh,
        Group::Trouble,
    ];

    /// As `group:` of a `scenario.yaml` names it.
    pub fn name(self) -> &'static str {
        match self {
            Group::Article => "article",
            Group::Service => "service",
            Group::Network => "network",
            Group::Cloud => "cloud",
            Group::Gateway => "gateway",
            Group::Mesh => "mesh",
            Group::Trouble => "trouble",
        }
    }

    pub fn title(self) -> Say {
        match self {
            Group::Article => say!("texts/group-article"),
            Group::Service => say!("texts/group-service"),
            Group::Network => say!("texts/group-network"),
            Group::Cloud => say!("texts/group-cloud"),
            Group::Gateway => say!("texts/group-gateway"),
            Group::Mesh => say!("texts/group-mesh"),
            Group::Trouble => say!("texts/group-trouble"),
        }
    }
}

// Written by `build.rs`: a folder of `content/scenarios/` is a scenario.
static SCENARIOS: &[Scenario] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

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
    pub fn find(name: &str) -> Option<&'static Scenario> {
        scenarios().iter().find(|s| s.name == name)
    }

    pub fn title(&self, lang: Lang) -> String {
        self.text("title", lang)
    }

    /// A paragraph on what it shows.
    pub fn about(&self, lang: Lang) -> String {
        self.text("about", lang)
    }

    /// `None` where its `scenario.yaml` names none that there is, which a test prevents.
    pub fn group(&self) -> Option<Group> {
        let head = self.head()?;
        let name = head.field("group")?.str()?;
        Group::ALL.into_iter().find(|g| g.name() == name)
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
    use super::*;

    #[test]
    fn every_scenario_is_whole() {
        assert!(Scenario::find(DEFAULT).is_some());
        let groups = Group::ALL.map(Group::name).join(", ");
        for scenario in scenarios() {
            let name = scenario.name;
            assert!(
                scenario.group().is_some(),
                "{name}: group is one of {groups}"
            );
            assert!(scenario.workspace().is_some(), "{name}: probe or seed");
            for lang in Lang::ALL {
                let tag = lang.tag();
                assert!(!scenario.title(lang).is_empty(), "{name}: title in {tag}");
                assert!(!scenario.about(lang).is_empty(), "{name}: about in {tag}");
            }
        }
    }

    #[test]
    fn a_scenario_holds_the_files_of_its_folder() {
        let files = Scenario::find(DEFAULT).unwrap().workspace().unwrap().files;
        let names: Vec<_> = files.iter().map(|f| &*f.name).collect();
        assert_eq!(names[0], "client.yaml");
        assert!(names.contains(&"nodes/work001/iptables-save.txt"));
        assert!(!names.contains(&"scenario.yaml"));
    }
}
