//! `northsouth`: the model for terminals, CI and graders.

// In the place of the standard ones, which panic where nobody reads on, as behind `| head`.
macro_rules! print {
    ($($words:tt)*) => { $crate::put(format_args!($($words)*)) };
}
macro_rules! println {
    () => { print!("\n") };
    ($($words:tt)*) => { print!("{}\n", format_args!($($words)*)) };
}

mod cluster;
mod compare;
mod conform;
mod console;
mod coverage;
mod diagnose;
mod exercise;
mod explain;
mod export;
mod files;
mod json;
mod lesson;
mod options;
mod package;
mod packet;
mod roads;
mod trace;
mod why_not;

use std::io::{self, ErrorKind, Write};
use std::process::{self, ExitCode};

/// As a shell says of a program that nobody reads any more: 128 and the number of SIGPIPE.
const UNREAD: i32 = 141;

/// What a command is called, how it is used, and what does it.
type Command = (
    &'static str,
    &'static str,
    fn(&[&str]) -> Result<ExitCode, String>,
);

const COMMANDS: [Command; 18] = [
    ("trace", trace::USAGE, trace::command),
    ("explain", explain::USAGE, explain::command),
    ("run", console::USAGE, console::command),
    ("why-not", why_not::USAGE, why_not::command),
    ("compare", compare::USAGE, compare::command),
    ("coverage", coverage::USAGE, coverage::command),
    ("roads", roads::USAGE, roads::command),
    ("life", cluster::LIFE, cluster::life),
    ("dialects", cluster::DIALECTS, cluster::dialects),
    ("drift", cluster::DRIFT, cluster::drifts),
    ("gather", cluster::GATHER, cluster::gathered),
    ("anonymise", cluster::ANONYMISE, cluster::anonymised),
    ("export", export::USAGE, export::command),
    ("exercise", exercise::USAGE, exercise::command),
    ("lesson", lesson::USAGE, lesson::command),
    ("grade", exercise::grade::USAGE, exercise::grade::command),
    ("package", package::USAGE, package::command),
    ("conform", conform::USAGE, conform::command),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match answer(&words) {
        Ok(code) => code,
        Err(message) => {
            // Nobody may be reading here either.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}

fn answer(words: &[&str]) -> Result<ExitCode, String> {
    let is_help = |word: &&str| ["--help", "-h"].contains(word);
    let (name, rest) = match words {
        ["help", name, ..] => (*name, &["--help"][..]),
        ["help"] => ("--help", &[][..]),
        [name, rest @ ..] => (*name, rest),
        [] => return Err(overview()),
    };
    if is_help(&name) {
        println!("{}", overview());
        return Ok(ExitCode::SUCCESS);
    }
    let found = COMMANDS.iter().find(|(known, ..)| *known == name);
    let (_, usage, run) =
        found.ok_or_else(|| format!("{}\n\nthere is no command `{name}`", overview()))?;
    if rest.iter().any(is_help) {
        println!("{usage}");
        return Ok(ExitCode::SUCCESS);
    }
    run(rest)
}

fn put(words: std::fmt::Arguments<'_>) {
    match io::stdout().write_fmt(words) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => process::exit(UNREAD),
        Err(error) => {
            eprintln!("{error}");
            process::exit(2);
        }
    }
}

/// A line a command: what the first of its usage says.
fn overview() -> String {
    let mut out = "northsouth COMMAND …\n".to_string();
    for (_, usage, _) in COMMANDS {
        for line in usage.lines().filter(|line| line.starts_with("northsouth ")) {
            let (form, about) = line.split_once("   ").unwrap_or((line, ""));
            let name = form.split(' ').skip(1);
            let name: Vec<_> = name
                .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
                .collect();
            out += &format!("\n  {:<16} {}", name.join(" "), about.trim_start());
        }
    }
    out + "\n\n`northsouth COMMAND --help` tells how each is used."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_says_in_a_line_what_it_is_for() {
        let overview = overview();
        for (name, usage, _) in COMMANDS {
            assert!(usage.starts_with(&format!("northsouth {name} ")), "{usage}");
            let line = overview.lines().find(|l| l.trim().starts_with(name));
            let about = line.map_or("", |l| l.trim().trim_start_matches(name));
            assert!(about.trim().len() > 20, "{name}: {line:?}");
        }
    }

    #[test]
    fn a_command_that_is_none_or_lacks_something_says_so_last() {
        let last = |words: &[&str]| {
            let said = answer(words).unwrap_err();
            said.lines().last().unwrap_or_default().to_string()
        };
        assert_eq!(last(&["tracee"]), "there is no command `tracee`");
        assert_eq!(last(&["trace", "a", "b"]), "one FROM is enough: `b`");
        assert_eq!(last(&["anonymise", "a"]), "DIR and OUT are wanted");
        assert_eq!(last(&["drift", "a", "b"]), "DIR is wanted and no more: `b`");
        assert_eq!(
            last(&["explain", "--packet", "out udp > 1.1.1.1:53"]),
            "which dumps? At least --routes or --addr tells what the host is"
        );
    }
}
