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

const CONFORM: &str = "\
northsouth conform SUITE IN OUT       the model's answers to a folder of recorded cases";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let help = words.first() == Some(&"help") || words.contains(&"--help");
    let result = match words[..] {
        _ if help => {
            println!("{}", usage());
            Ok(ExitCode::SUCCESS)
        }
        ["conform", suite, from, to] => {
            conform::run(suite, from.as_ref(), to.as_ref()).map(|()| ExitCode::SUCCESS)
        }
        ["trace", ref rest @ ..] => trace::command(rest),
        ["explain", ref rest @ ..] => explain::command(rest),
        ["dialects", ref rest @ ..] => cluster::dialects(rest),
        ["drift", ref rest @ ..] => cluster::drifts(rest),
        ["anonymise", ref rest @ ..] => cluster::anonymised(rest),
        ["gather", ref rest @ ..] => cluster::gathered(rest),
        ["life", ref rest @ ..] => cluster::life(rest),
        ["roads", ref rest @ ..] => roads::command(rest),
        ["export", ref rest @ ..] => export::command(rest),
        ["run", ref rest @ ..] => console::command(rest),
        ["package", ref rest @ ..] => package::command(rest),
        ["grade", ref rest @ ..] => exercise::grade::command(rest),
        ["lesson", ref rest @ ..] => lesson::command(rest),
        ["compare", ref rest @ ..] => compare::command(rest),
        ["why-not", ref rest @ ..] => why_not::command(rest),
        ["coverage", ref rest @ ..] => coverage::command(rest),
        ["exercise", ref rest @ ..] => exercise::command(rest),
        [] => Err(usage()),
        [other, ..] => Err(format!("{}\nthere is no command `{other}`", usage())),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
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

fn usage() -> String {
    [
        trace::USAGE,
        roads::USAGE,
        cluster::USAGE,
        export::USAGE,
        console::USAGE,
        explain::USAGE,
        compare::USAGE,
        why_not::USAGE,
        coverage::USAGE,
        exercise::USAGE,
        lesson::USAGE,
        exercise::grade::USAGE,
        package::USAGE,
        CONFORM,
    ]
    .join("\n\n")
}
