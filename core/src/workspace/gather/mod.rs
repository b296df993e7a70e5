//! What people have of a cluster, as files of a workspace: texts under any name, and pastes of what several commands printed,
//! with their prompts. What was typed tells what a text is, else how it looks; a prompt or a folder, whose it is.

mod command;
mod look;

use self::command::{Command, Shell};
use self::look::look;
use super::kind::{FileKind, HostFile, Place};
use crate::text::prompt;

/// The same texts with paths of a workspace; one that holds several comes apart. `home` is the folder of the machine that they
/// are of where nothing tells. What cannot be told keeps its path.
pub fn gather(texts: &[(String, String)], home: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (path, text) in texts {
        if let Some(placed) = placed(path) {
            put(&mut out, placed, text.trim_start_matches('\u{feff}'), path);
            continue;
        }
        let text = cleaned(text);
        let mut home = machine_of(path).map_or(home.to_string(), |name| format!("nodes/{name}"));
        let name = file_name(path);
        let mut pieces = match [".yaml", ".yml", ".json"].iter().any(|e| name.ends_with(e)) {
            // Scripts in it are no commands that were typed.
            true => vec![Piece::whole(&text)],
            false => pieces(&text),
        };
        // `sos_commands/networking/ip_route_show_table_all`
        let first = pieces.iter_mut().find(|p| !p.is_empty());
        if let Some(first) = first.filter(|p| p.command.is_none()) {
            first.command = command::read(&name.replace('_', " "));
        }
        for piece in pieces {
            if let Some(place) = &piece.place {
                home = place.to_string();
            }
            if piece.is_empty() {
                continue;
            }
            let place = piece.told().and_then(|told| told.place);
            let folder = place.map_or(home.clone(), |place| place.to_string());
            put(&mut out, piece.path(path, &folder), &piece.text(), path);
        }
    }
    out
}

/// Puts a text where it belongs. Where another is: below it, as another routing table, the other family, another table's rules;
/// or, where there can be only one, under its own name, numbered if that is taken as well. Nothing is lost.
fn put(out: &mut Vec<(String, String)>, path: String, text: &str, own: &str) {
    let Some((_, known)) = out.iter_mut().find(|(known, _)| *known == path) else {
        out.push((path, text.to_string()));
        return;
    };
    if known.trim() == text.trim() {
        return;
    }
    match joint(&FileKind::of(&path)) {
        Some(joint) => {
            if !known.is_empty() && !known.ends_with('\n') {
                known.push('\n');
            }
            known.push_str(joint);
            known.push_str(text);
        }
        None if path != own => put(out, own.to_string(), text, own),
        None => {
            let folder = path.len() - file_name(&path).len();
            let dot = path.rfind('.').filter(|dot| *dot > folder);
            let (stem, ending) = path.split_at(dot.unwrap_or(path.len()));
            let known = |path: &str| out.iter().find(|(known, _)| known == path);
            let mut free = (2..)
                .map(|n: u32| format!("{stem}-{n}{ending}"))
                .skip_while(|path| known(path).is_some_and(|(_, k)| k.trim() != text.trim()));
            let free = free.next().filter(|path| known(path).is_none());
            out.extend(free.map(|path| (path, text.to_string())));
        }
    }
}

/// What stands between two texts of a kind in one file; `None` where there can be only one.
fn joint(kind: &FileKind) -> Option<&'static str> {
    use HostFile::{BrctlShow, BridgeLink, ConfigDump, Ip6Rule, IpAddr, IpRule};
    match kind {
        FileKind::Manifests => Some("---\n"),
        FileKind::Client | FileKind::LoadBalancer | FileKind::Vpc => None,
        FileKind::Host(_, IpAddr | IpRule | Ip6Rule | BrctlShow | BridgeLink | ConfigDump) => None,
        _ => Some(""),
    }
}

/// The part of a path that says what the file is.
fn placed(path: &str) -> Option<String> {
    let starts = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
    let rests = starts.filter_map(|at| path.get(at..));
    let known = |rest: &&str| FileKind::of(rest) != FileKind::Unknown;
    rests.into_iter().find(known).map(str::to_string)
}

/// A shell that was opened somewhere else, and where it stays until a prompt tells of another host.
#[derive(Clone)]
struct Inside {
    /// `None`: nothing there is a file of a workspace.
    place: Option<Place>,
    /// What prompts may call it; a workload's name begins those of its Pods.
    host: Option<String>,
}

impl Inside {
    fn is(&self, host: &str) -> bool {
        self.host.as_deref().is_some_and(|own| {
            let more = host.strip_prefix(own);
            more.is_some_and(|more| {
                more.is_empty() || self.place.is_none() && more.starts_with('-')
            })
        })
    }
}

/// What one command printed.
#[derive(Default)]
struct Piece<'t> {
    /// By the prompt.
    place: Option<Place>,
    /// Where the shell was that it was typed in.
    inside: Option<Inside>,
    command: Option<Command>,
    kind: Option<FileKind>,
    lines: Vec<&'t str>,
}

impl<'t> Piece<'t> {
    fn whole(text: &'t str) -> Self {
        Self {
            kind: look(text),
            lines: text.lines().collect(),
            ..Self::default()
        }
    }

    /// Indented as a whole, as in Markdown, it is not.
    fn text(&self) -> String {
        let full = |l: &&&str| !l.trim().is_empty();
        let indents = self.lines.iter().filter(full);
        let indent = indents
            .map(|l| l.len() - l.trim_start_matches(' ').len())
            .min();
        let table = self.command.as_ref().and_then(|c| c.table.as_ref());
        let mut out = String::new();
        for line in &self.lines {
            let line = line.get(indent.unwrap_or(0)..).unwrap_or("").trim_end();
            out.push_str(line);
            if let Some(table) =
                table.filter(|_| !line.is_empty() && !line.starts_with(['\t', ' ']))
            {
                out.push_str(" table ");
                out.push_str(table);
            }
            out.push('\n');
        }
        out
    }

    /// Where it is from, if not from the machine whose prompt was last.
    fn told(&self) -> Option<Inside> {
        let command = self.command.as_ref();
        match command.filter(|c| c.elsewhere || c.place.is_some()) {
            Some(command) => Some(Inside {
                place: command.place.clone(),
                host: None,
            }),
            None => self.inside.clone(),
        }
    }

    fn path(&self, path: &str, folder: &str) -> String {
        let elsewhere = self.told().is_some_and(|told| told.place.is_none());
        let typed = self.command.as_ref().and_then(|c| c.file);
        let kind = match (typed, &self.kind) {
            (Some(file), _) => FileKind::Host(Place::Node(String::new()), file),
            (None, Some(kind)) => kind.clone(),
            (None, None) => return path.to_string(),
        };
        match kind {
            FileKind::Host(..) if elsewhere => path.to_string(),
            FileKind::Host(_, HostFile::ConfigDump) => {
                let folder = folder.replacen("nodes/", "pods/", 1);
                format!("{folder}/{}", HostFile::ConfigDump.file_name())
            }
            FileKind::Host(_, file) => format!("{folder}/{}", file.file_name()),
            FileKind::KubectlPods => "kubectl-get-pods.txt".to_string(),
            FileKind::KubectlServices => "kubectl-get-svc.txt".to_string(),
            FileKind::KubectlNodes => "kubectl-get-nodes.txt".to_string(),
            _ => {
                let stem = file_name(path);
                let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
                format!("manifests/{stem}.yaml")
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.iter().all(|l| l.trim().is_empty())
    }
}

/// Cuts a text where something else was typed, and between paragraphs of different looks.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![Piece::default()];
    let mut paragraph = true;
    let mut inside = None;
    for line in text.lines() {
        let manifest = matches!(
            pieces.last(),
            Some(Piece {
                kind: Some(FileKind::Manifests),
                ..
            })
        );
        // Scripts in a manifest are no commands that were typed.
        let next = if manifest && line.starts_with([' ', '#']) {
            None
        } else {
            typed(line, &mut inside)
        };
        let prompted = next.is_some();
        let fence = line.trim_start().starts_with("```");
        if let Some(next) = next {
            pieces.push(next);
        } else if fence {
            pieces.push(Piece::default());
        } else if let Some(piece) = pieces.last_mut() {
            let told = (piece.command.as_ref()).is_some_and(|c| c.file.is_some());
            let looks = if paragraph && !told { look(line) } else { None };
            match (&piece.kind, looks) {
                (Some(kind), Some(other)) if differ(kind, &other) => {
                    let inside = piece.told();
                    pieces.push(Piece {
                        inside,
                        kind: Some(other),
                        lines: vec![line],
                        ..Piece::default()
                    });
                }
                (None, Some(found)) if !piece.is_empty() && piece.command.is_none() => {
                    // Prose before it stays by itself.
                    let inside = piece.told();
                    pieces.push(Piece {
                        inside,
                        kind: Some(found),
                        lines: vec![line],
                        ..Piece::default()
                    });
                }
                (None, Some(found)) => {
                    piece.kind = Some(found);
                    piece.lines.push(line);
                }
                _ => piece.lines.push(line),
            }
        }
        paragraph = fence || line.trim().is_empty() || prompted;
    }
    pieces.retain(|p| !p.is_empty() || p.place.is_some());
    for piece in &mut pieces {
        // Now that all of it is there.
        piece.kind = look(&piece.text()).or(piece.kind.take());
    }
    pieces
}

/// Whether one text cannot hold both. A listing's table is only known when all of it is there.
fn differ(one: &FileKind, other: &FileKind) -> bool {
    use HostFile::IptablesList;
    match (one, other) {
        (FileKind::Host(_, IptablesList(_)), FileKind::Host(_, IptablesList(_))) => false,
        // Rules below a table's head.
        (
            FileKind::Host(_, HostFile::IptablesSave | HostFile::Ip6tablesSave),
            FileKind::Host(..),
        ) => false,
        (FileKind::Manifests, _) => false,
        _ => one != other,
    }
}

/// A line with a command: behind a prompt, in a heading such as `=== ip route ===`, or alone. `inside`: the shell that it is
/// typed in, and then that in which the next one is.
fn typed<'t>(line: &'t str, inside: &mut Option<Inside>) -> Option<Piece<'t>> {
    let prompt = prompt(line);
    let host = prompt
        .and_then(|p| p.host)
        .filter(|host| *host != "localhost");
    if host.is_some_and(|host| inside.as_ref().is_some_and(|inside| !inside.is(host))) {
        *inside = None;
    }
    let bare = line.trim_matches(|c: char| c.is_whitespace() || "=-#*+<>:~`$".contains(c));
    let line = prompt.map_or(bare, |prompt| prompt.command);
    let command = match prompt {
        Some(prompt) => command::read(prompt.command),
        None => {
            let words = bare.strip_prefix("sudo ").unwrap_or(bare);
            let is_tool = words.split(' ').next().is_some_and(command::is_tool);
            command::read(bare).filter(|_| is_tool)
        }
    };
    let piece = Piece {
        place: host
            .filter(|_| inside.is_none())
            .map(|name| Place::Node(name.to_string())),
        inside: inside.clone(),
        command,
        ..Piece::default()
    };
    let command = piece.command.as_ref();
    if matches!(line, "exit" | "logout") {
        *inside = None;
    } else if let Some((command, shell)) = command.and_then(|c| Some((c, c.shell.as_ref()?))) {
        *inside = Some(Inside {
            place: command.place.clone(),
            host: match shell {
                Shell::Of(name) => Some(name.clone()),
                Shell::OfContainer => None,
                Shell::OfNamespace => host.map(str::to_string),
            },
        });
    }
    (prompt.is_some() || command.is_some()).then_some(piece)
}

/// Without what terminals and clipboards add: a byte order mark, carriage returns, colours.
fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut rest = text.as_str();
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = escape.find(|c: char| c.is_ascii_alphabetic());
        rest = end.and_then(|at| escape.get(at + 1..)).unwrap_or("");
    }
    out.push_str(rest);
    out
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The machine that a path names: the folder that the file is in, but for those of collectors, or what stands in the file's name
/// beside the tool's.
fn machine_of(path: &str) -> Option<String> {
    let mut folders = path.rsplit('/').skip(1);
    let collectors = |f: &&str| !GENERIC.contains(f) && !f.contains(' ');
    if let Some(folder) = folders.find(collectors) {
        // `sosreport-work001-2026-01-31-abcdefg`
        let name = folder.strip_prefix("sosreport-").unwrap_or(folder);
        let date = name.find("-20").filter(|_| name != folder);
        return Some(name.get(..date.unwrap_or(name.len()))?.to_string());
    }
    let stem = file_name(path);
    let stem = ENDINGS
        .iter()
        .find_map(|e| stem.strip_suffix(e))
        .unwrap_or(stem);
    let (at, tool) = NAMES
        .iter()
        .find_map(|tool| Some((stem.find(tool)?, tool)))?;
    let apart = |c: char| "-_. ".contains(c);
    let rest = |s: Option<&str>| s.unwrap_or("").trim_matches(apart).to_string();
    let (before, after) = (rest(stem.get(..at)), rest(stem.get(at + tool.len()..)));
    let fits = |s: &String| s.len() > 1 && s.starts_with(|c: char| c.is_ascii_alphabetic());
    [before, after].into_iter().find(fits)
}

const ENDINGS: [&str; 4] = [".txt", ".log", ".out", ".md"];

/// Folders of reports that are no machine's.
const GENERIC: [&str; 12] = [
    "",
    ".",
    "sos_commands",
    "networking",
    "network",
    "firewall_tables",
    "kernel",
    "dump",
    "dumps",
    "logs",
    "output",
    "nodes",
];

/// In file names; the longer first.
const NAMES: [&str; 16] = [
    "config_dump",
    "config-dump",
    "ip6tables-save",
    "iptables-save",
    "iptables",
    "nft-ruleset",
    "nft",
    "ipset-save",
    "ipset",
    "ip-route",
    "routes",
    "route",
    "ip-addr",
    "addr",
    "sysctl",
    "rules",
];

#[cfg(test)]
mod tests;
