//! Sentences in every language. Code names a sentence by its key and gives the arguments; the words stand in
//! `words/LANGUAGE/AREA.txt`, one `key = sentence with {argument}` a line, and are [`content`].

use std::sync::OnceLock;

use serde::Serialize;

use crate::content;

/// A language that the model speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Lang {
    #[default]
    En,
    ZhCn,
}

impl Lang {
    pub const ALL: [Lang; 2] = [Lang::En, Lang::ZhCn];

    /// The BCP 47 tag, which also names the folder of the language's content.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::ZhCn => "zh-CN",
        }
    }

    /// What its speakers call it.
    pub fn name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::ZhCn => "中文",
        }
    }

    /// The one after it, and after the last the first: where a button goes through all of them.
    pub fn next(self) -> Lang {
        let mut all = Lang::ALL.into_iter().cycle();
        all.find(|lang| *lang == self);
        all.next().unwrap_or_default()
    }

    /// The one that a BCP 47 tag or a locale such as `zh_TW.UTF-8` asks for, whatever its region.
    pub fn asked_for(tag: &str) -> Option<Lang> {
        let language = |tag: &str| {
            tag.split(['-', '_', '.'])
                .next()
                .map(str::to_ascii_lowercase)
        };
        let wanted = language(tag);
        Lang::ALL
            .into_iter()
            .find(|lang| language(lang.tag()) == wanted)
    }
}

/// A sentence of the model, not yet in any language. Made with [`say!`](crate::say).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Say {
    pub key: &'static str,
    pub args: Vec<(&'static str, Arg)>,
}

/// What stands for `{name}` in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Arg {
    /// The same in every language: a name, a number, an address.
    Text(String),
    /// A sentence of its own.
    Say(Box<Say>),
    /// Several sentences, joined as the language lists things.
    List(Vec<Say>),
}

impl From<Say> for Arg {
    fn from(say: Say) -> Self {
        Arg::Say(Box::new(say))
    }
}

impl From<Vec<Say>> for Arg {
    fn from(says: Vec<Say>) -> Self {
        Arg::List(says)
    }
}

/// `say!("area/key", name = value, …)`: values print by `Display`; `name => say` takes a [`Say`] or a list of them.
#[macro_export]
macro_rules! say {
    (@args [$($done:tt)*]) => { vec![$($done)*] };
    (@args [$($done:tt)*] $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::say!(@args [
            $($done)* (stringify!($name), $crate::text::Arg::Text(($value).to_string())),
        ] $($($rest)*)?)
    };
    (@args [$($done:tt)*] $name:ident => $value:expr $(, $($rest:tt)*)?) => {
        $crate::say!(@args [$($done)* (stringify!($name), $crate::text::Arg::from($value)),] $($($rest)*)?)
    };
    ($key:literal $(,)?) => { $crate::text::Say { key: $key, args: Vec::new() } };
    ($key:literal, $($args:tt)+) => {
        $crate::text::Say { key: $key, args: $crate::say!(@args [] $($args)+) }
    };
}

impl Say {
    /// The sentence in a language. A key that the catalogue lacks (a test prevents it) reads as the key.
    pub fn text(&self, lang: Lang) -> String {
        let template = template(lang, self.key).unwrap_or(self.key);
        let mut out = String::with_capacity(template.len() + 16 * self.args.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            match self.args.iter().find(|(n, _)| *n == name) {
                Some((_, arg)) => arg.write(lang, &mut out),
                None => {
                    out.push('{');
                    out.push_str(name);
                    out.push('}');
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}

impl Arg {
    fn write(&self, lang: Lang, out: &mut String) {
        match self {
            Arg::Text(text) => out.push_str(text),
            Arg::Say(say) => out.push_str(&say.text(lang)),
            Arg::List(says) => {
                let comma = match lang {
                    Lang::En => ", ",
                    Lang::ZhCn => "、",
                };
                for (i, say) in says.iter().enumerate() {
                    if i > 0 {
                        out.push_str(comma);
                    }
                    out.push_str(&say.text(lang));
                }
            }
        }
    }
}

fn template(lang: Lang, key: &str) -> Option<&'static str> {
    static FIRST: Catalogues = [const { OnceLock::new() }; Lang::ALL.len()];
    let first = kept(&FIRST, lang, 0)?;
    find(first, key).or_else(|| find_among_more(lang, key, first.len()))
}

/// Looks in the sentences that have come since `known` of them were there. Not inlined: the page's first part leaves it out.
#[inline(never)]
fn find_among_more(lang: Lang, key: &str, known: usize) -> Option<&'static str> {
    static WHOLE: Catalogues = [const { OnceLock::new() }; Lang::ALL.len()];
    find(kept(&WHOLE, lang, known)?, key)
}

/// A language's sentences, from when there are more than so many: until then they are asked for again each time.
fn kept(all: &'static Catalogues, lang: Lang, more_than: usize) -> Option<&'static Catalogue> {
    let kept = all.get(lang as usize)?;
    if kept.get().is_none() {
        let read = catalogue(lang);
        if read.len() <= more_than {
            return None;
        }
        let _ = kept.set(read);
    }
    kept.get()
}

fn find(catalogue: &Catalogue, key: &str) -> Option<&'static str> {
    let at = catalogue.binary_search_by(|(k, _)| (*k).cmp(key)).ok()?;
    Some(catalogue.get(at)?.1)
}

type Catalogues = [OnceLock<Catalogue>; Lang::ALL.len()];

type Catalogue = Vec<(&'static str, &'static str)>;

/// All sentences of a language that are there, by key, sorted. A line without ` = ` is a comment.
fn catalogue(lang: Lang) -> Catalogue {
    let areas = content::folder(&format!("words/{}", lang.tag()));
    let lines = areas.iter().flat_map(|(_, area)| area.lines());
    let mut all: Vec<_> = lines.filter_map(|l| l.split_once(" = ")).collect();
    all.sort_unstable();
    all
}
