//! `northsouth exercise`: for who writes exercises.

mod check;

use std::process::ExitCode;

use northsouth::workspace::{Scenario, Workspace};

pub const USAGE: &str = "\
northsouth exercise check FILE...     whether exercises are sound: read, played, solved, and not by the wrong answers
  --lang LANG         en or zh-CN (default: the terminal's)
exit status: 0 all are sound, 1 something is wrong, 2 bad input";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    match words {
        ["check", rest @ ..] => check::command(rest),
        _ => Err(USAGE.to_string()),
    }
}

/// The scenarios that exercises start from.
pub fn base(name: &str) -> Option<Workspace> {
    Scenario::find(name)?.workspace()
}
