//! A workspace as a zip of its plain files, laid out as a folder of `content/scenarios/` (PKWARE's APPNOTE 6.3, without
//! zip64 and encryption).

use std::fmt::Write;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::crc::crc32;
use super::{FILE_LIMIT, Unpacked};
use crate::say;
use crate::text::{File, Say};
use crate::workspace::{Workspace, parse_scenario};

/// The file that has the probe and the seed.
const HEAD: &str = "scenario.yaml";

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
/// 2.0, for deflate; and that names are UTF-8.
const NEEDED: [u8; 4] = [20, 0, 0, 8];
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// 1 January 1980, midnight: the same workspace gives the same bytes.
const TIME: [u8; 4] = [0, 0, 0x21, 0];

pub fn write(workspace: &Workspace) -> Vec<u8> {
    let head = head(workspace);
    let files = workspace.files.iter().map(|f| (&*f.name, &*f.text));
    let (mut out, mut central, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for (name, text) in [(HEAD, &*head)].into_iter().chain(files) {
        let packed = compress_to_vec(text.as_bytes(), 9);
        let at = size(out.len());
        let mut entry = NEEDED.to_vec();
        entry.extend(DEFLATED.to_le_bytes());
        entry.extend(TIME);
        entry.extend(crc32([text.as_bytes()]).to_le_bytes());
        entry.extend(size(packed.len()));
        entry.extend(size(text.len()));
        entry.extend((name.len() as u16).to_le_bytes());
        entry.extend([0, 0]);
        out.extend(LOCAL);
        out.extend(&entry);
        out.extend(name.as_bytes());
        out.extend(packed);
        central.extend(CENTRAL);
        // Made by version 2.0 on Unix.
        central.extend([20, 3]);
        central.extend(&entry);
        // No comment, first disk, no attributes but those of a plain file that its owner may write.
        central.extend([0; 6]);
        central.extend((0o100_644_u32 << 16).to_le_bytes());
        central.extend(at);
        central.extend(name.as_bytes());
        count = count.saturating_add(1);
    }
    let at = size(out.len());
    let length = size(central.len());
    out.extend(central);
    out.extend(END);
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(length);
    out.extend(at);
    out.extend([0; 2]);
    out
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn head(workspace: &Workspace) -> String {
    let mut out = format!("probe: {}\n", quoted(&workspace.probe.to_string()));
    let _ = writeln!(out, "seed: \"{}\"", workspace.seed);
    out
}

/// A YAML scalar in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The workspace of a zip. What is not UTF-8 in a text is replaced, as when a folder is read.
pub fn read(bytes: &[u8]) -> Result<Unpacked, Say> {
    let mut entries = entries(bytes)?;
    let top = top(&entries).map(str::to_string);
    let top = top.ok_or_else(|| say!("share/zip-without-head", file = HEAD))?;
    let (mut head, mut files) = (None, Vec::new());
    for file in entries.drain(..) {
        let Some(name) = file.name.strip_prefix(&*top) else {
            continue;
        };
        if name == HEAD {
            head = Some(file.text);
        } else if !name.split('/').any(|part| part.starts_with('.')) {
            files.push(File {
                name: name.into(),
                text: file.text,
            });
        }
    }
    let (probe, seed) = parse_scenario(&head.unwrap_or_else(|| "".into()))?;
    Ok(Unpacked {
        base: None,
        base_sum: None,
        files,
        gone: Vec::new(),
        probe,
        seed,
        step: 0,
        view: Vec::new(),
    })
}

/// Whether a workspace's head is among the files, so that they can be opened as one.
pub fn carries(files: &[File]) -> bool {
    top(files).is_some()
}

/// What stands before the names of a workspace's files: whoever zips a folder puts its name before everything.
fn top(files: &[File]) -> Option<&str> {
    let tops = files.iter().filter_map(|f| f.name.strip_suffix(HEAD));
    tops.filter(|top| top.is_empty() || top.ends_with('/'))
        .min_by_key(|top| top.len())
}

/// The files of a zip with their texts, in which what is not UTF-8 is replaced. The error says what is wrong with it.
pub fn entries(bytes: &[u8]) -> Result<Vec<File>, Say> {
    let broken = || say!("share/zip-broken");
    // The end's record is followed by a comment of at most 64 kB.
    let from = bytes.len().saturating_sub(22 + 65_535);
    let tail = bytes.get(from..).unwrap_or_default();
    let end = tail
        .windows(4)
        .rposition(|w| *w == END)
        .ok_or_else(broken)?;
    u16_at(bytes, from + end + 20).ok_or_else(broken)?;
    let count = u16_at(bytes, from + end + 10).ok_or_else(broken)?;
    let mut at = u32_at(bytes, from + end + 16).ok_or_else(broken)? as usize;
    let mut left = FILE_LIMIT.text;
    let mut files = Vec::new();
    for _ in 0..count {
        let field = |offset| u16_at(bytes, at + offset).ok_or_else(broken);
        let long = |offset| u32_at(bytes, at + offset).ok_or_else(broken);
        if bytes.get(at..at + 4) != Some(&CENTRAL) {
            return Err(broken());
        }
        let (flags, method, sum) = (field(8)?, field(10)?, long(16)?);
        let (packed, name) = (long(20)? as usize, usize::from(field(28)?));
        let rest = usize::from(field(30)?) + usize::from(field(32)?);
        let local = long(42)? as usize;
        let name_bytes = bytes.get(at + 46..at + 46 + name).ok_or_else(broken)?;
        let name = String::from_utf8_lossy(name_bytes).into_owned();
        at += 46 + name_bytes.len() + rest;
        if name.ends_with('/') {
            continue;
        }
        if flags & 1 != 0 {
            return Err(say!("share/zip-encrypted"));
        }
        if files.len() == FILE_LIMIT.files {
            return Err(say!("share/too-many-files", limit = FILE_LIMIT.files));
        }
        let skip = |offset| u16_at(bytes, local.saturating_add(offset)).map(usize::from);
        let start = skip(26)
            .zip(skip(28))
            .map(|(name, extra)| local + 30 + name + extra);
        let data = start.and_then(|start| bytes.get(start..start.checked_add(packed)?));
        let data = data.ok_or_else(broken)?;
        let too_much = || say!("share/too-much-text", limit = FILE_LIMIT.text / 1000);
        let text = match method {
            STORED if data.len() <= left => data.to_vec(),
            STORED => return Err(too_much()),
            DEFLATED => decompress_to_vec_with_limit(data, left).map_err(|e| {
                match e.status == miniz_oxide::inflate::TINFLStatus::HasMoreOutput {
                    true => too_much(),
                    false => broken(),
                }
            })?,
            _ => return Err(say!("share/zip-method", file = name)),
        };
        if crc32([&*text]) != sum {
            return Err(broken());
        }
        left -= text.len();
        files.push(File::new(&name, &String::from_utf8_lossy(&text)));
    }
    Ok(files)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::ProbeKind;
    use crate::workspace::{DEFAULT, Scenario};

    fn article() -> Workspace {
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        if let ProbeKind::Http(request) = &mut workspace.probe.kind {
            let header = ("user-agent", "curl/8 \"x\" (y: z)");
            request.headers.push((header.0.into(), header.1.into()));
        }
        workspace.seed = u64::MAX;
        workspace.files.push(File::new("空.txt", "一\n"));
        workspace
    }

    #[test]
    fn a_zip_opens_as_the_workspace_that_it_was_made_of() {
        let workspace = article();
        let unpacked = read(&write(&workspace)).unwrap();
        assert_eq!(unpacked.over(None).unwrap().0.workspace, workspace);
    }

    #[test]
    fn a_zip_cut_or_changed_anywhere_is_refused_and_never_a_panic() {
        let mut workspace = article();
        workspace.files.truncate(3);
        let zip = write(&workspace);
        for end in 0..zip.len() {
            assert!(read(&zip[..end]).is_err(), "cut at {end}");
        }
        for at in 0..zip.len() {
            let mut changed = zip.clone();
            changed[at] ^= 0xff;
            let _ = read(&changed);
        }
    }

    #[test]
    fn a_zip_without_a_probe_is_refused() {
        let nothing = [&END[..], &[0; 18]].concat();
        assert_eq!(read(&nothing).unwrap_err().key, "share/zip-without-head");
    }

    #[test]
    fn a_head_is_known_by_its_whole_name() {
        let carries = |names: &[&str]| {
            let files: Vec<_> = names.iter().map(|n| File::new(n, "")).collect();
            carries(&files)
        };
        assert!(carries(&["scenario.yaml"]));
        assert!(carries(&["mine/client.yaml", "mine/scenario.yaml"]));
        assert!(!carries(&["my-scenario.yaml", "scenario.yaml/client.yaml"]));
        // A shorter name that only ends so hides none.
        assert!(carries(&["a-scenario.yaml", "folder/scenario.yaml"]));
    }
}
