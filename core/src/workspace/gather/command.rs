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
    /// In another network namespace than its machine's, or where nothing names the machine: no file of a workspace.
    pub elsewhere: bool,
    /// What follows is typed there.
    pub shell: Option<Shell>,
}

/// A shell somewhere else, by what its prompt may call that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shell {
    /// A Pod's or a workload's name.
    Of(String),
    /// A container whose Pod is not told.
    OfContainer,
    /// A network namespace, where the host's name stays.
    OfNamespace,
}

/// `None`: no command of which a workspace takes what it prints.
pub fn read(typed: &str) -> Option<Command> {
    // What a filter leaves is only to be known by its look.
    let (typed, filtered) = match typed.split_once(['|', '>', ';', '&']) {
        Some((typed, rest)) => (typed, !rest.trim().is_empty()),
        None => (typed, false),
    };
    let words = typed.split_whitespace().map(|w| w.trim_matches(QUOTES));
    let words: Vec<&str> = words.filter(|w| !w.is_empty()).collect();
    let at = words.iter().position(|w| TOOLS.contains(&base(w)));
    let (before, tool) = words.split_at(at.unwrap_or(words.len()));
    if tool.first().is_some_and(|t| base(t) == "kubectl")
        && let Some(exec) = Exec::read(tool.get(1..)?)
    {
        return of_pod(&exec, filtered);
    }
    if let Some(shell) = elsewhere(before, tool) {
        return Some(Command {
            elsewhere: true,
            shell: Some(shell).filter(|_| opens_shell(&words)),
            ..Command::default()
        });
    }
    let (name, args) = tool.split_first()?;
    let (file, table) = prints(base(name), args)?;
    let named = node(before);
    let place = named.clone().filter(fits);
    Some(Command {
        elsewhere: named.is_some() && place.is_none(),
        place,
        file: file.filter(|_| !filtered),
        table: table.filter(|_| !filtered),
        shell: None,
    })
}

/// Around what another shell is given.
const QUOTES: [char; 2] = ['\'', '"'];
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "ksh"];

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

/// What runs a command in a container of a node.
const RUNTIMES: [&str; 4] = ["crictl", "ctr", "runc", "crun"];

fn base<'w>(word: &&'w str) -> &'w str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Whether it becomes a folder.
fn fits(place: &Place) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let most = match place {
        Place::Node(_) => 0,
        Place::Pod(_) => 1,
    };
    let mut parts = place.name().split('/');
    place.name().matches('/').count() <= most
        && parts.all(|part| part.chars().all(fits) && !part.starts_with('.') && !part.is_empty())
}

/// Whether words leave a shell open: one is named, or `nsenter` has nothing else to run.
fn opens_shell(words: &[&str]) -> bool {
    let named = words.iter().any(|w| SHELLS.contains(&base(w)));
    let entered = words.iter().any(|w| base(w) == "nsenter");
    let nothing = |w: &&str| w.starts_with('-') || w.bytes().all(|b| b.is_ascii_digit());
    !words.contains(&"-c") && (named || entered && words.last().is_some_and(nothing))
}

/// Whether it runs in a network namespace that is not its machine's, with what a shell there would be.
fn elsewhere(before: &[&str], tool: &[&str]) -> Option<Shell> {
    let is = |names: &[&str]| before.iter().any(|w| names.contains(&base(w)));
    if is(&RUNTIMES) && before.contains(&"exec") {
        return Some(Shell::OfContainer);
    }
    let args = tool.get(1..).unwrap_or_default();
    let mut options = args.iter().take_while(|a| a.starts_with('-'));
    // As these shorten their options (iproute2 `ip/ip.c`, `bridge/bridge.c`, `misc/ss.c`).
    let by_option = match tool.first().map(base) {
        Some("ip" | "bridge") => options.any(|o| {
            let name = o.trim_start_matches('-');
            !name.is_empty() && "netns".starts_with(name)
        }),
        Some("ss") => args.iter().any(|a| match a.strip_prefix("--") {
            Some(long) => long == "net" || long.starts_with("net="),
            None => a.starts_with('-') && a.contains('N'),
        }),
        _ => false,
    };
    let netns = before.contains(&"netns") || tool.contains(&"netns");
    (by_option || netns || enters(before)).then_some(Shell::OfNamespace)
}

/// Whether `nsenter` goes into a network namespace, but for that of a machine's first process.
fn enters(words: &[&str]) -> bool {
    let Some(at) = words.iter().position(|w| base(w) == "nsenter") else {
        return false;
    };
    let args = words.get(at + 1..).unwrap_or_default();
    let is_net = |arg: &&str| match arg.strip_prefix("--") {
        Some(long) => ["net", "all"].contains(&long) || long.starts_with("net="),
        None => arg.starts_with('-') && arg.contains(['n', 'a']),
    };
    let of_first = args.iter().enumerate().any(|(at, arg)| {
        let value = args.get(at + 1) == Some(&"1");
        let short = arg.starts_with('-') && !arg.starts_with("--") && arg.ends_with('t');
        matches!(
            *arg,
            "-t1" | "--target=1" | "--net=/proc/1/ns/net" | "-n/proc/1/ns/net"
        ) || value && (short || *arg == "--target")
    });
    args.iter().any(is_net) && !of_first
}

/// What `kubectl exec` is told.
struct Exec<'w> {
    namespace: &'w str,
    /// `POD`, `pod/POD`, `deploy/NAME`; not there with `-f FILE`.
    target: Option<&'w str>,
    command: &'w [&'w str],
}

/// kubectl's flags that take a value, and their letters.
const VALUED: [&str; 24] = [
    "as",
    "as-group",
    "as-uid",
    "cache-dir",
    "certificate-authority",
    "client-certificate",
    "client-key",
    "cluster",
    "container",
    "context",
    "filename",
    "kubeconfig",
    "namespace",
    "password",
    "pod-running-timeout",
    "profile",
    "profile-output",
    "request-timeout",
    "server",
    "tls-server-name",
    "token",
    "user",
    "username",
    "v",
];
const VALUED_LETTERS: &str = "cfnsv";

impl<'w> Exec<'w> {
    /// `… exec … POD … -- COMMAND` in any order that kubectl takes, also without the dashes, as older ones did.
    fn read(words: &'w [&'w str]) -> Option<Self> {
        let mut namespace = "default";
        let mut plain: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            if plain.len() == 2 && !word.starts_with('-') {
                break;
            }
            at += 1;
            if *word == "--" {
                break;
            }
            let (is_namespace, value) = if let Some(long) = word.strip_prefix("--") {
                match long.split_once('=') {
                    Some((name, value)) => (name == "namespace", Some(value)),
                    None if VALUED.contains(&long) => (long == "namespace", None),
                    None => continue,
                }
            } else if let Some(short) = word.strip_prefix('-') {
                // Letters that take nothing may stand before one that takes the rest.
                let Some(at) = short.find(|c| VALUED_LETTERS.contains(c)) else {
                    continue;
                };
                let (of_namespace, value) =
                    (short.get(at..)?.starts_with('n'), short.get(at + 1..)?);
                let value = value.strip_prefix('=').unwrap_or(value);
                (of_namespace, Some(value).filter(|v| !v.is_empty()))
            } else {
                plain.push(word);
                continue;
            };
            let value = match value {
                Some(value) => value,
                None => {
                    at += 1;
                    words.get(at - 1)?
                }
            };
            if is_namespace {
                namespace = value.trim_matches(QUOTES);
            }
        }
        (plain.first() == Some(&"exec")).then(|| Self {
            namespace,
            target: plain.get(1).copied(),
            command: words.get(at..).unwrap_or_default(),
        })
    }

    /// The name that its shell's prompt may have, and the Pod, where it is told.
    fn pod(&self) -> (&'w str, Option<Place>) {
        let Some(target) = self.target else {
            return ("", None);
        };
        let name = match target.split_once('/') {
            Some(("pod" | "pods" | "po", name)) => name,
            Some((_, name)) => return (name, None),
            None => target,
        };
        let place = Place::Pod(match self.namespace {
            "default" => name.to_string(),
            namespace => format!("{namespace}/{name}"),
        });
        (name, Some(place).filter(fits))
    }
}

fn of_pod(exec: &Exec, filtered: bool) -> Option<Command> {
    let (name, place) = exec.pod();
    let command = Command {
        elsewhere: place.is_none(),
        place,
        ..Command::default()
    };
    let at = exec.command.iter().position(|w| TOOLS.contains(&base(w)));
    let (before, tool) = exec.command.split_at(at.unwrap_or(exec.command.len()));
    if elsewhere(before, tool).is_some() {
        return Some(Command {
            place: None,
            elsewhere: true,
            ..command
        });
    }
    let Some((tool, args)) = tool.split_first() else {
        let shell = Some(Shell::Of(name.to_string()));
        return Some(Command {
            shell: shell.filter(|_| opens_shell(exec.command)),
            ..command
        });
    };
    Some(match prints(base(tool), args) {
        Some((file, table)) => Command {
            file: file.filter(|_| !filtered),
            table: table.filter(|_| !filtered),
            ..command
        },
        // An answer may look like a listing, but is none.
        None => Command {
            place: None,
            elsewhere: true,
            ..command
        },
    })
}

/// The options of `ssh` and of `docker exec` that take a value.
const OF_SSH: &str = "BbcDEeFIiJLlmOoPpQRSWw";
const OF_DOCKER: [&str; 8] = [
    "-e",
    "-u",
    "-w",
    "--env",
    "--env-file",
    "--user",
    "--workdir",
    "--detach-keys",
];

/// Of the words before the tool's name: `ssh root@NODE`, `docker exec -it NODE`; not `sudo`.
fn node(before: &[&str]) -> Option<Place> {
    let through = before
        .iter()
        .rposition(|w| matches!(base(w), "ssh" | "exec"))?;
    let valued = |option: &str| match before.get(through).map(base) {
        Some("ssh") => option.len() == 2 && option.ends_with(|c| OF_SSH.contains(c)),
        _ => OF_DOCKER.contains(&option),
    };
    let mut words = before.get(through + 1..)?.iter();
    while let Some(word) = words.next() {
        if valued(word) {
            words.next();
        } else if !word.starts_with('-') {
            return Some(Place::Node(word.rsplit('@').next()?.to_string()));
        }
    }
    None
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

/// Whether a word is the name of a tool that is known here, or runs others elsewhere.
pub fn is_tool(word: &str) -> bool {
    TOOLS.contains(&word) || RUNTIMES.contains(&word) || word == "nsenter"
}
