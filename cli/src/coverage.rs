//! `northsouth coverage`: which rules and routes a set of probes reaches.

use std::path::Path;
use std::process::ExitCode;

use northsouth::workspace::{coverage, parse_probe, probes, run};

use crate::files;
use crate::options::Options;
use crate::trace;

pub const USAGE: &str = "\
northsouth coverage [DIR] [OPTIONS]   which rules, routes and backends a set of probes reaches, and which are shadowed
  --probes FILE       a probe a line, instead of those that the workspace suggests: every address and port where a
                      balancer, a rule or a socket waits, from the client, a node and a pod
  options             those of `northsouth trace`";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let list = options.value("--probes")?;
    let workspace = trace::workspace(options, lang)?;
    let run = run(&workspace);
    let mut set = vec![workspace.probe.clone()];
    match list {
        Some(path) => {
            let text = files::text(Path::new(path))?;
            for (at, line) in text.lines().enumerate() {
                if !line.trim().is_empty() && !line.starts_with('#') {
                    let probe = parse_probe(line.trim());
                    set.push(
                        probe.map_err(|say| format!("{path}:{}: {}", at + 1, say.text(lang)))?,
                    );
                }
            }
        }
        None => set.extend(probes(&run)),
    }
    let found = coverage(&run, &set, workspace.seed);
    for (probe, ending) in &found.probes {
        println!(
            "{probe}: {}",
            ending.map(|e| e.say().text(lang)).unwrap_or_default()
        );
    }
    let mut file = None;
    for line in &found.lines {
        let span = line.subject.span;
        if file != Some(span.file) {
            file = Some(span.file);
            let name = run.files.get(span.file.index()).map_or("", |f| &*f.name);
            println!("\n{name}");
        }
        let sign = match (line.shadowed_by, line.taken.is_empty(), line.asked) {
            (Some(_), ..) => '⊘',
            (_, false, _) => '✓',
            (_, _, true) => '·',
            _ => ' ',
        };
        let said = line.say(&run, found.probes.len()).text(lang);
        println!("{sign} {}\n      {said}", run.subject_text(&line.subject));
    }
    let (taken, all) = found.score();
    println!("\n{taken} / {all}");
    Ok(ExitCode::SUCCESS)
}
