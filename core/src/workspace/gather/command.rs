//! What a command that was typed prints, and of which machine.

use crate::netfilter::TableName;
use crate::workspace::kind::{HostFile, Place};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Where it ran, when it says so itself: `ssh NODE …`, `kubectl exec POD -- …`, `docker exec NODE …`.
    pub place: Option<Place>,
    /// `None` where only the text shows it.
    pub file: Option<HostFile>,
    /// `ip route show table 100` does not print the table.
    pub table: Option<String>,
    /// In another network namespace than its machine's: no file of a workspace.
    pub elsewhere: bool,
}

/// `None`: no command of which a workspace takes what it prints.
pub fn read(typed: &str) -> Option<Command> {
    // What a filter leaves is only to be known by its look.
    let (typed, filtered) = match typed.split_once(['|', '>', ';', '&']) {
        Some((typed, rest)) => (typed, !rest.trim().is_empty()),
        None => (typed, false),
    };
    let words: Vec<&str> = typed.split_whitespace().collect();
    let base = |word: &&str| word.rsplit('/').next().unwrap_or(word).to_string();
    let at = words.iter().position(|w| TOOLS.contains(&&*base(w)))?;
    let before = words.get(..at)?;
    let rest = words.get(at + 1..)?;
    let (tool, place) = match &*base(words.get(at)?) {
        "kubectl" if rest.contains(&"exec") => {
            let inner = rest.iter().position(|w| TOOLS.contains(&&*base(w)))?;
            (rest.get(inner..)?, pod(rest.get(..inner)?))
        }
        _ if before.contains(&"netns") || rest.contains(&"netns") => {
            return Some(Command {
                elsewhere: true,
                ..Command::default()
            });
        }
        _ => (words.get(at..)?, node(before)),
    };
    // It becomes a folder.
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let place = place.filter(|place| {
        let most = match place {
            Place::Node(_) => 0,
            Place::Pod(_) => 1,
        };
        let mut parts = place.name().split('/');
        place.name().matches('/').count() <= most
            && parts
                .all(|part| part.chars().all(fits) && !part.starts_with('.') && !part.is_empty())
    });
    let (name, args) = tool.split_first()?;
    let (file, table) = prints(&base(name), args)?;
    Some(Command {
        place,
        file: file.filter(|_| !filtered),
        table: table.filter(|_| !filtered),
        elsewhere: false,
    })
}

const TOOLS: [&str; 18] = [
    "iptables-save",
    "iptables-legacy-save",
    "iptables-nft-save",
    "ip6tables-save",
    "iptables",
    "iptables-legacy",
    "iptables-nft",
    "nft",
    "ipset",
    "ip",
    "brctl",
    "bridge",
    "ss",
    "netstat",
    "sysctl",
    "kubectl",
    "pilot-agent",
    "curl",
];

/// `exec -it -n NAMESPACE POD -c CONTAINER --`
fn pod(words: &[&str]) -> Option<Place> {
    let value = |names: [&str; 2]| {
        let at = words.iter().position(|w| names.contains(w))?;
        words.get(at + 1).copied()
    };
    let namespace = value(["-n", "--namespace"]).unwrap_or("default");
    let mut pod = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "exec" => {}
            "-n" | "--namespace" | "-c" | "--container" => drop(words.next()),
            word if word.starts_with('-') => {}
            word => pod = pod.or(Some(word)),
        }
    }
    let pod = pod?.trim_start_matches("pod/");
    Some(Place::Pod(match namespace {
        "default" => pod.to_string(),
        _ => format!("{namespace}/{pod}"),
    }))
}

/// Of the words before the tool's name: `ssh root@NODE`, `docker exec -it NODE`; not `sudo`.
fn node(before: &[&str]) -> Option<Place> {
    let through = before.iter().position(|w| matches!(*w, "ssh" | "exec"))?;
    let after = before.get(through + 1..)?;
    let name = after
        .iter()
        .rfind(|w| !w.starts_with('-') && **w != "sudo")?;
    Some(Place::Node(name.rsplit('@').next()?.to_string()))
}

type Printed = (Option<HostFile>, Option<String>);

/// What it prints, and which routing table it was asked for.
fn prints(tool: &str, args: &[&str]) -> Option<Printed> {
    let plain: Vec<&str> = args
        .iter()
        .filter(|a| !a.starts_with('-'))
        .copied()
        .collect();
    let verb = plain.first().copied().unwrap_or("");
    // Questions and changes list nothing.
    let other = [
        "get", "add", "del", "delete", "replace", "change", "append", "flush", "set",
    ];
    if tool != "kubectl" && plain.get(1).is_some_and(|w| other.contains(w)) {
        return None;
    }
    let after = |name: &str| {
        let at = args.iter().position(|a| *a == name)?;
        args.get(at + 1).copied()
    };
    let file = match tool {
        "iptables" | "iptables-legacy" | "iptables-nft" => {
            let lists = |a: &&str| match a.strip_prefix("--") {
                Some(long) => long.starts_with("list"),
                None => a.starts_with('-') && a.contains(['L', 'S']),
            };
            args.iter().find(|a| lists(a))?;
            let table = after("-t").or(after("--table")).unwrap_or("filter");
            HostFile::IptablesList(TableName::from_name(table)?)
        }
        "ip6tables-save" => HostFile::Ip6tablesSave,
        save if save.ends_with("-save") => HostFile::IptablesSave,
        "nft" if verb == "list" => HostFile::NftRuleset,
        "ipset" if verb == "save" => HostFile::IpsetSave,
        "ip" => match verb {
            // As ip shortens its objects (iproute2 `ip/ip.c`).
            v if !v.is_empty() && "address".starts_with(v) || v == "addr" => HostFile::IpAddr,
            v if !v.is_empty() && "link".starts_with(v) => HostFile::IpAddr,
            v if !v.is_empty() && "route".starts_with(v) => HostFile::IpRoute,
            v if v.len() > 1 && "rule".starts_with(v) && args.contains(&"-6") => HostFile::Ip6Rule,
            v if v.len() > 1 && "rule".starts_with(v) => HostFile::IpRule,
            v if !v.is_empty() && ("neighbor".starts_with(v) || "neighbour".starts_with(v)) => {
                HostFile::IpNeigh
            }
            _ => return None,
        },
        "brctl" if verb == "show" => HostFile::BrctlShow,
        "bridge" if verb == "link" => HostFile::BridgeLink,
        "bridge" if verb == "fdb" => HostFile::BridgeFdb,
        "ss" => HostFile::Sockets,
        "netstat"
            if args
                .iter()
                .any(|a| a.starts_with('-') && a.contains(['l', 'a'])) =>
        {
            HostFile::Sockets
        }
        "sysctl" => HostFile::Sysctl,
        "kubectl" if verb == "get" || plain.contains(&"get") => return Some((None, None)),
        "pilot-agent" | "curl" if args.iter().any(|a| a.contains("config_dump")) => {
            HostFile::ConfigDump
        }
        _ => return None,
    };
    let table =
        after("table").filter(|t| file == HostFile::IpRoute && !matches!(*t, "all" | "main"));
    Some((Some(file), table.map(str::to_string)))
}

/// Whether a word is the name of a tool that is known here.
pub fn is_tool(word: &str) -> bool {
    TOOLS.contains(&word)
}
