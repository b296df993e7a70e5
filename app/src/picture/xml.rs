//! Elements as text. Whatever is handed in as text is escaped.

use crate::view_model::map::geometry::points;
use crate::view_model::map::{Point, Rect};

/// Text for elements and attributes. What XML 1.0 (2.2) has no place for becomes U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Nothing where there is none.
pub fn text(class: &str, at: Point, anchor: Anchor, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let Point { x, y } = at;
    format!(
        "<text{} x=\"{x}\" y=\"{y}\"{anchor}>{}</text>",
        named(class),
        escaped(content)
    )
}

/// Where of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

pub fn rect(class: &str, rect: Rect, radius: i32) -> String {
    let Rect { x, y, w, h } = rect;
    format!(
        "<rect{} x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{radius}\"/>",
        named(class)
    )
}

pub fn line(class: &str, corners: &[Point]) -> String {
    format!("<polyline{} points=\"{}\"/>", named(class), points(corners))
}

pub fn polygon(class: &str, corners: &[Point]) -> String {
    format!("<polygon{} points=\"{}\"/>", named(class), points(corners))
}

pub fn group(classes: &[&str], content: &str) -> String {
    format!("<g{}>{content}</g>", named(&joined(classes)))
}

/// Without those that are empty.
pub fn joined(classes: &[&str]) -> String {
    let all: Vec<&str> = classes.iter().copied().filter(|c| !c.is_empty()).collect();
    all.join(" ")
}

fn named(class: &str) -> String {
    match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    }
}
