//! Every lesson of `content/` is played in every language: each stop finds its step, each question has its answer among its
//! choices.

use std::collections::BTreeMap;
use std::path::Path;

use northsouth::lesson::{Lesson, check, differs, read};
use northsouth::text::{File, FileId, Lang};
use northsouth::workspace::{Scenario, Workspace};

fn base(name: &str) -> Option<Workspace> {
    Scenario::find(name)?.workspace()
}

/// The lessons of a language by name, and all that is wrong with them.
fn lessons(lang: Lang) -> (BTreeMap<String, Lesson>, Vec<String>) {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content");
    let (mut all, mut wrong) = (BTreeMap::new(), Vec::new());
    for entry in std::fs::read_dir(content.join(lang.tag()).join("lessons")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let file = File::new(&name, &std::fs::read_to_string(&path).unwrap());
        let (lesson, mut said) = read(&file.text, FileId(0), &base);
        said.extend(lesson.iter().flat_map(check));
        for d in said {
            let line = file.line_column(d.span.start).line;
            let message = d.message.text(Lang::En);
            wrong.push(format!(
                "{}/lessons/{name}.md:{line}: {message}",
                lang.tag()
            ));
        }
        if let Some(lesson) = lesson {
            for exercise in &lesson.exercises {
                let path = content
                    .join(lang.tag())
                    .join("exercises")
                    .join(format!("{exercise}.md"));
                assert!(path.exists(), "{name}: there is no exercise {exercise}");
            }
            all.insert(name, lesson);
        }
    }
    (all, wrong)
}

#[test]
fn every_stop_is_found_and_every_question_has_its_answer() {
    for lang in Lang::ALL {
        let (all, wrong) = lessons(lang);
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(!all.is_empty());
    }
}

#[test]
fn languages_tell_the_same_lessons() {
    let names = |all: &BTreeMap<String, Lesson>| all.keys().cloned().collect::<Vec<_>>();
    let en = lessons(Lang::En).0;
    for lang in Lang::ALL {
        let other = lessons(lang).0;
        assert_eq!(names(&en), names(&other), "{lang:?}");
        for (name, lesson) in &en {
            if let Some(said) = differs(lesson, &other[name]) {
                panic!("{lang:?}, {name}: {}", said.text(Lang::En));
            }
        }
    }
}
