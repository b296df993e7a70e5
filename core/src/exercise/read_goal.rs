//! Goals, as front matter writes them: one mapping each, whose first word says what is wanted.

use super::{Answer, Goal, NamedProbe, Question, Wanted};
use crate::net::Chance;
use crate::say;
use crate::trace::{Detail, Disposition, Query};
use crate::yaml::{Cursor, Fields};

/// What goals may name.
pub struct Named<'a> {
    pub probes: &'a [NamedProbe],
}

pub fn goal(cursor: Cursor<'_>, names: &Named<'_>) -> Option<Goal> {
    let mut fields = cursor.fields()?;
    let wanted = wanted(&mut fields);
    let probes = probes(&mut fields, names, wanted.as_ref());
    let hidden = fields.bool("hidden").unwrap_or(false);
    let start = fields
        .get("start")
        .and_then(|c| c.one_of(&[("holds", true), ("fails", false)]));
    let said = fields.str("say").map(str::to_string);
    let known = wanted.is_some();
    if !known && !asked_for(&fields) {
        cursor.error(say!("exercise/goal-kinds"));
    }
    fields.end();
    let wanted = wanted?;
    let stays = matches!(wanted, Wanted::Unchanged | Wanted::Edits(_));
    Some(Goal {
        probes,
        hidden,
        holds_at_start: start.unwrap_or(stays),
        said,
        span: cursor.span(),
        wanted,
    })
}

const KINDS: [&str; 13] = [
    "reaches",
    "answered",
    "status",
    "source",
    "ends",
    "avoids",
    "passes",
    "never",
    "value",
    "share",
    "unchanged",
    "edits",
    "ask",
];

/// A kind is named, so that what is wrong with it has been said.
fn asked_for(fields: &Fields<'_>) -> bool {
    KINDS
        .iter()
        .any(|kind| fields.cursor.node.field(kind).is_some())
}

fn wanted(fields: &mut Fields<'_>) -> Option<Wanted> {
    if let Some(host) = fields.get("reaches") {
        return Some(Wanted::Reaches(host.str()?.to_string()));
    }
    if let Some(yes) = fields.get("answered") {
        return yes_only(yes).then_some(Wanted::Answered);
    }
    if let Some(status) = fields.get("status") {
        return Some(Wanted::Status(status.int_in(100..=599)?));
    }
    if let Some(source) = fields.get("source") {
        let at = fields.str("at").map(str::to_string);
        let addr = source.parse(say!("exercise/an-address"))?;
        return Some(Wanted::Source { addr, at });
    }
    if let Some(end) = fields.get("ends") {
        let all = Disposition::ALL.map(|d| (d.name(), d));
        return Some(Wanted::Ends(end.one_of(&all)?));
    }
    if let Some(host) = fields.get("avoids") {
        return Some(Wanted::Avoids(host.str()?.to_string()));
    }
    if let Some(step) = fields.get("passes") {
        return Some(Wanted::Passes(query(step)?));
    }
    if let Some(step) = fields.get("never") {
        return Some(Wanted::Never(query(step)?));
    }
    if let Some(value) = fields.get("value") {
        let is = text(value)?;
        let (at, detail) = found(fields)?;
        return Some(Wanted::Value { at, detail, is });
    }
    if let Some(share) = fields.get("share") {
        let is = text(share).as_deref().and_then(Chance::parse);
        if is.is_none() {
            share.error(say!("exercise/a-share"));
        }
        let of = fields.required("of")?.str()?.to_string();
        return Some(Wanted::Share { of, is: is? });
    }
    if let Some(yes) = fields.get("unchanged") {
        return yes_only(yes).then_some(Wanted::Unchanged);
    }
    if let Some(most) = fields.get("edits") {
        return Some(Wanted::Edits(most.int_in(0..=100_000)?));
    }
    fields
        .get("ask")
        .and_then(|ask| Some(Wanted::Asked(asked(ask, fields)?)))
}

fn yes_only(cursor: Cursor<'_>) -> bool {
    let yes = cursor.bool() == Some(true);
    if !yes && cursor.node.bool().is_some() {
        cursor.error(say!("exercise/only-true"));
    }
    yes
}

/// A question, of an exercise or a lesson.
pub fn asked(ask: Cursor<'_>, fields: &mut Fields<'_>) -> Option<Question> {
    let ask = ask.str()?.to_string();
    let name = fields.required("name").and_then(|c| c.str())?.to_string();
    let choices = fields.get("choices");
    let choices: Vec<String> = choices
        .map(|c| c.items().filter_map(text).collect())
        .unwrap_or_default();
    let answer = match fields.get("answer") {
        Some(given) => {
            let all = match given.node.items() {
                [] => vec![text(given)?],
                _ => given.items().filter_map(text).collect(),
            };
            Answer::Given(all)
        }
        None => {
            let (at, detail) = found(fields)?;
            let at = Box::new(at);
            Answer::Found { at, detail }
        }
    };
    Some(Question {
        name,
        ask,
        answer,
        choices,
    })
}

/// `at`: which step; `field`: what of it.
fn found(fields: &mut Fields<'_>) -> Option<(Query, Detail)> {
    let at = fields.required("at").and_then(query);
    let field = fields.required("field")?;
    let name = field.str()?;
    let detail = Detail::from_name(name);
    if detail.is_none() {
        field.error(say!(
            "exercise/no-detail",
            word = name,
            names = Detail::names()
        ));
    }
    Some((at?, detail?))
}

pub fn query(cursor: Cursor<'_>) -> Option<Query> {
    match Query::parse(cursor.str()?) {
        Ok(query) => Some(query),
        Err(say) => {
            cursor.error(say);
            None
        }
    }
}

/// A short text, also where YAML takes it for a number.
fn text(cursor: Cursor<'_>) -> Option<String> {
    match cursor.node.int() {
        Some(number) => Some(number.to_string()),
        None => cursor.str().map(str::to_string),
    }
}

/// `probe: NAME`, `probes: [NAME, …]` or `probes: all`; without, the first one.
fn probes(fields: &mut Fields<'_>, names: &Named<'_>, wanted: Option<&Wanted>) -> Vec<u32> {
    let one = fields.get("probe");
    let many = fields.get("probes");
    let find = |cursor: Cursor<'_>| {
        let name = cursor.str()?;
        let at = names.probes.iter().position(|p| p.name == name);
        if at.is_none() {
            let known: Vec<_> = names.probes.iter().map(|p| &*p.name).collect();
            cursor.error(say!(
                "exercise/no-probe",
                name = name,
                names = known.join(", ")
            ));
        }
        at.map(|at| at as u32)
    };
    let all = || (0..names.probes.len() as u32).collect();
    match (one, many, wanted) {
        (Some(name), _, _) => find(name).into_iter().collect(),
        (None, Some(list), _) if list.node.str() == Some("all") => all(),
        (None, Some(list), _) => list.items().filter_map(find).collect(),
        (None, None, Some(Wanted::Edits(_))) => Vec::new(),
        (None, None, _) => all().into_iter().take(1).collect(),
    }
}
