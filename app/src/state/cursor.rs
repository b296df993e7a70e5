use northsouth::trace::{StepAt, Trace};

/// A step's place in its trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub journey: usize,
    pub hop: usize,
    pub step: usize,
}

impl Position {
    pub fn at(self) -> StepAt {
        StepAt {
            journey: self.journey as u32,
            hop: self.hop as u32,
            step: self.step as u32,
        }
    }
}

/// Where to look after an edit: the same step where the way to it did not change, else the first step that is another.
pub fn after_edit(before: &Trace, after: &Trace, cursor: usize) -> usize {
    let mut count = 0;
    let mut same = 0;
    let mut olds = steps(before);
    let mut diverged = false;
    for new in steps(after) {
        count += 1;
        if !diverged && olds.next() == Some(new) {
            same += 1;
        } else {
            diverged = true;
        }
    }
    cursor.min(same).min(count - usize::from(count > 0))
}

type Placed<'a> = (
    northsouth::topology::HostId,
    &'a northsouth::trace::Part,
    &'a northsouth::trace::Action,
    &'a northsouth::trace::Snapshot,
);

fn steps(trace: &Trace) -> impl Iterator<Item = Placed<'_>> {
    trace
        .journeys
        .iter()
        .flat_map(|journey| &journey.hops)
        .flat_map(|hop| {
            let host = hop.host;
            hop.steps
                .iter()
                .map(move |s| (host, &s.part, &s.action, &s.after))
        })
}
