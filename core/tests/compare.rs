//! Two walks side by side.

use northsouth::text::File;
use northsouth::trace::{How, compare};
use northsouth::workspace::{DEFAULT, Run, Scenario, run};

fn article(edit: impl Fn(&str) -> String) -> Run {
    let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
    for file in &mut workspace.files {
        if &*file.name == "nodes/work001/iptables-save.txt" {
            *file = File::new(&file.name, &edit(&file.text));
        }
    }
    run(&workspace)
}

/// The article's rules with one before the first of chain FORWARD.
fn with(rule: &str) -> Run {
    article(|text| {
        let at = text.find("] -A FORWARD").unwrap();
        let line = text[..at].rfind('\n').unwrap() + 1;
        format!(
            "{}[0:0] -A FORWARD {rule}\n{}",
            &text[..line],
            &text[line..]
        )
    })
}

#[test]
fn a_walk_is_the_same_as_itself() {
    let run = article(str::to_string);
    let found = compare((&run.world, &run.trace), (&run.world, &run.trace));
    assert_eq!(found.parting, None);
    assert!(
        found
            .pairs
            .iter()
            .all(|p| p.how == How::Same && p.before == p.after)
    );
}

#[test]
fn a_rule_that_nothing_meets_changes_nothing_though_others_move() {
    let (before, after) = (article(str::to_string), with("-d 10.9.9.9/32 -j DROP"));
    let found = compare((&before.world, &before.trace), (&after.world, &after.trace));
    assert_eq!(found.parting, None, "{:?}", found.pairs);
}

#[test]
fn walks_part_at_the_rule_that_drops_and_what_came_after_is_gone() {
    let (before, after) = (article(str::to_string), with("-s 203.0.113.9/32 -j DROP"));
    let found = compare((&before.world, &before.trace), (&after.world, &after.trace));
    let parting = found.parting.unwrap();
    let step = found.pairs[parting]
        .after
        .or(found.pairs[parting].before)
        .unwrap();
    let hop = &after.trace.journeys[step.journey as usize].hops[step.hop as usize];
    assert_eq!(&*after.world.host(hop.host).unwrap().name, "work001");
    assert!(found.pairs[..parting].iter().all(|p| p.how == How::Same));
    let gone = found.pairs.iter().filter(|p| p.how == How::Gone).count();
    assert!(gone > 50, "{gone} steps are gone");
}
