//! What was asked for on the command line.

use std::path::Path;
use std::process::ExitCode;

use northsouth::text::Lang;

/// A command's usage and, where one looks for it, what was missing or too much.
pub fn misused(usage: &str, why: &str) -> String {
    format!("{usage}\n\n{why}")
}

/// Options of the form `--name value` or `--name=value`, flags, and all else.
pub struct Options<'a> {
    words: Vec<&'a str>,
}

impl<'a> Options<'a> {
    pub fn new(words: &[&'a str]) -> Self {
        Self {
            words: words.to_vec(),
        }
    }

    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|w| *w != name);
        self.words.len() < before
    }

    /// An option's last value.
    pub fn value(&mut self, name: &str) -> Result<Option<&'a str>, String> {
        Ok(self.values(name)?.pop())
    }

    /// Each value of an option that may stand several times.
    pub fn values(&mut self, name: &str) -> Result<Vec<&'a str>, String> {
        let mut values = Vec::new();
        let mut rest = Vec::new();
        let mut words = std::mem::take(&mut self.words).into_iter();
        while let Some(word) = words.next() {
            if word == name {
                values.push(words.next().ok_or(format!("{name} wants a value"))?);
            } else if let Some(value) = word.strip_prefix(name).and_then(|w| w.strip_prefix('=')) {
                values.push(value);
            } else {
                rest.push(word);
            }
        }
        self.words = rest;
        Ok(values)
    }

    /// The words that are left, as many as the usage names.
    pub fn named<const N: usize>(
        self,
        names: [&str; N],
        usage: &str,
    ) -> Result<[&'a str; N], String> {
        let rest = self.rest()?;
        let wanted = match names.len() {
            1 => format!("{} is wanted", names.join("")),
            _ => format!("{} are wanted", names.join(" and ")),
        };
        let why = match rest.get(N) {
            Some(more) if names.is_empty() => format!("nothing else is wanted: `{more}`"),
            Some(more) => format!("{wanted} and no more: `{more}`"),
            None => wanted,
        };
        rest.try_into().map_err(|_| misused(usage, &why))
    }

    /// What is left must not be options.
    pub fn rest(self) -> Result<Vec<&'a str>, String> {
        match self.words.iter().find(|w| w.starts_with("--")) {
            Some(word) => Err(format!("unknown option `{word}`")),
            None => Ok(self.words),
        }
    }

    /// Looks at each file that is left, in the language asked for: 0 where all are sound, 1 where one is not.
    pub fn each_file(
        mut self,
        usage: &str,
        sound: impl Fn(&Path, Lang) -> Result<bool, String>,
    ) -> Result<ExitCode, String> {
        let lang = self.lang()?;
        let paths = self.rest()?;
        if paths.is_empty() {
            return Err(misused(usage, "FILE is wanted"));
        }
        let mut all = true;
        for path in paths {
            all &= sound(Path::new(path), lang)?;
        }
        Ok(ExitCode::from(u8::from(!all)))
    }

    /// `--lang`, else the terminal's.
    pub fn lang(&mut self) -> Result<Lang, String> {
        if let Some(tag) = self.value("--lang")? {
            return Lang::ALL
                .into_iter()
                .find(|l| l.tag() == tag)
                .ok_or_else(|| {
                    let known = Lang::ALL.map(Lang::tag).join(", ");
                    format!("unknown language `{tag}`: {known}")
                });
        }
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        Ok(set
            .and_then(|locale| Lang::asked_for(&locale))
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_stand_anywhere() {
        let mut options = Options::new(&["dir", "--seed", "7", "--json", "--mode=full-nat"]);
        assert!(options.flag("--json"));
        assert_eq!(options.value("--seed"), Ok(Some("7")));
        assert_eq!(options.value("--mode"), Ok(Some("full-nat")));
        assert_eq!(options.rest(), Ok(vec!["dir"]));
    }

    #[test]
    fn a_wrong_option_is_said() {
        let mut options = Options::new(&["--sed", "7", "--seed"]);
        assert!(options.value("--seed").is_err());
        assert_eq!(
            Options::new(&["--sed"]).rest(),
            Err("unknown option `--sed`".to_string())
        );
    }

    #[test]
    fn words_that_are_missing_or_too_many_are_said() {
        let none = Options::new(&["stray"]).named([], "usage");
        assert_eq!(none, Err("usage\n\nnothing else is wanted: `stray`".into()));
        let one = Options::new(&["a", "b"]).named(["DIR"], "usage");
        let said = "usage\n\nDIR is wanted and no more: `b`";
        assert_eq!(one, Err(said.into()));
        let two = Options::new(&["a"]).named(["DIR", "OUT"], "usage");
        assert_eq!(two, Err("usage\n\nDIR and OUT are wanted".into()));
        assert_eq!(Options::new(&[]).named([], "usage"), Ok([]));
    }
}
