//! The default scenario: its files read, its request walked.

use divan::{Bencher, black_box};
use northsouth::sim;
use northsouth::workspace::{DEFAULT, Scenario, Workspace, run, world};

fn main() {
    divan::main();
}

fn article() -> Workspace {
    let scenario = Scenario::find(DEFAULT).and_then(|s| s.workspace());
    scenario.unwrap_or_else(|| std::process::exit(1))
}

/// Files to a world.
#[divan::bench]
fn files(bencher: Bencher) {
    let workspace = article();
    bencher.bench(|| world(black_box(&workspace.files)));
}

/// The whole conversation, there and back. Target: under 100 µs.
#[divan::bench]
fn trace(bencher: Bencher) {
    let workspace = article();
    let (world, _) = world(&workspace.files);
    bencher.bench(|| sim::run(black_box(&world), &workspace.probe, workspace.seed));
}

/// All of what an edit asks for: reading, health checks, the walk.
#[divan::bench]
fn edit(bencher: Bencher) {
    let workspace = article();
    bencher.bench(|| run(black_box(&workspace)));
}
