use std::path::Path;
use std::process::ExitCode;

use northsouth::exercise::{check, differs, read};
use northsouth::text::{File, FileId, Lang, Severity, Span};

use super::{USAGE, base, siblings};
use crate::diagnose;
use crate::files;
use crate::options::Options;

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    Options::new(words).each_file(USAGE, one)
}

/// Prints what is wrong with a file, or what it holds.
fn one(path: &Path, lang: Lang) -> Result<bool, String> {
    let shown = path.display().to_string();
    let file = File::new(&shown, &files::text(path)?);
    let (exercise, mut said) = read(&file.text, FileId(0), &base);
    let unread = said.iter().any(|d| d.severity == Severity::Error);
    if let Some(exercise) = exercise.as_ref().filter(|_| !unread) {
        let top = file.text.lines().next().map_or(0, str::len);
        said.extend(check(exercise, Span::new(FileId(0), 0, top)));
    }
    print!(
        "{}",
        diagnose::render(std::slice::from_ref(&file), &said, lang)
    );
    let mut sound = exercise.is_some() && !said.iter().any(|d| d.severity <= Severity::Warning);
    let Some(exercise) = exercise else {
        return Ok(false);
    };
    for (tag, path) in siblings(path) {
        let (other, _) = read(&files::text(&path)?, FileId(0), &base);
        if let Some(said) = other.and_then(|other| differs(&exercise, &other)) {
            println!("{shown}: {tag}: {}", said.text(lang));
            sound = false;
        }
    }
    if sound {
        let (goals, hints) = (exercise.goals.len(), exercise.hints.len());
        println!(
            "{shown}: {} — {}, {goals} goals, {hints} hints, {} solutions, {} wrong, par {}",
            exercise.title,
            exercise.kind.name(),
            exercise.solutions.len(),
            exercise.wrong.len(),
            exercise.par()
        );
    }
    Ok(sound)
}
