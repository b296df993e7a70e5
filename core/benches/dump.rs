//! Reading a large node's `iptables-save`: 100,000 rules as kube-proxy writes them, some 15 MB. With the most memory that
//! was held at once beside the text.

#[path = "dump/kube.rs"]
mod kube;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use northsouth::netfilter::{print, save};
use northsouth::text::FileId;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 20)]
fn read_100_000_rules(bencher: Bencher) {
    let text = kube::dump(100_000);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| save::read(black_box(&text), FileId(0)));
}

#[divan::bench(sample_count = 20)]
fn print_100_000_rules(bencher: Bencher) {
    let text = kube::dump(100_000);
    let (ruleset, _) = save::read(&text, FileId(0));
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| print::save(black_box(&ruleset), false));
}
