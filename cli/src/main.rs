//! Northsouth for terminals, CI and graders.

mod conform;

use std::process::ExitCode;

const USAGE: &str = "usage: northsouth conform SUITE IN OUT
  Writes the model's answers to the corpus IN, in the corpus's own form, to the folder OUT.
  SUITE: kube-proxy";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["conform", suite, input, output] => conform::run(suite, input.as_ref(), output.as_ref()),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
