//! `northsouth exercise`: for who writes exercises.

mod check;
pub mod grade;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use northsouth::text::Lang;
use northsouth::workspace::{Scenario, Workspace};

use crate::options::misused;

pub const USAGE: &str = "\
northsouth exercise check FILE...     whether exercises are sound: read, played, solved, and not by the wrong answers
  --lang LANG         en or zh-CN (default: the terminal's)
exit status: 0 all are sound, 1 something is wrong, 2 bad input";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    match words {
        ["check", rest @ ..] => check::command(rest),
        _ => Err(misused(USAGE, "`check` is wanted")),
    }
}

/// The scenarios that exercises start from.
pub fn base(name: &str) -> Option<Workspace> {
    Scenario::find(name)?.workspace()
}

/// The same page in other languages, where the file lies in a language's folder.
pub fn siblings(path: &Path) -> Vec<(&'static str, PathBuf)> {
    let parts: Vec<_> = path.iter().collect();
    let mut all = Vec::new();
    for own in Lang::ALL {
        let Some(at) = parts.iter().rposition(|part| *part == own.tag()) else {
            continue;
        };
        for lang in Lang::ALL.into_iter().filter(|lang| *lang != own) {
            let with = |(n, part)| if n == at { lang.tag().as_ref() } else { part };
            let other: PathBuf = parts.iter().copied().enumerate().map(with).collect();
            if other.exists() {
                all.push((lang.tag(), other));
            }
        }
    }
    all
}
