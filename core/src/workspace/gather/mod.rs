//! What people have of a cluster, as files of a workspace: texts under any name, and pastes of what several commands printed,
//! with their prompts. What was typed tells what a text is, else how it looks; a prompt or a folder, whose it is.

mod command;
mod look;

use self::command::Command;
use self::look::look;
use super::kind::{FileKind, HostFile, Place};
use crate::text::prompt;

/// The same texts with paths of a workspace; one that holds several comes apart. `home` is the folder of the machine that they
/// are of where nothing tells. What cannot be told keeps its path.
pub fn gather(texts: &[(String, String)], home: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut left = Vec::new();
    for (path, text) in texts {
        if let Some(path) = placed(path) {
            let text = text.trim_start_matches('\u{feff}');
            out.push((path, text.to_string()));
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
        if let Some(first) = pieces.first_mut().filter(|p| p.command.is_none()) {
            first.command = command::read(&name.replace('_', " "));
        }
        for piece in pieces {
            if let Some(place) = &piece.place {
                home = place.to_string();
            }
            let own = piece.command.as_ref().and_then(|c| c.place.as_ref());
            let folder = own.map_or(home.clone(), Place::to_string);
            let own_path = path;
            let path = piece.path(path, &folder);
            let text = piece.text();
            match out.iter_mut().find(|(known, _)| *known == path) {
                // Another routing table, the other family, another table's rules.
                Some((_, known)) if known.trim() == text.trim() => {}
                Some((_, known)) => match joint(&FileKind::of(&path)) {
                    Some(joint) => {
                        known.push_str(joint);
                        known.push_str(&text);
                    }
                    None => left.push((own_path.to_string(), text)),
                },
                None => out.push((path, text)),
            }
        }
    }
    left.retain(|(path, _)| !out.iter().any(|(known, _)| known == path));
    out.extend(left);
    out
}

/// What stands between two texts of a kind in one file; `None` where there can be only one.
fn joint(kind: &FileKind) -> Option<&'static str> {
    use HostFile::{BrctlShow, BridgeLink, ConfigDump, Ip6Rule, IpAddr, IpRule};
    match kind {
        FileKind::Manifests => Some("---\n"),
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

/// What one command printed.
#[derive(Default)]
struct Piece<'t> {
    /// By the prompt.
    place: Option<Place>,
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

    fn path(&self, path: &str, folder: &str) -> String {
        if self.command.as_ref().is_some_and(|c| c.elsewhere) {
            return path.to_string();
        }
        let typed = self.command.as_ref().and_then(|c| c.file);
        let kind = match (typed, &self.kind) {
            (Some(file), _) => FileKind::Host(Place::Node(String::new()), file),
            (None, Some(kind)) => kind.clone(),
            (None, None) => return path.to_string(),
        };
        match kind {
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
    for line in text.lines() {
        let inside = matches!(
            pieces.last(),
            Some(Piece {
                kind: Some(FileKind::Manifests),
                ..
            })
        );
        // Scripts in a manifest are no commands that were typed.
        let next = if inside && line.starts_with([' ', '#']) {
            None
        } else {
            typed(line)
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
                (Some(kind), Some(other)) if differ(kind, &other) => pieces.push(Piece {
                    kind: Some(other),
                    lines: vec![line],
                    ..Piece::default()
                }),
                (None, Some(found)) if !piece.is_empty() && piece.command.is_none() => {
                    // Prose before it stays by itself.
                    pieces.push(Piece {
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
    pieces.retain(|p| !p.is_empty());
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

/// A line with a command: behind a prompt, in a heading such as `=== ip route ===`, or alone.
fn typed(line: &str) -> Option<Piece<'_>> {
    if let Some(prompt) = prompt(line) {
        let place = prompt.host.filter(|h| *h != "localhost");
        return Some(Piece {
            place: place.map(|name| Place::Node(name.to_string())),
            command: command::read(prompt.command),
            ..Piece::default()
        });
    }
    let bare = line.trim_matches(|c: char| c.is_whitespace() || "=-#*+<>:~`$".contains(c));
    let first = bare
        .strip_prefix("sudo ")
        .unwrap_or(bare)
        .split(' ')
        .next()?;
    let command = command::read(bare).filter(|_| command::is_tool(first))?;
    Some(Piece {
        command: Some(command),
        ..Piece::default()
    })
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
