//! An exercise that is told in several languages: which file is which, and the form in which they travel together.

use super::{Exercise, differs};
use crate::text::{FileId, Lang, Page};

/// The language of an exercise's file: the one that its path names (`zh-CN/exercises/NAME.md`, `NAME.zh-CN.md`), else that of
/// its title.
pub fn language(path: &str, text: &str) -> Lang {
    let mut parts = path.split(['/', '\\', '.']);
    let named = parts.find_map(|part| Lang::ALL.into_iter().find(|l| l.tag() == part));
    named.unwrap_or_else(|| {
        let page = Page::read(text, FileId(0));
        let title = page.sections.first().map_or("", |s| &s.heading);
        let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        match title.chars().any(han) {
            true => Lang::ZhCn,
            false => Lang::En,
        }
    })
}

/// Every bundle that some exercises make: each alone, and those of them together that set the same task in other languages.
pub fn bundles(told: &[(Lang, String, Option<Exercise>)]) -> Vec<String> {
    let mut all: Vec<String> = told
        .iter()
        .map(|(lang, text, _)| bundle(&[(*lang, text)]))
        .collect();
    for (at, (lang, text, exercise)) in told.iter().enumerate() {
        for (other_lang, other_text, other) in told.iter().skip(at + 1) {
            let both = exercise.as_ref().zip(other.as_ref());
            if lang != other_lang && both.is_some_and(|(a, b)| differs(a, b).is_none()) {
                let mut pair = [(*lang, text.as_str()), (*other_lang, other_text.as_str())];
                pair.sort_by_key(|(lang, _)| Lang::ALL.iter().position(|l| l == lang));
                all.push(bundle(&pair));
            }
        }
    }
    all
}

/// What the names of exercises from elsewhere begin with.
const SHARED: &str = "shared-";

/// Whether it is the name of an exercise from elsewhere, which who has not opened that one knows nothing of.
pub fn is_shared(name: &str) -> bool {
    name.starts_with(SHARED)
}

/// The name under which an exercise from elsewhere stands beside those of ours: what it says, so that a hand-in finds it
/// again. FNV-1a of what [`bundle`] made.
pub fn shared_name(bundle: &str) -> String {
    let sum = bundle.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{SHARED}{sum:016x}")
}

/// The same exercise told in several languages, as one text; one that is the same in all of them is that text.
pub fn bundle(told: &[(Lang, &str)]) -> String {
    match told {
        [(_, text), others @ ..] if others.iter().all(|(_, other)| other == text) => {
            (*text).to_string()
        }
        _ => told
            .iter()
            .map(|(lang, text)| format!("{} {}\n{text}\n", lang.tag(), text.len()))
            .collect(),
    }
}

/// What [`bundle`] made one of; a text that is a single exercise stands for every language.
pub fn unbundle(text: &str) -> Vec<(Lang, String)> {
    let mut told = Vec::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once('\n') {
        let (tag, length) = head.split_once(' ').unwrap_or_default();
        let lang = Lang::ALL.into_iter().find(|l| l.tag() == tag);
        let split = length.parse().ok().and_then(|n| after.split_at_checked(n));
        let (Some(lang), Some((text, after))) = (lang, split) else {
            break;
        };
        told.push((lang, text.to_string()));
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    if told.is_empty() {
        return Lang::ALL.map(|lang| (lang, text.to_string())).into();
    }
    // Who speaks another language gets what there is.
    for lang in Lang::ALL {
        if told.iter().all(|(l, _)| *l != lang)
            && let Some((_, text)) = told.first().cloned()
        {
            told.push((lang, text));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_languages_travel_together() {
        let both = [(Lang::En, "---\nA\n"), (Lang::ZhCn, "---\n甲")];
        let back = unbundle(&bundle(&both));
        let back: Vec<_> = back.iter().map(|(l, t)| (*l, t.as_str())).collect();
        assert_eq!(back, both);
        let one = unbundle(&bundle(&both[..1]));
        assert!(one.iter().all(|(_, text)| text == "---\nA\n"));
        assert_eq!(one.len(), Lang::ALL.len());
        let one: Vec<_> = one.iter().map(|(l, t)| (*l, t.as_str())).collect();
        assert_eq!(bundle(&one), "---\nA\n");
        assert_eq!(unbundle("en 999\nx").len(), Lang::ALL.len());
    }

    #[test]
    fn a_path_or_a_title_tells_the_language() {
        let english = "---\nversion: 1\n---\n# Title\n\nThe log says 你好.\n";
        assert_eq!(language("own.md", english), Lang::En);
        assert_eq!(language("a/zh-CN/exercises/own.md", english), Lang::ZhCn);
        assert_eq!(language("exercise.zh-CN.md", english), Lang::ZhCn);
        assert_eq!(
            language("own.md", &english.replace("Title", "标题 1")),
            Lang::ZhCn
        );
        assert_eq!(language("exercise.en.md", "# 标题\n"), Lang::En);
    }

    #[test]
    fn what_sets_the_same_task_is_bundled() {
        let read = |text: &str| {
            let base = |_: &str| None;
            super::super::read(text, FileId(0), &base).0
        };
        let text = |level: u32, title: &str| {
            format!(
                "---\nversion: 1\nkind: repair\nlevel: {level}\nbase: none\ngoals: []\n---\n# {title}\n\n{title}\n"
            )
        };
        let of = |lang, level, title: &str| {
            let text = text(level, title);
            let exercise = read(&text);
            assert!(exercise.is_some());
            (lang, text, exercise)
        };
        let told = [
            of(Lang::ZhCn, 1, "甲"),
            of(Lang::En, 1, "One"),
            of(Lang::En, 2, "Two"),
        ];
        let both = bundle(&[(Lang::En, &told[1].1), (Lang::ZhCn, &told[0].1)]);
        let alone = |at: usize| told[at].1.clone();
        assert_eq!(bundles(&told), [alone(0), alone(1), alone(2), both]);
    }
}
