//! A command line under the hand: completion and what to offer.

use northsouth::console;
use northsouth::topology::HostKind;
use northsouth::workspace::Run;

use super::explain;
use crate::state::State;

/// A line after Tab, and between what there is still a choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    pub line: String,
    pub choice: Vec<String>,
}

/// Goes on as far as all candidates agree; `None` where there is no candidate.
pub fn complete(run: &Run, host: &str, line: &str) -> Option<Completion> {
    join(line, console::complete(run.into(), host, line))
}

fn join(line: &str, candidates: Vec<String>) -> Option<Completion> {
    let first = candidates.first()?;
    let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let mut same = first.as_str();
    for other in &candidates {
        let agree = same.char_indices().zip(other.chars());
        let differ = agree
            .filter(|((_, a), b)| a != b)
            .map(|((at, _), _)| at)
            .next();
        same = same
            .get(..differ.unwrap_or(same.len().min(other.len())))
            .unwrap_or(same);
    }
    let only = candidates.len() == 1;
    let end = if only { " " } else { "" };
    Some(Completion {
        line: format!("{}{same}{end}", line.get(..start).unwrap_or_default()),
        choice: if only { Vec::new() } else { candidates },
    })
}

/// The hosts that have a terminal, by name.
pub fn hosts(run: &Run) -> impl Iterator<Item = &str> {
    let hosts = run.world.hosts.iter();
    let linux =
        hosts.filter(|h| matches!(h.kind, HostKind::Client | HostKind::Node | HostKind::Pod));
    linux.map(|h| &*h.name)
}

/// The host that the next command goes to: the chosen one, where it still is, else the one that the step is on.
pub fn host(state: &State) -> String {
    let run = &state.run;
    let chosen = state.terminal.host.as_deref();
    let there = |name: &&str| hosts(run).any(|h| h == *name);
    let here = explain::open_place(state).host;
    let here = run.world.host(here).map(|h| &*h.name);
    let probe = state.workspace.probe.from.as_str();
    let found = [chosen, here, Some(probe)]
        .into_iter()
        .flatten()
        .find(there);
    found
        .or_else(|| hosts(run).next())
        .unwrap_or_default()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, candidates: &[&str], joined: &str, choice: usize) {
        let candidates = candidates.iter().map(|c| (*c).to_string()).collect();
        let done = join(line, candidates).unwrap();
        assert_eq!((done.line.as_str(), done.choice.len()), (joined, choice));
    }

    #[test]
    fn tab_goes_on_as_far_as_the_candidates_agree() {
        check("ip", &["iptables", "iptables-save"], "iptables", 2);
        check("iptables -t n", &["nat"], "iptables -t nat ", 0);
        check("ip ", &["route", "rule"], "ip r", 2);
        check("", &["a", "b"], "", 2);
        check("x ", &["链一", "链二"], "x 链", 2);
        assert_eq!(join("nothing", Vec::new()), None);
    }
}
