//! `northsouth grade`: hand-ins, judged anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use northsouth::exercise::{
    Exercise, Found, HandIn, Score, Start, bundle, csv_line, find_hand_ins, mark, read, shared_name,
};
use northsouth::share;
use northsouth::text::{Diagnostic, File, FileId, Lang, Say, Severity};

use super::{base, siblings};
use crate::files;
use crate::options::Options;

pub const USAGE: &str = "\
northsouth grade EXERCISES SUBMISSIONS [OPTIONS]   marks hand-ins: what they did is played again, never believed
  EXERCISES           a folder of exercises, such as content/en/exercises, or one file
  SUBMISSIONS         a folder of hand-ins (JSON, or any text with their links in it, or zips of them), a zip of one, or one file
  --csv               a table for spreadsheets
  --lang LANG         en or zh-CN (default: the terminal's)
exit status: 0 every hand-in solves its exercise, 1 some do not or cannot be marked, 2 bad input";

/// A line of the table.
struct Row {
    file: String,
    /// Whose it is by the table that it stood in.
    from: String,
    hand_in: HandIn,
    outcome: Result<Score, Say>,
}

impl Row {
    fn who(&self) -> &str {
        match self.from.is_empty() {
            true => &self.hand_in.name,
            false => &self.from,
        }
    }
}

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let csv = options.flag("--csv");
    let [exercises, submissions] = options.named(["EXERCISES", "SUBMISSIONS"], USAGE)?;
    let exercises = exercises_of(Path::new(exercises), lang)?;
    let starts: BTreeMap<String, Start> = exercises
        .into_iter()
        .map(|(name, e)| (name, Start::new(Arc::new(e))))
        .collect();
    let mut rows = Vec::new();
    for file in all_files(Path::new(submissions))? {
        let file = match file {
            Ok(file) => file,
            Err((file, why)) => {
                rows.push(Row {
                    file,
                    from: String::new(),
                    hand_in: HandIn::default(),
                    outcome: Err(why),
                });
                continue;
            }
        };
        let finds = find_hand_ins(&file.text);
        let hand_ins = finds.hand_ins.into_iter();
        rows.extend(hand_ins.map(|found| row(&file.name, found, &starts)));
        for passed in &finds.passed {
            if let Some(why) = &passed.why {
                let place = format!("{}:{}", file.name, passed.line);
                eprintln!("{place}: {}: {}", why.text(lang), passed.text);
            }
        }
    }
    if csv {
        print!("{}", table(&rows, lang));
    } else {
        rows.iter().for_each(|row| println!("{}", line(row, lang)));
    }
    let solved = |row: &Row| row.outcome.as_ref().is_ok_and(|score| score.solved);
    let all = !rows.is_empty() && rows.iter().all(solved);
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn row(file: &str, found: Found, starts: &BTreeMap<String, Start>) -> Row {
    let (hand_in, outcome) = match HandIn::read(&found.text) {
        Ok(hand_in) => {
            let outcome = mark(&hand_in, starts.get(&hand_in.exercise));
            (hand_in, outcome)
        }
        Err(why) => (HandIn::default(), Err(why)),
    };
    Row {
        file: file.to_string(),
        from: found.from,
        hand_in,
        outcome,
    }
}

/// A text, or a zip that cannot be read and why.
type Opened = Result<File, (String, Say)>;

/// The texts of a file or a folder, with those in zips, as each student's work may be one.
fn all_files(path: &Path) -> Result<Vec<Opened>, String> {
    let alone = !path.is_dir();
    let found = match alone {
        true => vec![(path.display().to_string(), path.to_path_buf())],
        false => files::paths(path)?,
    };
    let mut all = Vec::new();
    for (name, path) in found {
        let bytes = files::bytes(&path)?;
        if !bytes.starts_with(b"PK") {
            all.push(Ok(File::new(&name, &String::from_utf8_lossy(&bytes))));
            continue;
        }
        let mut inside = match share::unzip(&bytes) {
            Ok(inside) => inside,
            Err(why) => {
                all.push(Err((name, why)));
                continue;
            }
        };
        inside.retain(|file| !file.name.split('/').any(|part| part.starts_with('.')));
        all.extend(inside.into_iter().map(|file| match alone {
            true => Ok(file),
            false => Ok(File {
                name: format!("{name}/{}", file.name).into(),
                ..file
            }),
        }));
    }
    Ok(all)
}

fn exercises_of(path: &Path, lang: Lang) -> Result<BTreeMap<String, Exercise>, String> {
    let mut all = BTreeMap::new();
    for file in all_files(path)? {
        let file = file.map_err(|(name, why)| format!("{name}: {}", why.text(lang)))?;
        let Some(name) = Path::new(&*file.name)
            .file_stem()
            .filter(|_| file.name.ends_with(".md"))
        else {
            continue;
        };
        let (exercise, said) = read(&file.text, FileId(0), &base);
        let wrong = said.iter().find(|d| d.severity == Severity::Error);
        match (exercise, wrong) {
            (Some(exercise), None) => {
                // Opened in the page from a link or a file it has the name of what it says.
                for shared in shared_names(path, &file) {
                    all.insert(shared, exercise.clone());
                }
                all.insert(name.to_string_lossy().into_owned(), exercise)
            }
            (_, wrong) => return Err(format!("{}: {}", file.name, fault(&file, wrong, lang))),
        };
    }
    if all.is_empty() {
        return Err(format!("{}: no exercises", path.display()));
    }
    Ok(all)
}

/// The names that an exercise's file has in the page: alone, and with its sibling of the other language.
fn shared_names(folder: &Path, file: &File) -> Vec<String> {
    let path = match folder.is_dir() {
        true => folder.join(&*file.name),
        false => folder.to_path_buf(),
    };
    let mut names = vec![shared_name(&file.text)];
    for (tag, other) in siblings(&path) {
        let Ok(text) = files::text(&other) else {
            continue;
        };
        let told = Lang::ALL.map(|lang| match lang.tag() == tag {
            true => (lang, text.as_str()),
            false => (lang, &*file.text),
        });
        names.push(shared_name(&bundle(&told)));
    }
    names
}

fn fault(file: &File, wrong: Option<&Diagnostic>, lang: Lang) -> String {
    let told = |d: &Diagnostic| {
        let line = file.line_column(d.span.start).line;
        format!("line {line}: {}", d.message.text(lang))
    };
    wrong.map_or_else(|| "no exercise".to_string(), told)
}

fn line(row: &Row, lang: Lang) -> String {
    let hand_in = &row.hand_in;
    match &row.outcome {
        Ok(score) => format!(
            "{}: {}, {}: {} of 100, {}/{} goals, {} strokes (par {})",
            row.file,
            row.who(),
            hand_in.exercise,
            score.points,
            score.passed,
            score.of,
            score.strokes,
            score.par
        ),
        Err(why) => format!("{}: {} {}", row.file, row.who(), why.text(lang)),
    }
}

const HEAD: &str = "file,name,exercise,version,solved,points,goals,of,lines,hints,strokes,par,started,finished,from,reason\n";

fn table(rows: &[Row], lang: Lang) -> String {
    let mut out = HEAD.to_string();
    for row in rows {
        let h = &row.hand_in;
        let version = h.version.to_string();
        let mut cells = vec![
            row.file.clone(),
            h.name.clone(),
            h.exercise.clone(),
            version,
        ];
        let reason = match &row.outcome {
            Ok(s) => {
                cells.push(if s.solved { "yes" } else { "no" }.to_string());
                let numbers = [s.points, s.passed, s.of, s.lines, s.hints, s.strokes, s.par];
                cells.extend(numbers.map(|n| n.to_string()));
                String::new()
            }
            Err(why) => {
                cells.extend((0..8).map(|_| String::new()));
                why.text(lang)
            }
        };
        let from = row.from.clone();
        cells.extend([h.started.clone(), h.finished.clone(), from, reason]);
        out.push_str(&csv_line(&cells));
    }
    out
}
