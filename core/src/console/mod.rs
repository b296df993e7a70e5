//! What the tools of a Linux host print, computed from the model after a run: `iptables -L`, `conntrack -L`, `ip route get`,
//! `tcpdump` and their like. They only look: rules and routes are changed in their files.
//!
//! [`run`] answers a command line on a host, [`complete`] says how a partial one may go on. Formats are those of iptables
//! 1.8, iproute2 6, conntrack-tools 1.4, bridge-utils 1.7 and tcpdump 4.99.

mod addr;
mod args;
mod bridge;
mod complete;
mod conntrack;
mod ipset;
mod iptables;
mod istioctl;
mod log;
mod machine;
mod neigh;
mod nft;
mod route;
mod sockets;
mod sysctl;
mod tcpdump;

pub use complete::complete;

use crate::control::cluster::Cluster;
use crate::say;
use crate::sim::After;
use crate::text::{Diagnostic, FileId, Span};
use crate::topology::World;
use crate::trace::Trace;
use crate::workspace::Run;

use args::{Arg, Args};
use machine::Machine;

/// A run that is over: what commands look at.
#[derive(Clone, Copy, Debug)]
pub struct AfterRun<'a> {
    pub world: &'a World,
    pub trace: &'a Trace,
    pub after: &'a After,
    /// What the controllers made of the manifests, where there are some.
    pub cluster: Option<&'a Cluster>,
}

impl<'a> From<&'a Run> for AfterRun<'a> {
    fn from(run: &'a Run) -> Self {
        Self {
            world: &run.world,
            trace: &run.trace,
            after: run.after(),
            cluster: run.cluster.as_deref(),
        }
    }
}

/// What a command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// In the tool's own words, errors of the tool among them.
    pub text: String,
    /// What the model has to say of the command. Spans are bytes of the command line.
    pub diagnostics: Vec<Diagnostic>,
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self {
            text,
            diagnostics: Vec::new(),
        }
    }
}

impl Output {
    fn note(mut self, diagnostic: Diagnostic) -> Self {
        self.diagnostics.push(diagnostic);
        self
    }
}

/// What a command gives, or why it is not understood.
type Answer = Result<Output, Diagnostic>;

/// A tool by its name.
struct Tool {
    name: &'static str,
    /// How it is called here, one form a line.
    usage: &'static str,
    run: fn(&Machine<'_>, &mut Args<'_>) -> Answer,
}

static TOOLS: &[Tool] = &[
    Tool {
        name: "iptables",
        usage: iptables::USAGE,
        run: iptables::iptables,
    },
    Tool {
        name: "iptables-save",
        usage: iptables::SAVE_USAGE,
        run: iptables::save,
    },
    Tool {
        name: "ip6tables",
        usage: iptables::USAGE6,
        run: iptables::ip6tables,
    },
    Tool {
        name: "ip6tables-save",
        usage: iptables::SAVE_USAGE6,
        run: iptables::save6,
    },
    Tool {
        name: "nft",
        usage: nft::USAGE,
        run: nft::run,
    },
    Tool {
        name: "ipset",
        usage: ipset::USAGE,
        run: ipset::run,
    },
    Tool {
        name: "conntrack",
        usage: conntrack::USAGE,
        run: conntrack::run,
    },
    Tool {
        name: "ip",
        usage: route::USAGE,
        run: route::ip,
    },
    Tool {
        name: "bridge",
        usage: bridge::USAGE,
        run: bridge::bridge,
    },
    Tool {
        name: "brctl",
        usage: bridge::BRCTL_USAGE,
        run: bridge::brctl,
    },
    Tool {
        name: "ss",
        usage: sockets::USAGE,
        run: sockets::run,
    },
    Tool {
        name: "sysctl",
        usage: sysctl::USAGE,
        run: sysctl::run,
    },
    Tool {
        name: "tcpdump",
        usage: tcpdump::USAGE,
        run: tcpdump::run,
    },
    Tool {
        name: "dmesg",
        usage: log::USAGE,
        run: log::run,
    },
    Tool {
        name: "istioctl",
        usage: istioctl::USAGE,
        run: istioctl::run,
    },
    Tool {
        name: "pilot-agent",
        usage: istioctl::AGENT_USAGE,
        run: istioctl::agent,
    },
    Tool {
        name: "kubectl",
        usage: istioctl::LOG_USAGE,
        run: istioctl::logs,
    },
];

/// Other names of the same tools.
static ALIASES: &[(&str, &str)] = &[
    ("iptables-legacy", "iptables"),
    ("iptables-nft", "iptables"),
    ("iptables-legacy-save", "iptables-save"),
    ("iptables-nft-save", "iptables-save"),
    ("ip6tables-legacy", "ip6tables"),
    ("ip6tables-nft", "ip6tables"),
    ("ip6tables-legacy-save", "ip6tables-save"),
    ("ip6tables-nft-save", "ip6tables-save"),
];

fn tool(name: &str) -> Option<&'static Tool> {
    let name = ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, name)| name);
    TOOLS.iter().find(|t| t.name == name)
}

/// Answers a command line on a host. What is not understood becomes a diagnostic that says what is.
pub fn run(run: AfterRun<'_>, host: &str, command: &str) -> Output {
    answer(run, host, command).unwrap_or_else(|diagnostic| Output::default().note(diagnostic))
}

fn answer(run: AfterRun<'_>, host: &str, command: &str) -> Answer {
    let whole = Span::new(FileId(0), 0, command.len());
    let Some(machine) = Machine::find(run, host) else {
        let names: Vec<_> = run.world.hosts.iter().map(|h| &*h.name).collect();
        let said = say!("console/no-host", name = host, hosts = names.join(", "));
        return Err(Diagnostic::error(whole, said));
    };
    let words = args::split(command)?;
    let mut words = &words[..];
    if let Some((_, rest)) = words.split_first().filter(|(w, _)| w.text == "sudo") {
        words = rest;
    }
    let Some((name, rest)) = words.split_first() else {
        return Err(Diagnostic::error(
            whole,
            say!("console/nothing", commands = names()),
        ));
    };
    let base = name.text.rsplit('/').next().unwrap_or_default();
    let Some(tool) = tool(base) else {
        let said = say!(
            "console/unknown-command",
            word = name.text,
            commands = names()
        );
        return Err(Diagnostic::error(name.span, said));
    };
    let mut args = Args::new(name, rest, tool.usage);
    (tool.run)(&machine, &mut args)
}

fn names() -> String {
    let names: Vec<_> = TOOLS.iter().map(|t| t.name).collect();
    names.join(", ")
}

/// A word that the tool knows and the model does not answer to, or nobody knows.
fn not_taken(tool: &Arg, word: &Arg, usage: &str) -> Diagnostic {
    Diagnostic::error(
        word.span,
        say!("console/not-taken", command = tool.text, word = word.text),
    )
    .help(say!("console/usage", usage = usage))
}
