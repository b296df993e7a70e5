//! Help for who writes a text: how a word may go on, what a word means, and where what it names is written.

mod definition;
mod docs;
mod fields;
mod iptables;
mod nft;
mod tables;
mod yaml;

pub use definition::definition;

use super::{FileKind, HostFile, Place, Run};
use crate::net::IpFamily;
use crate::say;
use crate::text::{FileId, Say};
use crate::topology::Host;

/// A word that may stand at a place of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub label: String,
    /// What it means, in a line.
    pub about: Option<Say>,
}

/// How a word may go on: the bytes `from..to` of the file are replaced by one of the candidates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    pub from: u32,
    pub to: u32,
    pub candidates: Vec<Candidate>,
}

/// So many are enough to choose from; typing on narrows them.
const MOST: usize = 200;

/// What may stand at a byte of a file. `text` is the file as it is just now, which may be ahead of the run.
pub fn complete(run: &Run, file: FileId, text: &str, offset: u32) -> Completion {
    let Some(at) = At::new(text, offset) else {
        return Completion::default();
    };
    let name = run.files.get(usize::from(file.0)).map_or("", |f| &*f.name);
    let mut candidates = candidates(run, name, &at);
    candidates.retain(|c| c.label.starts_with(at.word) && c.label != at.word);
    candidates.truncate(MOST);
    Completion {
        from: at.start,
        to: offset,
        candidates,
    }
}

/// What the word at a byte of a file means. `None` where there is nothing to say.
pub fn describe(run: &Run, file: FileId, text: &str, offset: u32) -> Option<Say> {
    let start = offset as usize;
    let rest = text.get(start..)?;
    let more = rest.find(ends_word).unwrap_or(rest.len());
    let at = At::new(text, (start + more) as u32)?;
    let name = run.files.get(usize::from(file.0)).map_or("", |f| &*f.name);
    let all = candidates(run, name, &at);
    all.into_iter().find(|c| c.label == at.word)?.about
}

/// All that may stand at a place of a file of that name.
fn candidates(run: &Run, name: &str, at: &At<'_>) -> Vec<Candidate> {
    match FileKind::of(name) {
        FileKind::Host(place, HostFile::IptablesSave) => {
            iptables::candidates(at, IpFamily::V4, host(run, &place))
        }
        FileKind::Host(place, HostFile::Ip6tablesSave) => {
            iptables::candidates(at, IpFamily::V6, host(run, &place))
        }
        FileKind::Host(place, HostFile::NftRuleset) => nft::candidates(at, host(run, &place)),
        FileKind::Host(place, HostFile::IpRoute) => routes(at, host(run, &place)),
        FileKind::Host(place, HostFile::IpRule | HostFile::Ip6Rule) => {
            tables::rules(at, host(run, &place))
        }
        FileKind::Host(_, HostFile::Sockets) => tables::sockets(at),
        FileKind::Manifests => yaml::candidates(run, at, None),
        FileKind::Client => yaml::candidates(run, at, Some("client")),
        FileKind::LoadBalancer => yaml::candidates(run, at, Some("balancer")),
        FileKind::Vpc => yaml::candidates(run, at, Some("vpc")),
        _ => Vec::new(),
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ':' | ',' | '"' | '\'' | '{' | '}' | '[' | ']')
}

/// A place in a text: its line up to there, and the word that is being written.
struct At<'a> {
    text: &'a str,
    /// Where the line begins.
    line_start: usize,
    /// The line before the word.
    before: &'a str,
    word: &'a str,
    start: u32,
}

impl<'a> At<'a> {
    fn new(text: &'a str, offset: u32) -> Option<Self> {
        let head = text.get(..offset as usize)?;
        let line_start = head.rfind('\n').map_or(0, |at| at + 1);
        let line = head.get(line_start..)?;
        let word = line.rfind(ends_word).map_or(0, |at| {
            at + line
                .get(at..)
                .and_then(|l| l.chars().next())
                .map_or(1, char::len_utf8)
        });
        Some(Self {
            text,
            line_start,
            before: line.get(..word)?,
            word: line.get(word..)?,
            start: (line_start + word) as u32,
        })
    }

    fn lines_before(&self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.text.get(..self.line_start).unwrap_or("").lines()
    }
}

fn plain(labels: &[&str]) -> Vec<Candidate> {
    let all = labels.iter().map(|label| Candidate {
        label: (*label).to_string(),
        about: None,
    });
    all.collect()
}

fn host<'a>(run: &'a Run, place: &Place) -> Option<&'a Host> {
    let (Place::Node(name) | Place::Pod(name)) = place;
    run.world.hosts.iter().find(|h| *h.name == **name)
}

fn interfaces(host: Option<&Host>) -> Vec<Candidate> {
    let all = host.into_iter().flat_map(|host| {
        host.interfaces.iter().map(|i| Candidate {
            label: i.name.to_string(),
            about: Some(say!("assist/interface", host = host.name)),
        })
    });
    all.collect()
}

/// A line of `ip route`.
fn routes(at: &At<'_>, host: Option<&Host>) -> Vec<Candidate> {
    let mut words = at.before.split_whitespace().rev();
    match words.next() {
        Some("dev") => interfaces(host),
        Some("scope") => plain(&["link", "host", "global"]),
        Some("proto") => plain(&["kernel", "static", "boot", "bird", "dhcp"]),
        Some("table") => plain(&["main", "local", "default"]),
        Some("via" | "src" | "metric" | "mtu") => Vec::new(),
        _ => {
            let words = docs::ROUTE.iter().filter(|w| {
                let starts = matches!(**w, "default" | "blackhole" | "unreachable" | "nexthop");
                starts == at.before.trim().is_empty()
            });
            let all = words.map(|word| Candidate {
                label: (*word).to_string(),
                about: docs::route(word),
            });
            all.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{DEFAULT, Scenario, run};

    /// Completes at the bar in a line that is added to a file.
    #[track_caller]
    fn offered(file: &str, before: &str, line: &str) -> Vec<String> {
        let workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        let run = run(&workspace);
        let at = run.files.iter().position(|f| &*f.name == file).unwrap();
        let text = format!("{before}{}", line.replace('|', ""));
        let offset = before.len() + line.find('|').unwrap();
        let found = complete(&run, FileId(at as u16), &text, offset as u32);
        found.candidates.into_iter().map(|c| c.label).collect()
    }

    const RULES: &str = "nodes/work001/iptables-save.txt";

    #[test]
    fn a_rule_is_completed_by_what_stands_before() {
        let table = "*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-MINE - [0:0]\n";
        assert_eq!(offered(RULES, table, "-A KUBE-M|"), ["KUBE-MINE"]);
        assert!(offered(RULES, table, "-A PREROUTING -j KUBE|").contains(&"KUBE-MINE".to_string()));
        assert!(offered(RULES, table, "-A PREROUTING -j D|").contains(&"DNAT".to_string()));
        assert_eq!(
            offered(RULES, table, "-A PREROUTING -m addr|"),
            ["addrtype"]
        );
        assert!(
            offered(RULES, table, "-A PREROUTING -m addrtype --dst|")
                .contains(&"--dst-type".to_string())
        );
        assert!(
            offered(RULES, table, "-A PREROUTING -p tcp --dp|").contains(&"--dport".to_string())
        );
        assert!(offered(RULES, table, "-A PREROUTING -i cn|").contains(&"cni0".to_string()));
    }

    #[test]
    fn a_route_is_completed() {
        let file = "nodes/work001/ip-route.txt";
        assert_eq!(offered(file, "", "def|"), ["default"]);
        assert_eq!(offered(file, "", "default via 1.2.3.4 de|"), ["dev"]);
        assert!(offered(file, "", "default via 1.2.3.4 dev e|").contains(&"eth0".to_string()));
    }

    #[test]
    fn our_own_files_and_other_tools_are_completed() {
        let offers = |file: &str, before: &str, line: &str, wanted: &str| {
            let found = offered(file, before, line);
            assert!(found.iter().any(|f| f == wanted), "{wanted}: {found:?}");
        };
        offers("client.yaml", "", "gate|", "gateway");
        let listener = "listeners:\n- address: 1.2.3.4\n  port: 80\n";
        offers("load-balancer.yaml", listener, "  sched|", "scheduler");
        offers(
            "load-balancer.yaml",
            listener,
            "  backends: [{node: a, wei|",
            "weight",
        );
        offers("load-balancer.yaml", "", "forwarding: full|", "full-nat");
        offers("vpc.yaml", "routes:\n", "- {to: 10.0.0.0/8, v|", "via");
        offers("nodes/work001/ss.txt", "", "tcp LIS|", "LISTEN");
        let at = |text: &str| {
            let offset = text.find('|').unwrap();
            let text = text.replace('|', "");
            let at = At::new(&text, offset as u32).unwrap();
            let all = nft::candidates(&at, None)
                .into_iter()
                .chain(tables::rules(&at, None));
            let fitting = all.filter(|c| c.label.starts_with(at.word));
            fitting.map(|c| c.label).collect::<Vec<_>>()
        };
        let table = "table ip nat {\n  set known { type ipv4_addr; }\n  chain mine {\n  }\n  chain out {\n    ";
        assert_eq!(at(&format!("{table}jump mi|")), ["mine"]);
        assert_eq!(at(&format!("{table}ip saddr @kn|")), ["@known"]);
        assert_eq!(at(&format!("{table}tcp dp|")), ["dport"]);
        assert_eq!(at(&format!("{table}masq|")), ["masquerade"]);
        assert_eq!(at("tab|"), ["table"]);
        assert_eq!(at("100: from all fw|"), ["fwmark"]);
    }

    #[test]
    fn nothing_panics_wherever_the_cursor_is() {
        let workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        let run = run(&workspace);
        for (at, file) in run.files.iter().enumerate() {
            for offset in (0..file.text.len() as u32 + 3).step_by(7) {
                complete(&run, FileId(at as u16), &file.text, offset);
                describe(&run, FileId(at as u16), &file.text, offset);
                definition(&run, FileId(at as u16), offset);
            }
        }
    }
}
