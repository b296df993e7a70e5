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
use crate::text::{FileId, Say, Span};
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

/// A line as it is just now, perhaps ahead of what was read of its file, and where it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The byte of the file that was read at which it begins.
    pub start: u32,
    pub text: &'a str,
    /// A byte of the line.
    pub at: u32,
}

/// What may stand at a place of a line. The bytes of the answer are the line's.
pub fn complete(run: &Run, file: FileId, line: Line<'_>) -> Completion {
    let Some(at) = At::new(run, file, line) else {
        return Completion::default();
    };
    let mut candidates = candidates(run, file, &at);
    candidates.retain(|c| c.label.starts_with(at.word) && c.label != at.word);
    candidates.truncate(MOST);
    Completion {
        from: at.before.len() as u32,
        to: line.at,
        candidates,
    }
}

/// What the word at a place of a line means. `None` where there is nothing to say.
pub fn describe(run: &Run, file: FileId, line: Line<'_>) -> Option<Say> {
    let rest = line.text.get(line.at as usize..)?;
    let more = rest.find(ends_word).unwrap_or(rest.len());
    let end = Line {
        at: line.at + more as u32,
        ..line
    };
    let at = At::new(run, file, end)?;
    let all = candidates(run, file, &at);
    all.into_iter().find(|c| c.label == at.word)?.about
}

/// All that may stand at a place of a file.
fn candidates(run: &Run, file: FileId, at: &At<'_>) -> Vec<Candidate> {
    let name = run.files.get(file.index()).map_or("", |f| &*f.name);
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

/// A place in a text: what was read above and below its line, the line up to there, and the word that is being written.
struct At<'a> {
    file: FileId,
    above: &'a str,
    below: &'a str,
    /// The line before the word.
    before: &'a str,
    word: &'a str,
}

impl<'a> At<'a> {
    fn new(run: &'a Run, file: FileId, line: Line<'a>) -> Option<Self> {
        let read = &run.files.get(file.index())?.text;
        // What was read may be shorter by now.
        let (above, rest) = read
            .split_at_checked(line.start as usize)
            .unwrap_or((read, ""));
        let below = rest.split_once('\n').map_or("", |(_, below)| below);
        let head = line.text.get(..line.at as usize)?;
        let word = head.rfind(ends_word).map_or(0, |at| {
            let rest = head.get(at..).unwrap_or_default();
            at + rest.chars().next().map_or(1, char::len_utf8)
        });
        let (before, word) = head.split_at_checked(word)?;
        Some(Self {
            file,
            above,
            below,
            before,
            word,
        })
    }

    /// Of the places at which something begins, the last one above the line.
    fn last_above<T>(&self, all: impl Iterator<Item = (Span, T)>) -> Option<(Span, T)> {
        let here = |span: &Span| span.file == self.file && (span.start as usize) < self.above.len();
        all.filter(|(span, _)| here(span))
            .max_by_key(|(span, _)| span.start)
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
    use crate::text::File;
    use crate::workspace::{DEFAULT, Scenario, run};

    /// Completes at the bar in a line that is added to a file.
    #[track_caller]
    fn offered(file: &str, before: &str, line: &str) -> Vec<String> {
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        workspace.files.retain(|f| &*f.name != file);
        workspace.files.insert(0, File::new(file, before));
        let run = run(&workspace);
        let at = line.find('|').unwrap() as u32;
        let line = Line {
            start: before.len() as u32,
            text: &line.replace('|', ""),
            at,
        };
        let found = complete(&run, FileId(0), line);
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
        let table =
            "table ip nat {\n  set known { type ipv4_addr; }\n  chain mine {\n  }\n  chain out {\n";
        let nft = "nodes/work001/nft-ruleset.txt";
        assert_eq!(offered(nft, table, "    jump mi|"), ["mine"]);
        assert_eq!(offered(nft, table, "    ip saddr @kn|"), ["@known"]);
        assert_eq!(offered(nft, table, "    tcp dp|"), ["dport"]);
        assert_eq!(offered(nft, table, "    masq|"), ["masquerade"]);
        assert_eq!(offered(nft, "", "tab|"), ["table"]);
        let rule = "nodes/work001/ip-rule.txt";
        assert_eq!(offered(rule, "", "100: from all fw|"), ["fwmark"]);
    }

    #[test]
    fn nothing_panics_wherever_the_cursor_is() {
        let workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        let run = run(&workspace);
        for (at, file) in run.files.iter().enumerate() {
            for offset in (0..file.text.len() as u32 + 3).step_by(7) {
                let line = Line {
                    start: offset / 2,
                    text: file.text.get(offset as usize / 2..).unwrap_or("é"),
                    at: offset - offset / 2,
                };
                complete(&run, FileId::at(at), line);
                describe(&run, FileId::at(at), line);
                definition(&run, FileId::at(at), offset);
            }
        }
    }
}
