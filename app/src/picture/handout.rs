//! A walk or a lesson on paper: the map at each of its steps with what is said of it, as HTML.

use northsouth::lesson::{Asked, Lesson, Part};
use northsouth::text::{Block, Lang, Stretch, stretches};

use super::{drawing, escaped, settled, title};
use crate::i18n::course::course;
use crate::i18n::{Words, words};
use crate::state::{Event, Level, Settings, State, Zoom};
use crate::view_model::explain::{self, explanation};
use crate::view_model::stride;

/// The walk at hand, at the steps that tell it in short.
pub fn walk(state: &State) -> String {
    let words = words(state.settings.lang);
    let mut state = settled(state, Level::Chain);
    let mut out = head(&state, &title(&state));
    out += &paragraph(
        &state
            .run
            .trace
            .ending(&state.run.world)
            .text(state.settings.lang),
    );
    let hops = explain::hops(&state, words);
    let mut last = None;
    for at in stride::key_steps(&state.run, &state.walk) {
        state.after(Event::StepChosen(at));
        let hop = hops.iter().rposition(|hop| hop.first <= at);
        if hop != last {
            out += &element(
                "h2",
                hop.and_then(|at| hops.get(at)).map_or("", |h| &h.heading),
            );
            last = hop;
        }
        out += &format!(
            "<section>{}{}</section>",
            figure(&state),
            told(&state, words)
        );
    }
    out + "</article>"
}

/// A lesson: its text, the map where it goes, its questions, and their answers on a page of their own.
pub fn lesson(lesson: &Lesson, lang: Lang) -> String {
    let settings = Settings {
        lang,
        ..Settings::for_languages(&[])
    };
    let told = course(lang);
    let mut out = format!("<article class=\"handout\" lang=\"{}\">", lang.tag());
    out += &element("h1", &lesson.title);
    out += &prose(&lesson.about);
    let mut answers = String::new();
    for stop in &lesson.stops {
        let workspace = stop.workspace.clone();
        let mut state = State::new(workspace.clone(), workspace, settings);
        out += &format!("<section>{}", element("h2", &stop.title));
        let found = stop.find(&state.run.world, &state.run.trace);
        if let Some(step) = found.and_then(|found| state.walk.find(found)) {
            // What is to be predicted is not shown beside its question.
            let asks = stop.asks_first();
            state.after(Event::StepChosen(step.saturating_sub(usize::from(asks))));
            if asks {
                state.zoom = Zoom::at(Level::Host);
            }
            out += &figure(&state);
        }
        for part in &stop.parts {
            match part {
                Part::Text(text) => out += &block(text),
                Part::Ask(asked) => {
                    out += &question(asked);
                    answers += &answer(&state, asked);
                }
            }
        }
        out += "</section>";
    }
    if !answers.is_empty() {
        out += &format!(
            "<section class=\"answers\">{}<ol>{answers}</ol></section>",
            element("h2", told.answers)
        );
    }
    out + "</article>"
}

fn head(state: &State, title: &str) -> String {
    format!(
        "<article class=\"handout\" lang=\"{}\">{}",
        state.settings.lang.tag(),
        element("h1", title)
    )
}

fn figure(state: &State) -> String {
    format!("<figure>{}</figure>", drawing(state))
}

/// What the page's explanation says of the step at hand, in short.
fn told(state: &State, words: &Words) -> String {
    let Some(told) = explanation(state, words) else {
        return String::new();
    };
    let mut out = element("h3", &format!("{}. {}", state.cursor + 1, told.title));
    out += &format!("<p class=\"place\">{}</p>", escaped(&told.place));
    out += &paragraph(&told.meaning);
    let changed = told.header.iter().filter(|row| row.changed());
    let changed = changed.map(|row| {
        format!(
            "<li>{}: <del>{}</del> <ins>{}</ins></li>",
            escaped(row.name),
            escaped(&row.before),
            escaped(&row.after)
        )
    });
    let changed: String = changed.collect();
    if !changed.is_empty() {
        out += &format!("<ul>{changed}</ul>");
    }
    if let Some(origin) = &told.written {
        out += &format!(
            "<p class=\"written\"><code>{}</code> {}</p>",
            escaped(&origin.text),
            escaped(&origin.place)
        );
    }
    out
}

fn question(asked: &Asked) -> String {
    let question = &asked.question;
    let choices = question.choices.iter();
    let choices: String = choices.map(|c| format!("<li>{}</li>", inline(c))).collect();
    let room = match choices.as_str() {
        "" => "<p class=\"blank\"></p>".to_string(),
        choices => format!("<ul class=\"choices\">{choices}</ul>"),
    };
    format!(
        "<div class=\"question\"><p>{}</p>{room}</div>",
        inline(&question.ask)
    )
}

fn answer(state: &State, asked: &Asked) -> String {
    let right = asked.question.right(&state.run.world, &state.run.trace);
    let why = asked.why.as_deref().map(inline).unwrap_or_default();
    format!(
        "<li>{} <strong>{}</strong> {why}</li>",
        inline(&asked.question.ask),
        escaped(&right.join(", "))
    )
}

fn prose(blocks: &[Block]) -> String {
    blocks.iter().map(block).collect()
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph(text) => format!("<p>{}</p>", inline(text)),
        Block::List(items) => {
            let items = items
                .iter()
                .map(|text| format!("<li>{}</li>", inline(text)));
            format!("<ul>{}</ul>", items.collect::<String>())
        }
        // Its lines are lines, unlike those of any other text.
        Block::Fenced { text, .. } => {
            let lines: Vec<String> = text.lines().map(escaped).collect();
            format!("<pre>{}</pre>", lines.join("\n"))
        }
    }
}

/// Links are named and not followed: this is for paper.
fn inline(text: &str) -> String {
    let told = stretches(text).into_iter().map(|stretch| match stretch {
        Stretch::Plain(text) | Stretch::Link { text, .. } => escaped(text),
        Stretch::Code(text) => element("code", text),
        Stretch::Emphasis(text) => element("em", text),
        Stretch::Strong(text) => element("strong", text),
    });
    told.collect()
}

fn paragraph(text: &str) -> String {
    match text {
        "" => String::new(),
        text => element("p", text),
    }
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escaped(text))
}

/// A document of its own around a handout.
pub fn document(handout: &str, title: &str, lang: Lang) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title><style>{}{}</style></head><body class=\"northsouth\">{handout}</body></html>\n",
        lang.tag(),
        escaped(title),
        super::LIGHT,
        include_str!("../../styles/handout.css")
    )
}
