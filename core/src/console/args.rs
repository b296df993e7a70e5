use super::not_taken;
use crate::say;
use crate::text::{Diagnostic, FileId, Span};

/// A word of a command line, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arg {
    pub text: String,
    pub span: Span,
}

/// Words as a shell splits them: quotes hold them together, a backslash takes the next character as it is.
pub(super) fn split(line: &str) -> Result<Vec<Arg>, Diagnostic> {
    let mut words: Vec<Arg> = Vec::new();
    let mut word: Option<(String, usize)> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut chars = line.char_indices();
    let span = |start, end| Span::new(FileId(0), start, end);
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some((open, _)), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some((c, at));
                word.get_or_insert((String::new(), at));
            }
            (None | Some(('"', _)), '\\') => {
                let taken = chars.next().map_or('\\', |(_, c)| c);
                word.get_or_insert((String::new(), at)).0.push(taken);
            }
            (None, '|' | '>' | '<' | ';' | '&' | '`' | '$') => {
                let said = say!("console/no-shell", word = c);
                return Err(Diagnostic::error(span(at, at + c.len_utf8()), said));
            }
            (None, _) if c.is_whitespace() => {
                if let Some((text, start)) = word.take() {
                    let span = span(start, at);
                    words.push(Arg { text, span });
                }
            }
            _ => word.get_or_insert((String::new(), at)).0.push(c),
        }
    }
    if let Some((open, at)) = quote {
        let said = say!("console/open-quote", word = open);
        return Err(Diagnostic::error(span(at, line.len()), said));
    }
    if let Some((text, start)) = word {
        let span = span(start, line.len());
        words.push(Arg { text, span });
    }
    Ok(words)
}

/// A tool's words, taken one after the other.
pub(super) struct Args<'a> {
    pub tool: &'a Arg,
    rest: &'a [Arg],
    pub usage: &'static str,
}

impl<'a> Args<'a> {
    pub fn new(tool: &'a Arg, rest: &'a [Arg], usage: &'static str) -> Self {
        Self { tool, rest, usage }
    }

    pub fn next(&mut self) -> Option<&'a Arg> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub fn peek(&self) -> Option<&'a Arg> {
        self.rest.first()
    }

    /// The next word, where it is no option.
    pub fn next_plain(&mut self) -> Option<&'a Arg> {
        self.peek().filter(|w| !w.text.starts_with('-'))?;
        self.next()
    }

    /// The word that an option wants behind it.
    pub fn value(&mut self, option: &Arg) -> Result<&'a Arg, Diagnostic> {
        self.next().ok_or_else(|| {
            Diagnostic::error(option.span, say!("console/wants-value", word = option.text))
        })
    }

    pub fn parse<T: std::str::FromStr>(&mut self, option: &Arg) -> Result<T, Diagnostic> {
        let value = self.value(option)?;
        value.text.parse().map_err(|_| self.bad(value))
    }

    pub fn bad(&self, word: &Arg) -> Diagnostic {
        Diagnostic::error(word.span, say!("console/bad-value", word = word.text))
            .help(say!("console/usage", usage = self.usage))
    }

    pub fn not_taken(&self, word: &Arg) -> Diagnostic {
        not_taken(self.tool, word, self.usage)
    }

    /// The tool can do this, to change the host.
    pub fn only_looks(&self, word: &Arg) -> Diagnostic {
        let said = say!("console/only-looks", word = word.text);
        Diagnostic::error(word.span, said).help(say!("console/usage", usage = self.usage))
    }

    /// Nothing may follow.
    pub fn end(&mut self) -> Result<(), Diagnostic> {
        match self.next() {
            Some(word) => Err(self.not_taken(word)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, words: &[&str]) {
        let split = split(line).map(|w| w.into_iter().map(|w| w.text).collect::<Vec<_>>());
        assert_eq!(split.as_deref(), Ok(words.map_to_strings().as_slice()));
    }

    trait Strings {
        fn map_to_strings(&self) -> Vec<String>;
    }

    impl Strings for [&str] {
        fn map_to_strings(&self) -> Vec<String> {
            self.iter().map(|w| (*w).to_string()).collect()
        }
    }

    #[test]
    fn quotes_hold_words_together() {
        check(
            "tcpdump -i eth0 'tcp port 80'",
            &["tcpdump", "-i", "eth0", "tcp port 80"],
        );
        check(r#"a"b c"d  e\ f "" "#, &["ab cd", "e f", ""]);
        check("  ", &[]);
    }

    #[test]
    fn there_is_no_shell() {
        let said = |line| split(line).map_err(|d| (d.code(), d.span.range()));
        assert_eq!(said("ip a | grep x"), Err(("console/no-shell", 5..6)));
        assert_eq!(said("ip 'a"), Err(("console/open-quote", 3..5)));
    }
}
