//! `northsouth`: the model for terminals, CI and graders.

mod conform;

use std::process::ExitCode;

const USAGE: &str = "usage: northsouth conform SUITE IN OUT";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["conform", suite, from, to] => conform::run(suite, from.as_ref(), to.as_ref()),
        _ => Err(USAGE.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
