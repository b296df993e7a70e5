//! What a list shows of an exercise or a lesson, without reading all of it.

use super::Kind;
use crate::text::{FileId, Page};
use crate::yaml::{self, Node};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub title: String,
    /// The scenario that it starts from.
    pub base: String,
    /// `None` of a lesson.
    pub kind: Option<Kind>,
    pub level: u32,
    pub order: u32,
    pub on_call: bool,
    /// Of a lesson.
    pub minutes: u32,
}

impl Head {
    /// `None` where there is no front matter or no title.
    pub fn read(text: &str) -> Option<Head> {
        let page = Page::read(text, FileId(0));
        let (nodes, _) = yaml::read(text.get(..page.front? as usize)?, FileId(0));
        let front = nodes.first()?;
        let number = |key: &str| {
            let found = front.field(key).and_then(Node::int);
            found.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
        };
        let word = |key: &str| front.field(key).and_then(Node::str);
        let kind = word("kind").and_then(|name| Kind::ALL.iter().find(|(n, _)| *n == name));
        Some(Head {
            title: page.sections.into_iter().next()?.heading,
            base: word("base")?.to_string(),
            kind: kind.map(|(_, kind)| *kind),
            level: number("level"),
            order: number("order"),
            on_call: front.field("on-call").and_then(Node::bool).unwrap_or(false),
            minutes: number("minutes"),
        })
    }
}
