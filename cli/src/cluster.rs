//! Commands about a cluster and its texts: dialects, drift, anonymise, life.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use northsouth::insight::{
    anonymise, changes, drift, ending, inventory, nearest, operations, perform,
};
use northsouth::text::{Edit, File, Lang, unified};
use northsouth::workspace::{FileKind, Run, Workspace, gather, parse_probe, parse_scenario, run};

use crate::files;
use crate::options::{Options, misused};
use crate::trace::workspace;

pub const DIALECTS: &str = "\
northsouth dialects FILE --service NAMESPACE/NAME [--node NODE]   a Service in the words of each release of kube-proxy
  FILE                a cluster's manifests, or a folder with them
  --node NODE         for this node (default: the first)";

pub const DRIFT: &str = "\
northsouth drift DIR                  where pasted node rules differ from what kube-proxy would program
  DIR                 a folder with the cluster's manifests and with nodes/NODE/iptables-save.txt or nft-ruleset.txt;
                      what of the cluster is not modelled is counted
  --lang LANG         en or zh-CN (default: the terminal's)
exit status: 0 nowhere, 1 somewhere, 2 bad input";

pub const GATHER: &str = "\
northsouth gather FROM... OUT         texts as people have them, sorted into a folder as a workspace
  FROM                files and folders: pasted output with its prompts, reports; `-` is the standard input
  OUT                 the new folder
  --lang LANG         en or zh-CN (default: the terminal's)
what is no text, and links to folders, are passed over and named";

pub const ANONYMISE: &str = "\
northsouth anonymise DIR OUT          a folder with other names and addresses, the same ones everywhere
  OUT                 the new folder
what became of each name is printed, for you alone";

pub const LIFE: &str = "\
northsouth life [DIR] [OPTIONS]       what can happen to a cluster, and what changes then
  --do N              what changes by the Nth of these, and what becomes of the probe's connection
  DIR, options        those of `northsouth trace`";

pub fn dialects(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let service = options.value("--service")?;
    let node = options.value("--node")?;
    let [path] = options.named(["FILE"], DIALECTS)?;
    let service = service.ok_or_else(|| misused(DIALECTS, "--service is wanted"))?;
    let path = Path::new(path);
    let files = match path.is_dir() {
        true => files::read(path)?,
        false => vec![File::new("cluster.yaml", &files::text(path)?)],
    };
    let (_, run) = played(files)?;
    let cluster = run.cluster.ok_or("there are no manifests")?;
    let (services, nodes) = (&cluster.objects.services, &cluster.objects.nodes);
    let names: Vec<String> = services.iter().map(|s| s.meta.full_name()).collect();
    let at = names
        .iter()
        .position(|n| *n == service || *n == format!("default/{service}"));
    let at = at.ok_or(format!("no Service `{service}`: {}", names.join(", ")))?;
    let on = match node {
        None => 0,
        Some(node) => nodes
            .iter()
            .position(|n| &*n.meta.name == node)
            .ok_or(format!("no Node `{node}`"))?,
    };
    for dialect in cluster.dialects(at, on) {
        let (version, tool) = (dialect.version.name(), dialect.tool());
        println!("# Kubernetes {version}, {tool}\n{}", dialect.sheet.text());
    }
    Ok(ExitCode::SUCCESS)
}

pub fn drifts(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let [dir] = options.named(["DIR"], DRIFT)?;
    let (workspace, run) = played(files::read(Path::new(dir))?)?;
    let held = inventory(&workspace);
    let counted = |of: &[(String, usize)]| -> String {
        let each: Vec<String> = of.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        each.join(", ")
    };
    println!("# {}", counted(&held.modelled));
    if !held.passed_over.is_empty() {
        println!("# - {}", counted(&held.passed_over));
    }
    for (code, count) in &held.remarks {
        println!("# - {count} {code}");
    }
    let found = drift(&run);
    for drift in &found {
        let file = run.files.get(drift.file).map_or("", |f| &*f.name);
        println!("{file}: {}", drift.chain);
        for line in &drift.lines {
            let place = line.span.and_then(|span| {
                let file = run.files.get(drift.file)?;
                Some(format!(":{}", file.line_column(span.start).line))
            });
            let sign = if line.edit == Edit::Gone { '-' } else { '+' };
            println!("{sign}{} {}", place.unwrap_or_default(), line.text);
        }
    }
    if let Some((_, say)) = nearest(&run) {
        println!("{}", say.text(lang));
    }
    Ok(match found.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    })
}

pub fn anonymised(words: &[&str]) -> Result<ExitCode, String> {
    let [from, to] = Options::new(words).named(["DIR", "OUT"], ANONYMISE)?;
    let to = new_folder(to)?;
    let mut all = files::read(Path::new(from))?;
    let head = all
        .iter()
        .position(|f| &*f.name == files::HEAD)
        .map(|at| all.remove(at));
    let (probe, seed) = match &head {
        Some(head) => parse_scenario(&head.text).map_err(|say| say.text(Lang::En))?,
        None => (nobody()?, 1),
    };
    let found = anonymise(&Workspace {
        files: all,
        probe,
        seed,
    });
    let mut texts: Vec<(String, String)> = found
        .workspace
        .files
        .iter()
        .map(|f| (f.name.to_string(), f.text.to_string()))
        .collect();
    if head.is_some() {
        let head = format!("probe: {}\nseed: {seed}\n", found.workspace.probe);
        texts.push((files::HEAD.to_string(), head));
    }
    write(to, &texts)?;
    for (before, after) in &found.renamed {
        println!("{before} > {after}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A folder to write to. What lies in it already would be taken for part of what is written, or be lost to it.
fn new_folder(to: &str) -> Result<&Path, String> {
    let to = Path::new(to);
    match fs::read_dir(to).is_ok_and(|mut there| there.next().is_some()) {
        true => Err(format!("{}: there is something in it", to.display())),
        false => Ok(to),
    }
}

fn write(to: &Path, texts: &[(String, String)]) -> Result<(), String> {
    for (name, text) in texts {
        let path = to.join(name);
        let said = |e: std::io::Error| format!("{}: {e}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(said)?;
        }
        fs::write(&path, text).map_err(said)?;
    }
    Ok(())
}

pub fn gathered(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let words = options.rest()?;
    let Some((to, from)) = words.split_last().filter(|(_, from)| !from.is_empty()) else {
        return Err(misused(GATHER, "FROM and OUT are wanted"));
    };
    let to = new_folder(to)?;
    let mut texts = Vec::new();
    let mut take = |name: String, path: &Path, bytes: &[u8]| match bytes.contains(&0) {
        true => files::pass_over(path, "no text"),
        false => texts.push((name, String::from_utf8_lossy(bytes).into_owned())),
    };
    for from in from {
        let path = Path::new(from);
        let name = path
            .file_name()
            .map_or(String::new(), |n| n.to_string_lossy().into_owned());
        if *from == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().read_to_end(&mut bytes);
            read.map_err(|e| format!("-: {e}"))?;
            take("pasted.txt".to_string(), path, &bytes);
        } else if path.is_dir() {
            for (inside, path) in files::paths(path)? {
                take(format!("{name}/{inside}"), &path, &files::bytes(&path)?);
            }
        } else {
            take(name, path, &files::bytes(path)?);
        }
    }
    let sorted = gather(&texts, "nodes/node1");
    write(to, &sorted)?;
    for (path, _) in &sorted {
        println!("{path}: {}", FileKind::of(path).title().text(lang));
    }
    Ok(ExitCode::SUCCESS)
}

pub fn life(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let chosen = options.value("--do")?;
    let before = workspace(options, lang)?;
    let was = run(&before);
    let all = operations(&before, &was);
    let Some(chosen) = chosen else {
        for (number, operation) in (1..).zip(&all) {
            println!("{number:>3}  {}", operation.say().text(lang));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let number = chosen.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let operation = number.and_then(|n| all.get(n));
    let operation = operation.ok_or(format!("--do wants a number of the list, not `{chosen}`"))?;
    let after = perform(&before, &was, operation).ok_or("it cannot be done")?;
    let is = run(&after);
    println!("{}\n", operation.say().text(lang));
    let found = changes(&was, &is);
    for (name, old, new) in &found.files {
        println!("{name}\n{}", unified(old, new, 1));
    }
    let told = |world, trace| {
        ending(world, trace)
            .map(|s| s.text(lang))
            .unwrap_or_default()
    };
    println!(
        "before: {}\nafter: {}",
        told(&was.world, &was.trace),
        told(&is.world, &is.trace)
    );
    if let Some(existing) = &found.existing {
        println!("existing: {}", told(&is.world, existing));
    }
    Ok(ExitCode::SUCCESS)
}

fn nobody() -> Result<northsouth::workspace::Probe, String> {
    parse_probe("client tcp 0.0.0.0:1").map_err(|say| say.text(Lang::En))
}

/// A folder's files without a probe that matters.
fn played(mut all: Vec<File>) -> Result<(Workspace, Run), String> {
    all.retain(|f| &*f.name != files::HEAD);
    let workspace = Workspace {
        files: all,
        probe: nobody()?,
        seed: 1,
    };
    let run = run(&workspace);
    Ok((workspace, run))
}
