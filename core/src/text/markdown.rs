//! The part of Markdown that lessons and exercises are written in: front matter, headings, paragraphs, lists, fenced blocks;
//! in a line `code`, *emphasis*, **strong** and [links](…).

use super::{FileId, Line, Span, lines};

/// A text cut at its headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The first bytes of the text, from its `---` line to before the next one: YAML as it stands.
    pub front: Option<u32>,
    /// The first is what stands below `# Title`; the others each have a `## Heading`.
    pub sections: Vec<Section>,
}

/// What stands below a heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub heading: String,
    pub span: Span,
    /// `key: value` lines that come first, each with the place of its value.
    pub settings: Vec<(String, String, Span)>,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Paragraph(String),
    List(Vec<String>),
    /// A fenced block: what stands behind its first fence, its lines, and where these stand.
    Fenced {
        info: String,
        text: String,
        span: Span,
    },
}

/// A stretch of a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch<'a> {
    Plain(&'a str),
    Code(&'a str),
    Emphasis(&'a str),
    Strong(&'a str),
    Link { text: &'a str, to: &'a str },
}

impl Page {
    /// Reads any text: what is not one of the forms above is a paragraph.
    pub fn read(text: &str, file: FileId) -> Page {
        let mut page = Page::default();
        let mut all = lines(text, file).peekable();
        if all.peek().is_some_and(|l| l.text == "---") {
            all.next();
            let end = all.by_ref().find(|l| l.text == "---");
            page.front = Some(end.map_or(text.len() as u32, |l| l.span.start));
        }
        let mut reader = Reader {
            section: Section::default(),
            paragraph: Vec::new(),
            sections: Vec::new(),
        };
        while let Some(line) = all.next() {
            match line.text.strip_prefix("```") {
                Some(info) => reader.fenced(info, line.span, &mut all, text),
                None => reader.line(line),
            }
        }
        reader.heading(String::new(), Span::new(file, text.len(), text.len()));
        page.sections = reader.sections;
        page
    }
}

struct Reader<'a> {
    section: Section,
    paragraph: Vec<Line<'a>>,
    sections: Vec<Section>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: Line<'a>) {
        let first = self.sections.is_empty() && self.section.heading.is_empty();
        if let Some(heading) = line.text.strip_prefix("## ") {
            self.heading(heading.trim().to_string(), line.span);
        } else if let Some(title) = line.text.strip_prefix("# ").filter(|_| first) {
            self.end();
            self.section.heading = title.trim().to_string();
            self.section.span = line.span;
        } else if line.text.trim().is_empty() {
            self.end();
        } else {
            self.paragraph.push(line);
        }
    }

    /// Ends the section at hand and begins another.
    fn heading(&mut self, heading: String, span: Span) {
        self.end();
        let next = Section {
            heading,
            span,
            ..Section::default()
        };
        self.sections
            .push(std::mem::replace(&mut self.section, next));
    }

    /// Ends the paragraph at hand.
    fn end(&mut self) {
        let found = std::mem::take(&mut self.paragraph);
        let Some(first) = found.first() else {
            return;
        };
        if self.section.blocks.is_empty() && self.section.settings.is_empty() {
            let settings: Option<Vec<_>> = found.iter().map(setting).collect();
            if let Some(settings) = settings {
                self.section.settings = settings;
                return;
            }
        }
        let item = |text: &'a str| text.strip_prefix("- ").or(text.strip_prefix("* "));
        let block = if item(first.text).is_some() {
            let mut items: Vec<Vec<&str>> = Vec::new();
            for line in &found {
                match (item(line.text), items.last_mut()) {
                    (None, Some(item)) => item.push(line.text),
                    (item, _) => items.push(vec![item.unwrap_or(line.text)]),
                }
            }
            Block::List(items.iter().map(|item| joined(item)).collect())
        } else {
            let texts: Vec<_> = found.iter().map(|l| l.text).collect();
            Block::Paragraph(joined(&texts))
        };
        self.section.blocks.push(block);
    }

    fn fenced(
        &mut self,
        info: &str,
        at: Span,
        all: &mut impl Iterator<Item = Line<'a>>,
        text: &str,
    ) {
        self.end();
        let (start, mut end) = (at.end as usize + 1, at.end as usize + 1);
        for line in all {
            if line.text.starts_with("```") {
                break;
            }
            end = line.span.end as usize + 1;
        }
        let end = end.min(text.len());
        let inner = text.get(start.min(end)..end).unwrap_or_default();
        self.section.blocks.push(Block::Fenced {
            info: info.trim().to_string(),
            text: inner.replace('\r', ""),
            span: Span::new(at.file, start.min(end), end),
        });
    }
}

/// `key: value` with a key of small letters.
fn setting(line: &Line<'_>) -> Option<(String, String, Span)> {
    let (key, value) = line.text.split_once(": ")?;
    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
    if key.is_empty() || !key.chars().all(plain) {
        return None;
    }
    let end = line.span.end as usize;
    let span = Span::new(line.span.file, end - value.len(), end);
    Some((key.to_string(), value.trim().to_string(), span))
}

/// Lines as one; between words of scripts that write without spaces, none is put.
fn joined(texts: &[&str]) -> String {
    let mut out = String::new();
    for text in texts.iter().map(|t| t.trim()) {
        let wide = |c: Option<char>| c.is_some_and(|c| c >= '\u{2e80}');
        if !(out.is_empty() || wide(out.chars().last()) && wide(text.chars().next())) {
            out.push(' ');
        }
        out.push_str(text);
    }
    out
}

/// The stretches of a paragraph.
pub fn stretches(text: &str) -> Vec<Stretch<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[']) {
        let (before, from) = rest.split_at(at);
        let found = stretch(from);
        let Some((stretch, after)) = found else {
            // A sign that means itself: on behind it.
            let sign = from.chars().next().map_or(0, char::len_utf8);
            let next = rest.get(at + sign..).unwrap_or_default();
            match next.find(['`', '*', '[']) {
                Some(more) => {
                    let (plain, tail) = rest.split_at(at + sign + more);
                    out.push(Stretch::Plain(plain));
                    rest = tail;
                    continue;
                }
                None => break,
            }
        };
        if !before.is_empty() {
            out.push(Stretch::Plain(before));
        }
        out.push(stretch);
        rest = after;
    }
    if !rest.is_empty() {
        out.push(Stretch::Plain(rest));
    }
    out
}

fn stretch(from: &str) -> Option<(Stretch<'_>, &str)> {
    if let Some(inner) = from.strip_prefix('`') {
        let (code, after) = inner.split_once('`')?;
        return Some((Stretch::Code(code), after));
    }
    if let Some(inner) = from.strip_prefix("**") {
        let (strong, after) = inner.split_once("**")?;
        return Some((Stretch::Strong(strong), after));
    }
    if let Some(inner) = from.strip_prefix('*') {
        // A star that stands for anything is followed or preceded by nothing of a word.
        let (text, after) = inner.split_once('*')?;
        let of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let emphasised = of_word(text.chars().next()) && of_word(text.chars().next_back());
        return emphasised.then_some((Stretch::Emphasis(text), after));
    }
    let (text, after) = from.strip_prefix('[')?.split_once("](")?;
    let (to, after) = after.split_once(')')?;
    (!text.contains('[') && to.starts_with("https://"))
        .then_some((Stretch::Link { text, to }, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_at_its_headings() {
        let text = "---\nkind: repair\n---\n# Title\n\nOne\ntwo.\n\n- a\n- b\n  c\n\n## Next\nstop: node\nprobe: x: y\n\n```edit f\n-a\n+b\n```\n第一\n行\n";
        let page = Page::read(text, FileId(0));
        assert_eq!(&text[..page.front.unwrap() as usize], "---\nkind: repair\n");
        let [first, next] = &page.sections[..] else {
            panic!("{page:?}")
        };
        assert_eq!(first.heading, "Title");
        let paragraph = |t: &str| Block::Paragraph(t.to_string());
        let list = Block::List(vec!["a".to_string(), "b c".to_string()]);
        assert_eq!(first.blocks, [paragraph("One two."), list]);
        let settings: Vec<_> = next.settings.iter().map(|(k, v, _)| (&**k, &**v)).collect();
        assert_eq!(settings, [("stop", "node"), ("probe", "x: y")]);
        let Block::Fenced {
            info,
            text: t,
            span,
        } = &next.blocks[0]
        else {
            panic!("{next:?}")
        };
        assert_eq!((&**info, &**t), ("edit f", "-a\n+b\n"));
        assert_eq!(&text[span.range()], "-a\n+b\n");
        assert_eq!(next.blocks[1], paragraph("第一行"));
    }

    #[test]
    fn code_strong_and_links_are_found_and_other_signs_stay() {
        use Stretch::{Code, Emphasis, Link, Plain, Strong};
        assert_eq!(
            stretches("a `b**` **c** d"),
            [
                Plain("a "),
                Code("b**"),
                Plain(" "),
                Strong("c"),
                Plain(" d")
            ]
        );
        let link = Link {
            text: "x",
            to: "https://e.org",
        };
        assert_eq!(stretches("[x](https://e.org)"), [link]);
        assert_eq!(stretches("[x](javascript:1)"), [Plain("[x](javascript:1)")]);
        assert_eq!(stretches("2 * 3 `x`"), [Plain("2 * 3 "), Code("x")]);
        assert_eq!(stretches("*本节点*的"), [Emphasis("本节点"), Plain("的")]);
        let globs = [Plain("web-* or api-"), Plain("*")];
        assert_eq!(stretches("web-* or api-*"), globs);
        assert_eq!(stretches("KUBE-* and"), [Plain("KUBE-* and")]);
        assert_eq!(stretches("a ` b"), [Plain("a ` b")]);
    }
}
