//! `northsouth`: the model for terminals, CI and graders.

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

use std::process::ExitCode;

const CONFORM: &str = "\
northsouth conform SUITE IN OUT       the model's answers to a folder of recorded cases";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["conform", suite, from, to] => {
            conform::run(suite, from.as_ref(), to.as_ref()).map(|()| ExitCode::SUCCESS)
        }
        ["trace", ref rest @ ..] if !rest.contains(&"--help") => trace::command(rest),
        ["explain", ref rest @ ..] if !rest.contains(&"--help") => explain::command(rest),
        ["dialects", ref rest @ ..] if !rest.contains(&"--help") => cluster::dialects(rest),
        ["drift", ref rest @ ..] if !rest.contains(&"--help") => cluster::drifts(rest),
        ["anonymise", ref rest @ ..] if !rest.contains(&"--help") => cluster::anonymised(rest),
        ["life", ref rest @ ..] if !rest.contains(&"--help") => cluster::life(rest),
        ["roads", ref rest @ ..] if !rest.contains(&"--help") => roads::command(rest),
        ["export", ref rest @ ..] if !rest.contains(&"--help") => export::command(rest),
        ["run", ref rest @ ..] if !rest.contains(&"--help") => console::command(rest),
        ["package", ref rest @ ..] if !rest.contains(&"--help") => package::command(rest),
        ["grade", ref rest @ ..] if !rest.contains(&"--help") => exercise::grade::command(rest),
        ["lesson", ref rest @ ..] if !rest.contains(&"--help") => lesson::command(rest),
        ["compare", ref rest @ ..] if !rest.contains(&"--help") => compare::command(rest),
        ["why-not", ref rest @ ..] if !rest.contains(&"--help") => why_not::command(rest),
        ["coverage", ref rest @ ..] if !rest.contains(&"--help") => coverage::command(rest),
        ["exercise", ref rest @ ..] if !rest.contains(&"--help") => exercise::command(rest),
        [
            "help" | "--help" | "trace" | "explain" | "roads" | "dialects" | "drift" | "anonymise"
            | "life" | "run" | "exercise" | "compare" | "why-not" | "coverage" | "lesson"
            | "export",
            ..,
        ] => {
            println!("{}", usage());
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(usage()),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
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
