//! Every sentence that the code says exists in every language, with the same arguments; none is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use northsouth::text::Lang;

type Catalogue = BTreeMap<String, BTreeSet<String>>;

fn placeholders(template: &str) -> BTreeSet<String> {
    template
        .split('{')
        .skip(1)
        .filter_map(|s| s.split_once('}'))
        .map(|(name, _)| name.to_string())
        .collect()
}

fn catalogue(lang: &str) -> Catalogue {
    let mut all = Catalogue::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/words")
        .join(lang);
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if let Some((key, template)) = line.split_once(" = ") {
                let twice = all.insert(key.to_string(), placeholders(template));
                assert!(
                    twice.is_none(),
                    "{key} stands twice, again in {}",
                    path.display()
                );
                assert!(!template.trim().is_empty(), "{key} says nothing in {lang}");
            }
        }
    }
    all
}

fn sources(dir: &Path, out: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("text/say.rs") {
            out.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The keys of `say!("…"` in the sources, with the names of the arguments given there.
fn said() -> Catalogue {
    let mut text = String::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut text,
    );
    let mut all = Catalogue::new();
    for call in text.split("say!(").skip(1) {
        let Some(rest) = call.trim_start().strip_prefix('"') else {
            continue;
        };
        let Some((key, rest)) = rest.split_once('"') else {
            continue;
        };
        let names = all.entry(key.to_string()).or_default();
        let (mut depth, mut word, mut quoted) = (1, String::new(), false);
        let mut chars = rest.chars().peekable();
        let mut expects_name = false;
        while let Some(c) = chars.next() {
            match c {
                '\\' if quoted => drop(chars.next()),
                '"' => quoted = !quoted,
                _ if quoted => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                ',' if depth == 1 => {
                    expects_name = true;
                    word.clear();
                }
                '=' if depth == 1 && expects_name => {
                    names.insert(word.trim().to_string());
                    expects_name = false;
                }
                c if expects_name => word.push(c),
                _ => {}
            }
        }
    }
    all
}

#[test]
fn languages_say_the_same_things() {
    let en = catalogue("en");
    for tag in Lang::ALL.map(Lang::tag) {
        let other = catalogue(tag);
        for (key, names) in &en {
            assert_eq!(
                other.get(key),
                Some(names),
                "{key}: missing in {tag}, or with other arguments"
            );
        }
        for key in other.keys() {
            assert!(en.contains_key(key), "{key} stands in {tag} only");
        }
    }
}

#[test]
fn code_says_what_the_catalogue_has() {
    let (en, said) = (catalogue("en"), said());
    for (key, names) in &said {
        let Some(wanted) = en.get(key) else {
            panic!("{key} is said but not in words/en")
        };
        let lacking: Vec<_> = wanted.difference(names).collect();
        assert!(lacking.is_empty(), "{key} wants {lacking:?}");
    }
    for key in en.keys() {
        assert!(
            said.contains_key(key),
            "{key} is in words/en but nothing says it"
        );
    }
}
