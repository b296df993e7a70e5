//! Hand-ins, marked: read, put over the exercise's files, played, judged. Target: at least 500 a second for the average
//! exercise, so 2 ms each.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use northsouth::content;
use northsouth::exercise::{HandIn, Start, mark, read};
use northsouth::text::FileId;
use northsouth::workspace::{Scenario, Workspace};

fn main() {
    divan::main();
}

fn base(name: &str) -> Option<Workspace> {
    Scenario::find(name)?.workspace()
}

/// Each exercise, with a hand-in of its first solution and one of each wrong answer.
fn hand_ins() -> Vec<(Start, Vec<String>)> {
    let mut all = Vec::new();
    for (file, text) in content::folder("en/exercises") {
        let Some(exercise) = read(text, FileId(0), &base).0 else {
            continue;
        };
        let attempts = exercise.solutions.iter().take(1).chain(&exercise.wrong);
        let name = file.trim_end_matches(".md");
        let made = attempts.map(|s| HandIn::of(name, &exercise, &s.attempt).json());
        let made = made.collect();
        all.push((Start::new(Arc::new(exercise)), made));
    }
    all
}

/// All exercises, each with several answers.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn every_exercise(bencher: Bencher) {
    let all = hand_ins();
    let count: usize = all.iter().map(|(_, made)| made.len()).sum();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        for (start, made) in &all {
            for text in made {
                let hand_in = HandIn::read(black_box(text));
                let _ = black_box(hand_in.map(|h| mark(&h, Some(start))));
            }
        }
    });
}
