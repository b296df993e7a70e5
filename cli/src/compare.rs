//! `northsouth compare`: two workspaces' walks side by side, and what differs in their texts.

use std::path::Path;
use std::process::ExitCode;

use northsouth::text::{Lang, unified};
use northsouth::trace::{How, StepAt, compare, tell};
use northsouth::workspace::{Run, Workspace, run};

use crate::options::Options;
use crate::trace::{folder, named};

pub const USAGE: &str = "\
northsouth compare A B [OPTIONS]      where two walks part, and how their texts differ
  A, B                folders of texts, or names of scenarios
  --probe TEXT        the same probe for both
  --all               the steps that are the same as well
  --lang LANG         en or zh-CN (default: the terminal's)
exit status: 0 the same, 1 different, 2 bad input";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let all = options.flag("--all");
    let probe = options.value("--probe")?;
    let [before, after] = options.named(["A", "B"], USAGE)?;
    let (before, after) = (open(before, probe, lang)?, open(after, probe, lang)?);
    let (old, new) = (run(&before), run(&after));
    let found = compare((&old.world, &old.trace), (&new.world, &new.trace));
    for (at, pair) in found.pairs.iter().enumerate() {
        let first = found.parting == Some(at);
        let sign = match pair.how {
            How::Same if !all => continue,
            How::Same => ' ',
            How::Changed => '~',
            How::Gone => '-',
            How::New => '+',
        };
        if first {
            println!("@@ {} @@", at + 1);
        }
        for (sign, run, at) in [
            (if sign == '~' { '-' } else { sign }, &old, pair.before),
            (if sign == '~' { '+' } else { sign }, &new, pair.after),
        ] {
            if let Some(line) = at.and_then(|at| line(run, at, lang)) {
                println!("{sign} {line}");
            }
            if pair.how == How::Same {
                break;
            }
        }
    }
    let mut differ = found.parting.is_some();
    for file in &new.files {
        let other = old.files.iter().find(|f| f.name == file.name);
        let text = other.map_or("", |f| &*f.text);
        if *text != *file.text {
            differ = true;
            println!(
                "\n--- {0}\n+++ {0}\n{1}",
                file.name,
                unified(text, &file.text, 2)
            );
        }
    }
    for file in old
        .files
        .iter()
        .filter(|f| !new.files.iter().any(|n| n.name == f.name))
    {
        differ = true;
        println!(
            "\n--- {0}\n+++ {0}\n{1}",
            file.name,
            unified(&file.text, "", 2)
        );
    }
    Ok(ExitCode::from(u8::from(differ)))
}

fn open(name: &str, probe: Option<&str>, lang: Lang) -> Result<Workspace, String> {
    let mut workspace = match Path::new(name).is_dir() {
        true => folder(Path::new(name), probe, lang)?,
        false => named(name)?,
    };
    if let Some(text) = probe {
        workspace.probe = northsouth::workspace::parse_probe(text).map_err(|say| say.text(lang))?;
    }
    Ok(workspace)
}

fn line(run: &Run, at: StepAt, lang: Lang) -> Option<String> {
    let journey = run.trace.journeys.get(at.journey as usize)?;
    let hop = journey.hops.get(at.hop as usize)?;
    let step = hop.steps.get(at.step as usize)?;
    let host = run.world.host(hop.host).map_or("", |h| &*h.name);
    Some(format!(
        "{host}: {}",
        tell(&run.world, hop.host, step).text(lang)
    ))
}
