//! Two runs side by side, as rows.

use northsouth::text::{Edit, Lang, diff, hunks};
use northsouth::trace::{How, StepAt, compare, tell};
use northsouth::workspace::Run;

use crate::state::State;

/// So many lines of a text's difference are shown.
const LINES: usize = 400;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    pub rows: Vec<Row>,
    pub texts: Vec<TextDiff>,
    /// Whether the walks part at all.
    pub parted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// So many steps that are the same.
    Same(usize),
    Step {
        how: How,
        /// The first that is not the same.
        first: bool,
        host: String,
        before: Option<String>,
        after: Option<String>,
        /// Its place in the walk of now.
        at: Option<usize>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct TextDiff {
    pub name: String,
    pub lines: Vec<(Edit, String)>,
    pub cut: bool,
}

pub fn compared(before: &Run, state: &State) -> Compared {
    let (after, lang) = (&state.run, state.settings.lang);
    let found = compare((&before.world, &before.trace), (&after.world, &after.trace));
    let mut rows = Vec::new();
    for (at, pair) in found.pairs.iter().enumerate() {
        if pair.how == How::Same {
            match rows.last_mut() {
                Some(Row::Same(count)) => *count += 1,
                _ => rows.push(Row::Same(1)),
            }
            continue;
        }
        let old = pair.before.and_then(|at| said(before, at, lang));
        let new = pair.after.and_then(|at| said(after, at, lang));
        let host = new.as_ref().or(old.as_ref()).map(|(host, _)| host.clone());
        rows.push(Row::Step {
            how: pair.how,
            first: found.parting == Some(at),
            host: host.unwrap_or_default(),
            before: old.map(|(_, said)| said),
            after: new.map(|(_, said)| said),
            at: pair.after.and_then(|at| state.walk.find(at)),
        });
    }
    Compared {
        rows,
        texts: texts(before, after),
        parted: found.parting.is_some(),
    }
}

fn said(run: &Run, at: StepAt, lang: Lang) -> Option<(String, String)> {
    let journey = run.trace.journeys.get(at.journey as usize)?;
    let hop = journey.hops.get(at.hop as usize)?;
    let step = hop.steps.get(at.step as usize)?;
    let host = run.world.host(hop.host).map(|h| h.name.to_string());
    Some((
        host.unwrap_or_default(),
        tell(&run.world, hop.host, step).text(lang),
    ))
}

fn texts(before: &Run, after: &Run) -> Vec<TextDiff> {
    let old = |name: &str| before.files.iter().find(|f| *f.name == *name);
    let now = after
        .files
        .iter()
        .map(|f| (&*f.name, old(&f.name).map_or("", |f| &*f.text), &*f.text));
    let gone = before
        .files
        .iter()
        .filter(|f| !after.files.iter().any(|n| n.name == f.name))
        .map(|f| (&*f.name, &*f.text, ""));
    let differ = now.chain(gone).filter(|(_, a, b)| a != b);
    let texts = differ.map(|(name, a, b)| {
        let all = diff(a, b);
        let shown = hunks(&all, 2)
            .into_iter()
            .filter_map(|range| all.get(range))
            .flatten();
        let mut lines: Vec<_> = shown.map(|l| (l.edit, l.text.to_string())).collect();
        let cut = lines.len() > LINES;
        lines.truncate(LINES);
        TextDiff {
            name: name.to_string(),
            lines,
            cut,
        }
    });
    texts.collect()
}
