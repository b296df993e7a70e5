//! `northsouth lesson`: for who writes lessons.

use std::path::Path;
use std::process::ExitCode;

use northsouth::lesson::{check, differs, read};
use northsouth::text::{File, FileId, Lang, Severity};

use crate::diagnose;
use crate::exercise::{base, siblings};
use crate::files;
use crate::options::Options;

pub const USAGE: &str = "\
northsouth lesson check FILE...       whether lessons are sound: each stop is found, each question has its answer
  --lang LANG         en or zh-CN (default: the terminal's)
exit status: 0 all are sound, 1 something is wrong, 2 bad input";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let ["check", rest @ ..] = words else {
        return Err(USAGE.to_string());
    };
    Options::new(rest).each_file(USAGE, one)
}

/// Prints what is wrong with a file, or what it holds.
fn one(path: &Path, lang: Lang) -> Result<bool, String> {
    let shown = path.display().to_string();
    let file = File::new(&shown, &files::text(path)?);
    let (lesson, mut said) = read(&file.text, FileId(0), &base);
    said.extend(lesson.iter().flat_map(check));
    print!(
        "{}",
        diagnose::render(std::slice::from_ref(&file), &said, lang)
    );
    let mut sound = lesson.is_some() && !said.iter().any(|d| d.severity <= Severity::Warning);
    let Some(lesson) = lesson else {
        return Ok(false);
    };
    for (tag, path) in siblings(path) {
        let (other, _) = read(&files::text(&path)?, FileId(0), &base);
        if let Some(said) = other.and_then(|other| differs(&lesson, &other)) {
            println!("{shown}: {tag}: {}", said.text(lang));
            sound = false;
        }
    }
    if sound {
        let questions: usize = lesson.stops.iter().map(|s| s.questions().count()).sum();
        let stops = lesson.stops.len();
        println!(
            "{shown}: {} — {stops} stops, {questions} questions",
            lesson.title
        );
    }
    Ok(sound)
}
