use std::sync::Arc;

use super::budget::Budget;
use super::read_part;
use crate::text::{FileId, Pace, Span};
use crate::yaml::list::{List, Style};
use crate::yaml::memory::{Memory, Of, copy};
use crate::yaml::{Node, Value};

/// A document that is a list, read item by item; `None` where it must be read as a whole, as where something is to be
/// said of it.
pub(super) async fn list(
    part: &str,
    (file, start): (FileId, usize),
    budget: &mut Budget,
    memory: &mut Memory,
    pace: &Pace,
) -> Option<Node> {
    let list = List::cut(part)?;
    let mut left = *budget;
    let below = match list.style {
        Style::Block => 1,
        Style::Flow => 2,
    };
    let mut items = Vec::with_capacity(list.pieces.len());
    for (at, piece) in &list.pieces {
        let place = (file, start + at);
        let known = memory.recall(Of::List, piece);
        let known = match known.filter(|known| left.affords(known)) {
            Some(known) => {
                pace.read(piece.len()).await;
                known
            }
            None => {
                let (read, said) = read_part(piece, place, below, &mut left, pace).await;
                let read = Arc::new(read);
                if !said.is_empty() {
                    return None;
                }
                memory.keep(Of::List, piece, read.clone());
                read
            }
        };
        let mut documents = known.documents_at(place.0, place.1);
        let item = documents.next().filter(|_| documents.next().is_none())?;
        items.push(match (list.style, item.value) {
            (Style::Block, Value::Seq(one)) => one.into_iter().next()?,
            (Style::Block, _) => return None,
            (Style::Flow, value) => Node { value, ..item },
        });
    }
    let (frame, said) = read_part(&list.frame, (file, start), 0, &mut left, pace).await;
    let [frame] = &frame.documents[..] else {
        return None;
    };
    if !said.is_empty() {
        return None;
    }
    // What stands behind the items is there by the length of those that it lacks.
    let (from, to) = (start + list.others.start, start + list.others.end);
    let behind = |at: u32| at as usize + to - from;
    let mut frame = copy(frame, &|span| match span.start as usize >= from {
        true => Span::new(file, behind(span.start), behind(span.end)),
        false if span.end as usize > from => Span::new(file, span.start as usize, behind(span.end)),
        false => span,
    });
    let Value::Map(entries) = &mut frame.value else {
        return None;
    };
    let last = entries.len().checked_sub(1)?;
    let (at, entry) = (0..)
        .zip(entries)
        .find(|(_, entry)| &*entry.key == "items")?;
    if entry.value.items().len() != 1 {
        return None;
    }
    if list.style == Style::Block {
        let end = items.last()?.span.end;
        entry.value.span.end = end;
        if at == last {
            frame.span.end = end;
        }
    }
    entry.value.value = Value::Seq(items);
    *budget = left;
    Some(frame)
}
