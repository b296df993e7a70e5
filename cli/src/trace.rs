//! `northsouth trace`: the walk of a workspace's probe.

use std::path::Path;
use std::process::ExitCode;

use northsouth::text::{File, Lang};
use northsouth::trace::{Disposition, Style, print};
use northsouth::workspace::{
    DEFAULT, Run, Scenario, Workspace, forwarding_names, parse_probe, parse_scenario, run,
    scenarios,
};

use crate::diagnose;
use crate::files;
use crate::options::Options;

pub const USAGE: &str = "\
northsouth trace [FROM] [OPTIONS]     the walk of a request, step by step
  FROM                a folder of texts, laid out as in content/scenarios/; a link of the page; a zip saved there
  --scenario NAME     a scenario of ours instead (default: article)
  --file NAME=PATH    put a file of yours in the place of one of the scenario's; may stand several times
  --probe TEXT        who sends what: 'client http GET http://182.92.251.227/', 'client tcp 192.168.0.17:31061',
                      'work001 icmp 172.20.2.7'
  --mode MODE         what the load balancer rewrites: keep-destination, rewrite-destination, full-nat
  --seed N            what decides by chance (default: the scenario's)
  --all               every packet of the conversation step by step
  --why               below each step why it happened, and what was passed over and why
  --json              the trace as JSON
  --lang LANG         en or zh-CN (default: the terminal's)
exit status: 0 delivered, 1 not delivered, 2 bad input, 3 cannot tell";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let json = options.flag("--json");
    let style = Style {
        lang,
        all: options.flag("--all"),
        why: options.flag("--why"),
    };
    let workspace = workspace(options, lang)?;
    let run = run(&workspace);
    eprint!("{}", diagnose::render(&run.files, &run.diagnostics, lang));
    if let Some(refused) = &run.refused {
        return Err(refused.text(lang));
    }
    if json {
        println!("{}", crate::json::trace(&workspace, &run, lang));
    } else {
        println!("{}\n", workspace.probe);
        print!("{}", print(&run.world, &run.trace, style));
    }
    Ok(status(&run))
}

/// For scripts: whether the request arrived.
fn status(run: &Run) -> ExitCode {
    match run.trace.disposition {
        Disposition::Delivered => ExitCode::SUCCESS,
        Disposition::CannotTell => ExitCode::from(3),
        _ => ExitCode::from(1),
    }
}

/// The scenario or folder, with what the options change in it.
pub fn workspace(mut options: Options<'_>, lang: Lang) -> Result<Workspace, String> {
    let scenario = options.value("--scenario")?;
    let replaced = options.values("--file")?;
    let probe = options.value("--probe")?;
    let mode = options.value("--mode")?;
    let seed = options.value("--seed")?;
    let rest = options.rest()?;
    let mut workspace = match (rest[..].first(), scenario) {
        (Some(from), None) if rest.len() == 1 => match Path::new(from).is_dir() {
            true => folder(Path::new(from), probe, lang)?,
            false => shared(from, lang)?,
        },
        (None, name) => named(name.unwrap_or(DEFAULT))?,
        (Some(_), Some(_)) => return Err("FROM or --scenario, not both".to_string()),
        (Some(_), None) => {
            let more = rest.get(1).copied().unwrap_or_default();
            return Err(format!("one FROM is enough: `{more}`"));
        }
    };
    for pair in replaced {
        let (name, path) = pair
            .split_once('=')
            .ok_or(format!("--file wants NAME=PATH, not `{pair}`"))?;
        let file = File::new(name, &files::text(Path::new(path))?);
        match workspace.files.iter_mut().find(|f| &*f.name == name) {
            Some(known) => *known = file,
            None => workspace.files.push(file),
        }
    }
    if let Some(text) = probe {
        workspace.probe = parse_probe(text).map_err(|say| say.text(lang))?;
    }
    if let Some(text) = seed {
        workspace.seed = text
            .parse()
            .map_err(|_| format!("--seed wants a number, not `{text}`"))?;
    }
    if let Some(mode) = mode {
        if !forwarding_names().contains(&mode) {
            let names = forwarding_names().join(", ");
            return Err(format!("unknown mode `{mode}`: {names}"));
        }
        workspace = workspace
            .with_forwarding(mode)
            .ok_or("--mode wants a load-balancer.yaml with a line `forwarding:`")?;
    }
    Ok(workspace)
}

pub fn named(name: &str) -> Result<Workspace, String> {
    let names = || scenarios().iter().map(|s| s.name).collect::<Vec<_>>();
    Scenario::find(name)
        .and_then(|s| s.workspace())
        .ok_or_else(|| format!("unknown scenario `{name}`: {}", names().join(", ")))
}

/// What a link, or a file that carries one, holds.
/// An address with `#w=` in it, or what follows that, which begins with the number of its form.
fn is_link(from: &str) -> bool {
    let form = from.split('.').next().unwrap_or("");
    from.contains("#w=") || (!form.is_empty() && form.bytes().all(|b| b.is_ascii_digit()))
}

fn shared(from: &str, lang: Lang) -> Result<Workspace, String> {
    let path = Path::new(from);
    let bytes = match path.is_file() {
        true => std::fs::read(path).map_err(|e| format!("{from}: {e}"))?,
        false if !is_link(from) => {
            return Err(format!(
                "{from}: there is no such folder or file, nor is it a link"
            ));
        }
        false => from.as_bytes().to_vec(),
    };
    let name: String = from.chars().take(60).collect();
    let said = |say: northsouth::text::Say| format!("{name}: {}", say.text(lang));
    let unpacked = northsouth::share::open(&bytes).map_err(said)?;
    let base = unpacked.base.as_deref().map(named).transpose()?;
    let (shared, remark) = unpacked.over(base.as_ref()).map_err(said)?;
    if let Some(remark) = remark {
        eprintln!("{}", remark.text(lang));
    }
    Ok(shared.workspace)
}

/// A folder's files; its `scenario.yaml` has probe and seed, where it has one.
pub fn folder(dir: &Path, probe: Option<&str>, lang: Lang) -> Result<Workspace, String> {
    let mut files = files::read(dir)?;
    let head = files.iter().position(|f| &*f.name == files::HEAD);
    let head = head.map(|at| files.remove(at));
    let (probe, seed) = match (&head, probe) {
        (Some(head), _) => parse_scenario(&head.text).map_err(|say| say.text(lang))?,
        (None, Some(text)) => (parse_probe(text).map_err(|say| say.text(lang))?, 1),
        (None, None) => {
            return Err(format!(
                "{}: no {}; say with --probe who sends what",
                dir.display(),
                files::HEAD
            ));
        }
    };
    Ok(Workspace { files, probe, seed })
}
