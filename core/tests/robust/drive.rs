//! What a hostile text is put through: each reader with the printer that belongs to it, and walks over hosts made of it.

use std::sync::OnceLock;

use northsouth::console::{self, AfterRun};
use northsouth::net::Random;
use northsouth::netfilter::matches::Match;
use northsouth::netfilter::{Ruleset, TableName, ipset, listing, nft, print, save};
use northsouth::text::{Diagnostic, File, FileId, Lang};
use northsouth::trace::{self, Style};
use northsouth::workspace::{self, DEFAULT, Run, Scenario, Workspace};
use northsouth::{link, manifest, route, share, topology, yaml};

/// Reads a text.
pub type Drive = fn(&str);

pub const READERS: &[(&str, Drive)] = &[
    ("iptables", iptables),
    ("listing", listing),
    ("nft", nft),
    ("ipset", ipset),
    ("routes", routes),
    ("rules", rules),
    ("addr", addr),
    ("neigh", neigh),
    ("bridge", bridge),
    ("brctl", brctl),
    ("ss", ss),
    ("sysctl", sysctl),
    ("kubectl", kubectl),
    ("yaml", yaml),
    ("manifests", manifests),
    ("probe", probe),
    ("console", console),
    ("link", link_records),
];

const FILE: FileId = FileId(0);

/// Diagnostics can be said, and point into the text.
fn said(text: &str, diagnostics: &[Diagnostic]) {
    let file = File::new("input", text);
    for diagnostic in diagnostics.iter().take(100) {
        for lang in Lang::ALL {
            let _ = diagnostic.message.text(lang);
            let _ = diagnostic.help.as_ref().map(|h| h.text(lang));
        }
        let range = diagnostic.span.range();
        assert!(
            text.get(range.clone()).is_some(),
            "{range:?} of {text:?}: {diagnostic:?}"
        );
        let _ = file.line_column(diagnostic.span.start);
    }
}

pub fn iptables(text: &str) {
    let (rules, diagnostics) = save::read(text, FILE);
    said(text, &diagnostics);
    let printed = print::save(&rules, true);
    // A quote that is never closed takes the line's end along, with the real tools too: that does not read again.
    let whole = |line: &str| line.starts_with(['*', ':', '[']) || line == "COMMIT";
    if printed.lines().all(whole) && !blank_names(&rules) {
        let (again, _) = save::read(&printed, FILE);
        let again = print::save(&again, true);
        assert_eq!(again, printed, "what is printed reads again");
    }
    for table in &rules.tables {
        let _ = print::commands(table);
        let _ = print::list_all(table, Default::default());
    }
}

/// The article with one of its files, named by its number in the first line, replaced by the lines that follow.
pub fn walk(text: &str) {
    let (number, text) = text.split_once('\n').unwrap_or_default();
    let mut workspace = article();
    let count = workspace.files.len();
    let at = number.trim().parse::<usize>().unwrap_or(0) % count;
    let file = &mut workspace.files[at];
    *file = File::new(&file.name, text);
    play(&workspace);
}

/// An interface's name is printed as it is, with the real tools too: a blank or quote in it does not read again.
fn blank_names(rules: &Ruleset) -> bool {
    let chains = rules.tables.iter().flat_map(|t| &t.chains);
    chains.flat_map(|c| &c.rules).any(|rule| {
        let ports = rule.matches.iter().filter_map(|m| match m {
            Match::Physdev(m) => Some([&m.in_iface, &m.out_iface]),
            _ => None,
        });
        let own = [&rule.header.in_iface, &rule.header.out_iface];
        let names = ports.chain([own]).flatten().flatten();
        let mut letters = names.flat_map(|n| n.value.name.chars());
        letters.any(|c| c.is_whitespace() || matches!(c, '"' | '\''))
    })
}

pub fn listing(text: &str) {
    let (rules, diagnostics) = listing::read(text, FILE, TableName::Nat);
    said(text, &diagnostics);
    let _ = print::save(&rules, true);
    for table in &rules.tables {
        let _ = print::list_all(table, Default::default());
    }
}

pub fn nft(text: &str) {
    let (rules, diagnostics) = nft::read(text, FILE);
    said(text, &diagnostics);
    let _ = rules.to_string();
}

pub fn ipset(text: &str) {
    let (sets, diagnostics) = ipset::read(text, FILE);
    said(text, &diagnostics);
    let printed = sets.to_string();
    let (again, _) = ipset::read(&printed, FILE);
    assert_eq!(again.to_string(), printed, "what is printed reads again");
}

pub fn routes(text: &str) {
    let (routes, diagnostics) = route::read::routes(text, FILE);
    said(text, &diagnostics);
    let again = |line: &str| {
        let (routes, _) = route::read::routes(line, FILE);
        let route = routes
            .first()
            .unwrap_or_else(|| panic!("`{line}` does not read again"));
        route.to_string()
    };
    for route in &routes {
        // A scope that was written and is not printed reads as the default of such a route, and stays that.
        let printed = again(&route.to_string());
        assert_eq!(again(&printed), printed);
    }
}

pub fn rules(text: &str) {
    let (rules, diagnostics) = route::read::rules(text, FILE);
    said(text, &diagnostics);
    for rule in &rules {
        let _ = rule.to_string();
    }
}

pub fn addr(text: &str) {
    said(text, &link::read::devices(text, FILE).1);
}

pub fn neigh(text: &str) {
    said(text, &link::read::neighbours(text, FILE).1);
}

pub fn bridge(text: &str) {
    said(text, &link::read::bridge_link(text, FILE).1);
    said(text, &link::read::fdb(text, FILE).1);
}

pub fn brctl(text: &str) {
    said(text, &link::read::brctl(text, FILE).1);
}

pub fn ss(text: &str) {
    said(text, &topology::sockets(text, FILE).1);
}

pub fn sysctl(text: &str) {
    said(text, &topology::sysctls(text, FILE).1);
}

pub fn kubectl(text: &str) {
    said(text, &manifest::table::pods(text, FILE).1);
    said(text, &manifest::table::services(text, FILE).1);
    said(text, &manifest::table::nodes(text, FILE).1);
}

pub fn yaml(text: &str) {
    said(text, &yaml::read(text, FILE).1);
}

pub fn manifests(text: &str) {
    said(text, &manifest::read(text, FILE, &mut Default::default()));
}

pub fn probe(text: &str) {
    if let Ok(probe) = workspace::parse_probe(text) {
        let printed = probe.to_string();
        let again = workspace::parse_probe(&printed);
        assert_eq!(again.map(|p| p.to_string()), Ok(printed));
    } else if let Err(said) = workspace::parse_probe(text) {
        let _ = Lang::ALL.map(|lang| said.text(lang));
    }
}

/// Each line is a command on one of the article's machines.
pub fn console(text: &str) {
    static RUN: OnceLock<Run> = OnceLock::new();
    let run = RUN.get_or_init(|| workspace::run(&article()));
    for line in text.lines().take(20) {
        for host in ["work001", "client"] {
            said(line, &console::run(run.into(), host, line).diagnostics);
            let _ = console::complete(run.into(), host, line);
        }
    }
}

/// A link's records, and the same text as a link's data.
pub fn link_records(text: &str) {
    for data in [text.to_string(), share::pack(text)] {
        let unpacked = match share::Unpacked::read(&data) {
            Ok(unpacked) => unpacked,
            Err(said) => {
                let _ = Lang::ALL.map(|lang| said.text(lang));
                continue;
            }
        };
        let base = unpacked.base.as_deref().and_then(Scenario::find);
        let base = base.and_then(|s| s.workspace());
        if let Ok((shared, _)) = unpacked.over(base.as_ref()) {
            let again = share::Unpacked::read(&share::link(&shared, base.as_ref()));
            let (again, _) = again.unwrap().over(base.as_ref()).unwrap();
            assert_eq!(again.workspace, shared.workspace);
            assert_eq!(again.view, shared.view);
        }
    }
}

/// The default scenario.
pub fn article() -> Workspace {
    Scenario::find(DEFAULT).unwrap().workspace().unwrap()
}

/// Plays a workspace, tells all of it, and asks its machines.
pub fn play(workspace: &Workspace) {
    let run = workspace::run(workspace);
    let style = Style {
        lang: Lang::ZhCn,
        all: true,
        why: true,
    };
    let _ = trace::print(&run.world, &run.trace, style);
    let commands = [
        "iptables -t nat -L -n -v",
        "iptables-save -c",
        "conntrack -L",
        "ip route get 172.20.1.157",
        "ip route get 192.168.0.17 from 203.0.113.9 iif eth0",
        "ip route show table all",
        "ip addr",
        "bridge fdb",
        "ss -lntup",
        "tcpdump -ni any",
        "dmesg",
    ];
    for host in run.world.hosts.iter().take(8) {
        for command in commands {
            let _ = console::run(AfterRun::from(&run), &host.name, command);
        }
    }
}

/// Makes a text worse in one of the ways in which texts go wrong.
pub fn mutate(text: &str, other: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        once(&mut bytes, other.as_bytes(), random);
    }
    bytes.truncate(200_000);
    String::from_utf8_lossy(&bytes).into_owned()
}

const TOKENS: &[&str] = &[
    "-",
    "--",
    "!",
    "! !",
    "\"",
    "\\",
    "'",
    "{",
    "}",
    "[",
    "]",
    ":",
    "0",
    "-1",
    "4294967296",
    "18446744073709551616",
    "99999999999999999999999999",
    "0x",
    "0xffffffffffffffffff",
    "/33",
    "/-1",
    "255.255.255.256",
    "::",
    "::/129",
    "fe80::%eth0",
    ",",
    ",,",
    "1:0",
    "65536",
    "65535:0",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{feff}",
    "网关",
    "*nat",
    "COMMIT",
    "-j",
    "-g",
    "-m",
    "-A",
    "-A PREROUTING -j PREROUTING",
    "-j KUBE-SERVICES",
    "-g KUBE-SERVICES",
    "--every 0",
    "--probability 2",
    "--to-destination",
    ":1-0",
    "0.0.0.0/0",
    "default",
    "nexthop",
    "dev",
    "via",
    "table",
    "&a",
    "*a",
    "<<: *a",
    "- - - -",
    "? ",
    "|",
    ">",
    "---",
    "!!",
    "@",
    "jump",
    "goto",
    "vmap",
    "elements = {",
];

fn once(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    fn below(random: &mut Random, bound: usize) -> usize {
        random.below(u32::try_from(bound).unwrap_or(u32::MAX)) as usize
    }
    let at = below(random, bytes.len() + 1);
    let length = match random.below(4) {
        0 => below(random, bytes.len() - at + 1),
        _ => below(random, (bytes.len() - at).min(40) + 1),
    };
    let range = at..at + length;
    match random.below(9) {
        0 => drop(bytes.drain(range)),
        1 => {
            let copy = bytes[range].to_vec();
            for _ in 0..=random.below(8) {
                bytes.splice(at..at, copy.iter().copied());
            }
        }
        2 => {
            let from = below(random, other.len() + 1);
            let taken = below(random, (other.len() - from).min(400) + 1);
            bytes.splice(range, other[from..from + taken].iter().copied());
        }
        3 => {
            for byte in bytes[range].iter_mut().take(8) {
                *byte = random.below(256) as u8;
            }
        }
        4 => {
            // A number, made another.
            let digit = bytes[at..].iter().position(u8::is_ascii_digit);
            if let Some(start) = digit.map(|d| at + d) {
                let length = bytes[start..]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let new = [
                    "0",
                    "1",
                    "33",
                    "255",
                    "256",
                    "65535",
                    "65536",
                    "4294967295",
                    "99999999999999999999",
                ];
                let new = new[below(random, new.len())];
                bytes.splice(start..start + length, new.bytes());
            }
        }
        5 => {
            let nest = ["{", "[", "(", "- ", "a: ", "\"", "! ", "{ a, ", "-j "];
            let deep = nest[below(random, nest.len())].repeat(1 << random.below(13));
            bytes.splice(at..at, deep.bytes());
        }
        6 => bytes.truncate(at),
        _ => {
            let token = TOKENS[below(random, TOKENS.len())];
            let spaced = if random.below(2) == 0 {
                format!(" {token} ")
            } else {
                token.to_string()
            };
            let end = if random.below(2) == 0 {
                at
            } else {
                range.end.min(at + 12)
            };
            bytes.splice(at..end, spaced.bytes());
        }
    }
}
