//! `northsouth roads`: everybody who may take a new connection, and how likely.

use std::process::ExitCode;

use northsouth::insight::{Share, Shares, shares};
use northsouth::text::{File, Lang};
use northsouth::workspace::run;
use serde_json::{Value, json};

use crate::diagnose;
use crate::options::Options;
use crate::trace::workspace;

pub const USAGE: &str = "\
northsouth roads [DIR] [OPTIONS]      all ends of a new connection: exact chances, and a tally of connections really made
  DIR, --scenario, --file, --probe, --mode, --seed, --lang as for trace
  --connections N     how many are made for the tally (default: 100)
  --forks             each road with the places where it forks
  --json              the same as JSON
exit status: 0 shares are equal, 1 they are not, or some connections get no answer, 2 bad input";

/// The longest bar of the tally, in characters.
const BAR: u32 = 40;

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let (json, forks) = (options.flag("--json"), options.flag("--forks"));
    let connections = match options.value("--connections")? {
        None => 100,
        Some(text) => text.parse().ok().filter(|n| *n <= 100_000).ok_or(format!(
            "--connections wants a number up to 100000, not `{text}`"
        ))?,
    };
    let workspace = workspace(options, lang)?;
    let run = run(&workspace);
    if let Some(refused) = &run.refused {
        return Err(refused.text(lang));
    }
    let shares = shares(&workspace, &run, connections).ok_or("nobody sends")?;
    if json {
        println!("{}", as_json(&shares, &run.files, lang));
    } else {
        eprint!("{}", diagnose::render(&run.files, &run.diagnostics, lang));
        println!("{}\n", workspace.probe);
        print!("{}", table(&shares, lang));
        if forks {
            println!();
            print!("{}", by_forks(&shares, &run.files, lang));
        }
        for remark in shares.remarks() {
            println!("\n{}", remark.text(lang));
        }
    }
    Ok(match shares.remarks().is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    })
}

fn table(shares: &Shares, lang: Lang) -> String {
    let width =
        |of: fn(&Share) -> String| shares.shares.iter().map(|s| of(s).chars().count()).max();
    let name = |s: &Share| s.name.clone();
    let chance = |s: &Share| s.chance.to_string();
    let (names, chances) = (width(name).unwrap_or(0), width(chance).unwrap_or(0));
    let mut out = String::new();
    for share in &shares.shares {
        let bar = (share.count * BAR).div_ceil(shares.connections.max(1));
        let line = format!(
            "{:<names$}  {:>chances$}  {:>9}  {:>5}  {}",
            share.name,
            chance(share),
            share.chance.percent(),
            share.count,
            "#".repeat(bar as usize)
        );
        out.push_str(line.trim_end());
        if let Some(trouble) = share.trouble() {
            out.push_str(&format!("  ({})", trouble.text(lang)));
        }
        out.push('\n');
    }
    out
}

/// `1/2 nodes/n1/iptables-save.txt:7 the rule takes it`: each fork with the chance of the side that was taken.
fn by_forks(shares: &Shares, files: &[File], lang: Lang) -> String {
    let mut out = String::new();
    for share in &shares.shares {
        for road in share.roads.iter().filter_map(|at| shares.roads.get(*at)) {
            out.push_str(&format!("{}  {}\n", share.name, road.chance));
            for fork in &road.forks {
                let file = files.get(fork.span.file.index());
                let place =
                    file.map(|f| format!("{}:{}", f.name, f.line_column(fork.span.start).line));
                let chance = fork.chance.to_string();
                let (place, side) = (place.unwrap_or_default(), fork.side.text(lang));
                out.push_str(&format!("  {chance:<8} {place}  {side}\n"));
            }
        }
    }
    out
}

fn as_json(shares: &Shares, files: &[File], lang: Lang) -> Value {
    let road = |at: &usize| {
        let road = shares.roads.get(*at)?;
        let forks = road.forks.iter().map(|fork| {
            let file = files.get(fork.span.file.index());
            json!({
                "chance": fork.chance.to_string(),
                "side": fork.side.text(lang),
                "file": file.map(|f| f.name.to_string()),
                "line": file.map(|f| f.line_column(fork.span.start).line),
            })
        });
        Some(json!({ "chance": road.chance.to_string(), "forks": forks.collect::<Vec<_>>() }))
    };
    let ends: Vec<Value> = shares
        .shares
        .iter()
        .map(|share| {
            json!({
                "name": share.name,
                "chance": share.chance.to_string(),
                "percent": share.chance.percent(),
                "connections": share.count,
                "peers": share.peers,
                "disposition": share.end.as_ref().map(|e| e.disposition),
                "answered": share.end.as_ref().is_some_and(|e| e.answered),
                "roads": share.roads.iter().filter_map(road).collect::<Vec<_>>(),
            })
        })
        .collect();
    let remarks: Vec<String> = shares.remarks().iter().map(|s| s.text(lang)).collect();
    json!({ "version": 1, "connections": shares.connections, "ends": ends, "remarks": remarks })
}
