//! One step in full: header, reasons, meaning, the tables that it was decided by.

use northsouth::insight::sources;
use northsouth::text::{Lang, Outcome, Reason, Span};
use northsouth::topology::HostKind;
use northsouth::workspace::Run;

use super::listings::listings;
use super::{carries_out, chains, host_name, meaning, part_name, reasoned, step, title};
use crate::i18n::Words;
use crate::state::State;
use crate::view_model::header::{Row, rows};
use crate::view_model::walk::{before, step as step_at};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    pub title: String,
    /// The machine, the part, the chain.
    pub place: String,
    pub header: Vec<Row>,
    /// The step of the rule that this one carries out, and its title.
    pub carries_out: Option<(usize, String)>,
    pub decided: Vec<ReasonRow>,
    pub passed: Vec<ReasonRow>,
    pub meaning: String,
    pub listings: Vec<Listing>,
    /// Where the line that decided stands.
    pub written: Option<Origin>,
    /// Which objects it was made from.
    pub made_by: Vec<Origin>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonRow {
    pub outcome: Outcome,
    /// The text that asked.
    pub text: String,
    /// The one criterion of it that did not hold.
    pub asked: String,
    pub said: String,
    pub span: Option<Span>,
    pub children: Vec<ReasonRow>,
}

/// A table as the real tool prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub title: String,
    pub lines: Vec<ListingLine>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListingLine {
    pub text: String,
    /// How many packets this run added to its counter.
    pub counted: u64,
    /// The line at work.
    pub lit: bool,
    /// A remark on lines and not one of them.
    pub note: bool,
    pub span: Option<Span>,
}

/// Who wrote what decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub text: String,
    pub place: String,
    pub span: Span,
}

pub fn explanation(state: &State, words: &Words) -> Option<Explanation> {
    let (run, lang) = (&state.run, state.settings.lang);
    let moment = state.walk.moments.get(state.cursor)?;
    let after = &step_at(&run.trace, moment.position)?.after;
    let before = before(&run.trace, moment.position)?;
    let reasoned = reasoned(state)?;
    let why = step::why(run, reasoned);
    let host = run.world.host(moment.place.host)?;
    let mut place = vec![host_name(&run.world, moment.place.host)];
    if !matches!(host.kind, HostKind::Client | HostKind::LoadBalancer) {
        place.push(part_name(&moment.place.part, words));
    }
    place.extend(chains::place(state, reasoned, words));
    let tell = |reasons: &[Reason]| -> Vec<ReasonRow> {
        let rows = reasons.iter().map(|r| reason(run, r, lang));
        rows.collect()
    };
    let span = step::span(run, reasoned);
    let makers = span.map(|span| makers(run, span)).unwrap_or_default();
    Some(Explanation {
        title: title(state, state.cursor),
        place: place.join(" · "),
        header: rows(before, after, words),
        carries_out: carries_out(state).map(|at| (at, title(state, at))),
        decided: tell(&why.decided),
        passed: tell(&why.passed_over),
        meaning: meaning(state),
        listings: listings(state, reasoned, words),
        written: span.and_then(|span| origin(run, span, words)),
        made_by: makers
            .iter()
            .filter_map(|m| origin(run, *m, words))
            .collect(),
    })
}

fn reason(run: &Run, reason: &Reason, lang: Lang) -> ReasonRow {
    let text = reason_text(run, reason);
    // A rule that did not hold says what its one criterion says that did not: that one is named, and the others left out.
    let failed = reason
        .children
        .iter()
        .find(|c| c.outcome == Outcome::Failed);
    let failed = failed.filter(|_| reason.outcome == Outcome::Failed);
    let children = reason.children.iter().filter(|_| failed.is_none());
    ReasonRow {
        outcome: reason.outcome,
        text,
        asked: failed.map(|c| c.text.clone()).unwrap_or_default(),
        said: reason.say.text(lang),
        span: reason.span,
        children: children.map(|c| self::reason(run, c, lang)).collect(),
    }
}

/// What asked.
pub fn reason_text(run: &Run, reason: &Reason) -> String {
    match reason.span {
        Some(span) if reason.text.is_empty() => brief(written(run, span)),
        _ => reason.text.clone(),
    }
}

/// What stands at a place in a file.
pub(super) fn written(run: &Run, span: Span) -> &str {
    let file = run.files.get(span.file.index());
    file.map_or("", |f| f.slice(span)).trim()
}

/// A rule's line without its counters and comment: what it asks and does.
pub(super) fn brief(line: &str) -> String {
    let counters = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b':');
    // A list in YAML begins like counters, and is told whole.
    let counted = line.strip_prefix('[').and_then(|l| l.split_once(']'));
    let line = match counted {
        Some((inside, rest)) if counters(inside) => rest.trim_start(),
        _ => line,
    };
    let Some((before, rest)) = line.split_once("-m comment --comment ") else {
        return line.to_string();
    };
    let after = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once("\" ").map_or("", |(_, after)| after),
        None => rest.split_once(' ').map_or("", |(_, after)| after),
    };
    format!("{before}{after}")
}

/// What a controller made a line from.
fn makers(run: &Run, span: Span) -> &[Span] {
    let at = span.file.index();
    let line = run
        .files
        .get(at)
        .map(|f| f.line_column(span.start).line as usize);
    line.and_then(|line| line.checked_sub(1))
        .map_or(&[], |line| sources(run, at, line))
}

fn origin(run: &Run, span: Span, words: &Words) -> Option<Origin> {
    let file = run.files.get(span.file.index())?;
    let line = file.line_column(span.start).line;
    let own = file.slice(span).lines().next().unwrap_or("").trim();
    Some(Origin {
        text: brief(own),
        place: words.line(&file.name, line),
        span,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_in_brief_has_no_counters_and_no_comment() {
        for (line, brief_line) in [
            (
                "[80:4800] -A KUBE-XLB-X -m comment --comment \"Balancing rule 0 for a/b:c\" -j KUBE-SEP-Y",
                "-A KUBE-XLB-X -j KUBE-SEP-Y",
            ),
            ("-A A -m comment --comment b -j C", "-A A -j C"),
            ("-A A -m comment --comment \"open", "-A A "),
            ("[", "["),
            ("[\"*\"]", "[\"*\"]"),
            ("default via 10.0.0.1", "default via 10.0.0.1"),
        ] {
            assert_eq!(brief(line), brief_line);
        }
    }
}
