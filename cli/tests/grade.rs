//! `northsouth grade` over hand-ins that are right, wrong, old, damaged and not hand-ins at all.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use northsouth::exercise::{Exercise, HandIn, read};
use northsouth::share::zip;
use northsouth::text::{File, FileId};
use northsouth::workspace::{Scenario, Workspace};

fn exercises() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/en/exercises")
}

fn exercise(name: &str) -> Exercise {
    let text = std::fs::read_to_string(exercises().join(format!("{name}.md"))).unwrap();
    let base = |name: &str| Scenario::find(name)?.workspace();
    read(&text, FileId(0), &base).0.unwrap()
}

fn grade(submissions: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["grade", "--csv", "--lang", "en"])
        .arg(exercises())
        .arg(submissions)
        .output()
        .unwrap()
}

fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn handed_in(name: &str, wrong: bool, by: &str) -> HandIn {
    let exercise = exercise(name);
    let given = if wrong {
        &exercise.wrong[0]
    } else {
        &exercise.solutions[0]
    };
    HandIn {
        name: by.to_string(),
        ..HandIn::of(name, &exercise, &given.attempt)
    }
}

#[test]
fn each_hand_in_is_marked_or_listed_with_the_reason() {
    let dir = folder("hand-ins");
    let right = handed_in("shadowed-route", false, "=Ann");
    let wrong = handed_in("shadowed-route", true, "Ben");
    let old = HandIn {
        version: 7,
        ..right.clone()
    };
    let mut forged = right.clone();
    forged.changes[0].name = "vpc.yaml".to_string();
    let mut locked = handed_in("what-the-pod-sees", false, "Eve");
    locked.changes = wrong.changes.clone();
    std::fs::write(dir.join("1.json"), right.json()).unwrap();
    let links = format!(
        "id,link\n1,https://example.org/#hand-in={}\n",
        wrong.packed()
    );
    std::fs::write(dir.join("2.csv"), links).unwrap();
    std::fs::write(dir.join("3.json"), old.json()).unwrap();
    std::fs::write(dir.join("4.json"), forged.json()).unwrap();
    std::fs::write(dir.join("5.json"), &right.json()[..200]).unwrap();
    std::fs::write(dir.join("6.txt"), "nothing").unwrap();
    std::fs::write(dir.join("7.json"), locked.json()).unwrap();
    let output = grade(&dir);
    let table = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = table.lines().skip(1).collect();
    let starts = [
        "1.json,'=Ann,shadowed-route,1,yes,100,3,3,1,0,1,1,",
        "2.csv,Ben,shadowed-route,1,no,",
        "3.json,'=Ann,shadowed-route,7,,",
        "4.json,'=Ann,shadowed-route,1,,",
        "5.json,,,0,,",
        "6.txt,,,0,,",
        "7.json,Eve,what-the-pod-sees,1,,",
    ];
    assert_eq!(lines.len(), starts.len(), "{table}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
        assert_eq!(
            line.ends_with(','),
            start.contains(",yes,") || start.contains(",no,"),
            "{line}"
        );
    }
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_platforms_table_tells_whose_it_is_and_who_handed_in_nothing() {
    let dir = folder("platform");
    let right = handed_in("shadowed-route", false, "nick");
    let table = format!(
        "ID,Full name,Online text\n1,\"Ann, B\",https://example.org/#hand-in={}\n2,Cy,\n",
        right.packed()
    );
    std::fs::write(dir.join("course.csv"), table).unwrap();
    let output = String::from_utf8(grade(&dir).stdout).unwrap();
    let lines: Vec<_> = output.lines().skip(1).collect();
    assert!(
        lines[0].starts_with("course.csv,nick,shadowed-route,1,yes,100,"),
        "{output}"
    );
    assert!(lines[0].ends_with(",\"Ann, B\","), "{output}");
    assert!(lines[1].ends_with(",Cy,nothing was handed in"), "{output}");
}

#[test]
fn all_solved_is_success() {
    let dir = folder("solved");
    for (number, name) in ["shadowed-route", "what-the-pod-sees"]
        .into_iter()
        .enumerate()
    {
        let json = handed_in(name, false, "Ann").json();
        std::fs::write(dir.join(format!("{number}.json")), json).unwrap();
    }
    assert_eq!(grade(&dir).status.code(), Some(0));
    assert_eq!(grade(&folder("empty")).status.code(), Some(1));
}

#[test]
fn a_students_work_may_be_a_zip_and_a_broken_one_is_listed() {
    let dir = folder("zips");
    let right = handed_in("shadowed-route", false, "Ann");
    let workspace = Workspace {
        files: vec![
            File::new("work/hand-in.json", &right.json()),
            // As macOS puts it there.
            File::new("__MACOSX/work/._hand-in.json", "\0"),
        ],
        ..exercise("shadowed-route").start
    };
    let zip = zip(&workspace);
    std::fs::write(dir.join("ann.zip"), &zip).unwrap();
    std::fs::write(dir.join("ben.zip"), &zip[..zip.len() / 2]).unwrap();
    let output = grade(&dir);
    let table = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = table.lines().skip(1).collect();
    let starts = [
        // What a zip has beside them.
        "ann.zip/scenario.yaml,,,0,,",
        "ann.zip/work/hand-in.json,Ann,shadowed-route,1,yes,100,",
        "ben.zip,,,0,,",
    ];
    assert_eq!(lines.len(), starts.len(), "{table}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{table}");
        assert_eq!(line.ends_with(",,"), start.contains(",yes,"), "{table}");
    }
    assert_eq!(output.status.code(), Some(1));

    let alone = String::from_utf8(grade(&dir.join("ann.zip")).stdout).unwrap();
    assert!(alone.contains("\nwork/hand-in.json,Ann,"), "{alone}");
}
