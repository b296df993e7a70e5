//! Reading the listings of one node, as the default scenario has them, and the manifests of 1,000 Services with three
//! endpoints each, which is to take 100 ms at most.

#[path = "kube_proxy/services.rs"]
mod services;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use northsouth::manifest::{self, Manifests};
use northsouth::route::read;
use northsouth::text::FileId;

const ROUTES: &str = "\
default via 192.168.0.253 dev eth0
169.254.0.0/16 dev eth0 scope link metric 1002
169.254.123.0/24 dev docker0 proto kernel scope link src 169.254.123.1
172.20.1.128/25 dev cni0 proto kernel scope link src 172.20.1.129
192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.17
";

fn main() {
    divan::main();
}

#[divan::bench]
fn routes(bencher: Bencher) {
    bencher.bench(|| read::routes(black_box(ROUTES), FileId(0)));
}

#[divan::bench(sample_count = 20)]
fn manifests_of_1_000_services(bencher: Bencher) {
    let text = services::yaml(0..1_000, 3);
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let mut objects = Manifests::default();
        let said = manifest::read(black_box(&text), FileId(0), &mut objects);
        (objects, said)
    });
}
