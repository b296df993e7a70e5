//! `northsouth why-not`: why the packet did not take a line, and what it would take.

use std::process::ExitCode;

use northsouth::text::{FileId, Lang, Reason};
use northsouth::workspace::{Verdict, run, why_not};

use crate::options::{Options, misused};
use crate::trace;

pub const USAGE: &str = "\
northsouth why-not FILE:LINE [DIR] [OPTIONS]   why the packet did not take a rule, route or backend, and what it would take
  FILE:LINE           a line of the workspace: nodes/work001/iptables-save.txt:24; or FILE:TEXT, the first line with a text
  options             those of `northsouth trace`
exit status: 0 it took it, 1 it did not, 2 bad input";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let Some((place, rest)) = words.split_first() else {
        return Err(misused(USAGE, "FILE:LINE is wanted"));
    };
    let mut options = Options::new(rest);
    let lang = options.lang()?;
    let workspace = trace::workspace(options, lang)?;
    let run = run(&workspace);
    if let Some(refused) = &run.refused {
        return Err(refused.text(lang));
    }
    let (name, line) = place.split_once(':').ok_or_else(|| {
        let why = format!("FILE:LINE is wanted, not `{place}`");
        misused(USAGE, &why)
    })?;
    let at = run.files.iter().position(|f| &*f.name == name);
    let at = at.ok_or_else(|| {
        let names: Vec<_> = run.files.iter().map(|f| &*f.name).collect();
        format!("no file `{name}`: {}", names.join(", "))
    })?;
    let text = &run
        .files
        .get(at)
        .map(|f| f.text.clone())
        .unwrap_or_default();
    let offset = match line.parse::<usize>() {
        Ok(number) => text
            .split_inclusive('\n')
            .take(number.saturating_sub(1))
            .map(str::len)
            .sum(),
        Err(_) => text
            .find(line)
            .ok_or_else(|| format!("{name} has no `{line}`"))?,
    };
    // Past what a listing prints before the rule itself.
    let end = text
        .get(offset..)
        .and_then(|t| t.find('\n'))
        .map_or(text.len(), |n| offset + n);
    let subject = (offset..=end).find_map(|at_byte| run.subject_at(FileId::at(at), at_byte as u32));
    let Some(subject) = subject else {
        return Err(northsouth::workspace::nothing_here().text(lang));
    };
    println!("{}", run.subject_text(&subject));
    let answer = why_not(&workspace, &run, subject);
    println!("{}", answer.say().text(lang));
    match &answer.verdict {
        Verdict::Taken(_) => return Ok(ExitCode::SUCCESS),
        Verdict::PassedOver(_, reason) => show(&reason.children, 1, lang),
        Verdict::NotReached(reasons) => show(reasons, 1, lang),
    }
    println!();
    for way in &answer.ways {
        println!("→ {}", way.say(&run).text(lang));
    }
    if answer.ways.is_empty() {
        println!("{}", answer.no_way().text(lang));
    }
    Ok(ExitCode::from(1))
}

fn show(reasons: &[Reason], depth: usize, lang: Lang) {
    for reason in reasons {
        let indent = "  ".repeat(depth);
        if !reason.text.is_empty() {
            println!("{indent}{}", reason.text);
        }
        println!("{indent}{}", reason.say.text(lang));
        show(&reason.children, depth + 1, lang);
    }
}
