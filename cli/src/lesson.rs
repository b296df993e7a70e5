//! `northsouth lesson`: for who writes lessons.

use std::path::Path;
use std::process::ExitCode;

use northsouth::lesson::{check, differs, read};
use northsouth::text::{File, FileId, Lang, Severity};

use northsouth_app::picture::handout;

use crate::diagnose;
use crate::exercise::{base, siblings};
use crate::files;
use crate::options::{Options, misused};

pub const USAGE: &str = "\
northsouth lesson check FILE...       whether lessons are sound: each stop is found, each question has its answer
  --lang LANG         en or zh-CN (default: the terminal's)
northsouth lesson handout FILE...     on paper: text, maps, questions and their answers, as HTML to print
exit status: 0 all are sound, 1 something is wrong, 2 bad input";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    match words {
        ["check", rest @ ..] => Options::new(rest).each_file(USAGE, one),
        ["handout", rest @ ..] => Options::new(rest).each_file(USAGE, printed),
        _ => Err(misused(USAGE, "`check` or `handout` is wanted")),
    }
}

/// Prints a file's lesson as HTML.
fn printed(path: &Path, lang: Lang) -> Result<bool, String> {
    let (lesson, said) = read(&files::text(path)?, FileId(0), &base);
    let Some(lesson) = lesson else {
        let file = File::new(&path.display().to_string(), &files::text(path)?);
        eprint!(
            "{}",
            diagnose::render(std::slice::from_ref(&file), &said, lang)
        );
        return Ok(false);
    };
    let handout = handout::lesson(&lesson, lang);
    print!("{}", handout::document(&handout, &lesson.title, lang));
    Ok(true)
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
