//! Reading the listings of one node, as the default scenario has them.

use divan::{Bencher, black_box};
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
