//! The guided tour: paragraphs in `content/LANGUAGE/tour/`, each with the step that it tells of, found in the trace by what
//! it is and not by where it stands, so that it is still found after edits.

mod stops;

use northsouth::content;
use northsouth::text::Lang;
use northsouth::workspace::{Run, Workspace};

pub use stops::STOPS;

use crate::view_model::balancer::Mode;
use crate::view_model::walk::Walk;

/// A paragraph and what it drives the page to.
pub struct Stop {
    /// How the load balancer forwards in this part of the story.
    pub mode: Mode,
    pub finds: fn(&Run, &Walk) -> Option<usize>,
    /// The name of its texts in `content/LANGUAGE/tour/`.
    pub name: &'static str,
}

impl Stop {
    /// The workspace that the paragraph tells of; `None` where it is the one at hand.
    pub fn prepare(&self, workspace: &Workspace) -> Option<Workspace> {
        let prepared = workspace.with_forwarding(self.mode.name())?;
        (prepared != *workspace).then_some(prepared)
    }

    pub fn find(&self, run: &Run, walk: &Walk) -> Option<usize> {
        (self.finds)(run, walk)
    }

    pub fn text(&self, lang: Lang) -> Text {
        let path = format!("{}/tour/{}.md", lang.tag(), self.name);
        let whole = content::file(&path).unwrap_or_default();
        let (title, body) = whole.split_once('\n').unwrap_or((whole, ""));
        Text {
            title: title.trim_start_matches("# "),
            body,
        }
    }
}

pub struct Text {
    pub title: &'static str,
    body: &'static str,
}

impl Text {
    pub fn paragraphs(&self) -> impl Iterator<Item = &'static str> {
        self.body
            .split("\n\n")
            .map(str::trim)
            .filter(|p| !p.is_empty())
    }
}

/// A stretch of a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Plain(&'a str),
    Code(&'a str),
    Strong(&'a str),
}

/// The stretches of a paragraph: `code` in backticks, **strong** in pairs of stars.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.split('`').enumerate().flat_map(|(at, stretch)| {
        let code = at % 2 == 1;
        let parts = if code { "\0" } else { "**" };
        let parts = stretch.split(parts).enumerate();
        parts.map(move |(at, part)| match (code, at % 2) {
            (true, _) => Piece::Code(part),
            (_, 1) => Piece::Strong(part),
            _ => Piece::Plain(part),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_has_code_and_strong_in_it() {
        let found: Vec<_> = pieces("a `b**` **c** d").collect();
        use Piece::{Code, Plain, Strong};
        assert_eq!(
            found,
            [
                Plain("a "),
                Code("b**"),
                Plain(" "),
                Strong("c"),
                Plain(" d")
            ]
        );
    }

    #[test]
    fn every_paragraph_is_told_in_every_language() {
        for stop in &STOPS {
            let counts = Lang::ALL.map(|lang| {
                let text = stop.text(lang);
                assert!(!text.title.is_empty());
                text.paragraphs().count()
            });
            assert!(
                counts[0] > 0 && counts[0] == counts[1],
                "{:?}",
                stop.text(Lang::En).title
            );
        }
    }
}
