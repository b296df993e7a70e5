//! The scenarios of `content/scenarios/`, a folder each: `scenario.yaml` has titles, the probe and the seed, all else are the
//! workspace's files.

use super::{FileKind, Probe, ProbeKind, Workspace, parse_probe};
use crate::content;
use crate::say;
use crate::text::{File, FileId, Lang, Say};
use crate::yaml::{self, Node};

/// A workspace to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The name of its folder.
    pub name: &'static str,
}

/// The scenario that a new user sees.
pub const DEFAULT: &str = "article";

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

const FOLDER: &str = "scenarios";
const HEAD: &str = "scenario.yaml";

/// All that [`content`] has.
pub fn scenarios() -> Vec<Scenario> {
    let files = content::folder(FOLDER).into_iter();
    files
        .filter_map(|(path, _)| path.split_once('/').filter(|(_, file)| *file == HEAD))
        .map(|(name, _)| Scenario { name })
        .collect()
}

/// The probe and the seed of a `scenario.yaml`.
pub fn parse(text: &str) -> Result<(Probe, u64), Say> {
    let head = yaml::read(text, FileId(0)).0.into_iter().next();
    let field = |name| head.as_ref().and_then(|h| h.field(name));
    let probe = field("probe").and_then(Node::str);
    let mut probe = parse_probe(probe.ok_or_else(|| say!("texts/scenario-without-probe"))?)?;
    // Headers that are not in the probe's line.
    let headers = field("headers").map(Node::items).unwrap_or_default();
    if let ProbeKind::Http(request) = &mut probe.kind {
        let headers = headers.iter().filter_map(|h| h.str()?.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_string()));
        request.headers.extend(headers);
    }
    let seed = match field("seed") {
        None => 1,
        Some(seed) => {
            // In quotes it may be larger than YAML's own numbers.
            let text = seed.int().map(|n| n.to_string());
            let text = text.or_else(|| seed.str().map(str::to_string));
            let text = text.unwrap_or_default();
            let wrong = |_| say!("texts/scenario-seed", seed = text);
            text.parse().map_err(wrong)?
        }
    };
    Ok((probe, seed))
}

impl Scenario {
    pub fn find(name: &str) -> Option<Scenario> {
        scenarios().into_iter().find(|s| s.name == name)
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
        let name = self.field(&["group"])?;
        Group::ALL.into_iter().find(|g| g.name() == name)
    }

    /// `None` where its files are not there (yet), or its head has no probe or seed, which a test prevents.
    pub fn workspace(&self) -> Option<Workspace> {
        let (probe, seed) = parse(self.head()).ok()?;
        let mut files = content::folder(&format!("{FOLDER}/{}", self.name));
        files.retain(|(name, _)| *name != HEAD);
        files.sort_by_cached_key(|(name, _)| FileKind::of(name));
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| File::new(name, text))
            .collect();
        (!files.is_empty()).then_some(Workspace { files, probe, seed })
    }

    fn head(&self) -> &'static str {
        content::file(&format!("{FOLDER}/{}/{HEAD}", self.name)).unwrap_or_default()
    }

    fn text(&self, field: &str, lang: Lang) -> String {
        self.field(&[field, lang.tag()]).unwrap_or_default()
    }

    fn field(&self, path: &[&str]) -> Option<String> {
        let head = yaml::read(self.head(), FileId(0)).0.into_iter().next()?;
        Some(head.at(path)?.str()?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_a_scenario_and_whole() {
        assert!(Scenario::find(DEFAULT).is_some());
        for (path, _) in content::folder(FOLDER) {
            let name = path.split_once('/').map_or(path, |(name, _)| name);
            assert!(Scenario::find(name).is_some(), "{name} has no {HEAD}");
        }
        let groups = Group::ALL.map(Group::name).join(", ");
        for scenario in scenarios() {
            let name = scenario.name;
            assert!(
                scenario.group().is_some(),
                "{name}: group is one of {groups}"
            );
            let workspace = scenario.workspace().unwrap_or_else(|| panic!("{name}"));
            for file in workspace.files {
                assert_ne!(
                    FileKind::of(&file.name),
                    FileKind::Unknown,
                    "{name}: {}",
                    file.name
                );
            }
            for lang in Lang::ALL {
                assert!(!scenario.title(lang).is_empty() && !scenario.about(lang).is_empty());
            }
        }
    }
}
