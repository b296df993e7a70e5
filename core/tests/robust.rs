//! Nothing that is typed makes the model panic or run on: real texts, made worse at random, go through every reader and over
//! hosts. The same inputs every time; `ROUNDS=N` plays N times as many.

#[path = "robust/drive.rs"]
mod drive;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use northsouth::envoy::dump;
use northsouth::net::{IpFamily, Random};
use northsouth::netfilter::{ipset, nft, save};
use northsouth::text::{File, FileId, Pace, Stretches};
use northsouth::workspace::{Scenario, run};
use northsouth::{console, manifest, share, yaml};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => files(&path, out),
            false => out.push(path),
        }
    }
}

/// Real texts by the reader that takes them.
fn seeds() -> BTreeMap<&'static str, Vec<String>> {
    let mut seeds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut paths = Vec::new();
    files(&root().join("content/scenarios"), &mut paths);
    files(&root().join("conformance"), &mut paths);
    files(&root().join("core/tests/data/iptables"), &mut paths);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let folder = path
            .strip_prefix(root())
            .unwrap_or(&path)
            .components()
            .any(|c| c.as_os_str().to_str().unwrap().starts_with("kernel"));
        if folder {
            // `== NAME` lines part a recording.
            for part in format!("\n{text}").split("\n== ").skip(1) {
                let (name, text) = part.split_once('\n').unwrap_or((part, ""));
                let reader = match name.trim() {
                    "iptables" => "iptables",
                    "nft" => "nft",
                    "routes" => "routes",
                    "rules" => "rules",
                    "sysctls" => "sysctl",
                    _ => continue,
                };
                seeds.entry(reader).or_default().push(text.to_string());
            }
            continue;
        }
        let reader = match name {
            "iptables-save.txt" => "iptables",
            _ if name.contains(".L") => "listing",
            _ if name.ends_with(".save") => "iptables",
            "ip-route.txt" => "routes",
            "ip-addr.txt" => "addr",
            "brctl-show.txt" => "brctl",
            "ss.txt" => "ss",
            "sysctl.txt" => "sysctl",
            "input.yaml" => "manifests",
            _ if name.starts_with("iptables-") => "iptables",
            _ if name.starts_with("nftables-") => "nft",
            _ if name.starts_with("kubectl-") => "kubectl",
            _ if name.ends_with(".yaml") => "yaml",
            _ => continue,
        };
        seeds.entry(reader).or_default().push(text);
    }
    let more = [
        (
            "rules",
            "0:\tfrom all lookup local\n100:\tfrom all fwmark 0x1/0x1 lookup 100\n32766:\tfrom all lookup main\n",
        ),
        (
            "neigh",
            "192.168.9.254 dev e0 lladdr 7a:5e:9b:3a:c4:aa REACHABLE\nfe80::1 dev eth0 FAILED\n",
        ),
        (
            "bridge",
            "4: v0@v1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state forwarding priority 32 cost 2\n    hairpin on guard off\n92:c9:65:4d:ec:23 dev v0 master br0\n",
        ),
        (
            "probe",
            "client http GET http://182.92.251.227/a?b=c at 1.2.3.4:80 x:y",
        ),
        ("probe", "work001 udp [fd00::1]:53"),
        (
            "ipset",
            "create a hash:ip,port family inet hashsize 1024 maxelem 65536\nadd a 172.21.0.10,udp:53\ncreate b hash:net family inet\nadd b 10.0.0.0/8 nomatch\ncreate c list:set size 8\nadd c b\n",
        ),
        (
            "console",
            "iptables -t nat -nvL KUBE-SERVICES --line-numbers\niptables -S INPUT 1\nip route get 1.2.3.4 from 10.0.0.1 iif eth0 mark 0x1\nip route show table all\nconntrack -L -p tcp --dport 80 -m 1/2\ntcpdump -ni any 'not (src host 1.2.3.4 or tcp port 80)'\n",
        ),
        (
            "console",
            "ip -br addr show dev eth0\nbridge -d link\nbridge fdb show br cni0\nbrctl showmacs cni0\nss -lntup\nsysctl -n net.ipv4.ip_forward\ndmesg\nnft list chain ip a b\nipset list -n\n",
        ),
    ];
    let mut links = Vec::new();
    files(&root().join("core/tests/links"), &mut links);
    for path in links
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "link"))
    {
        let link = std::fs::read_to_string(path).unwrap();
        let records = share::unpack(&link).unwrap();
        seeds.entry("link").or_default().extend([records, link]);
    }
    for (reader, text) in more {
        seeds.entry(reader).or_default().push(text.to_string());
    }
    seeds
}

fn rounds(default: u32) -> u32 {
    let times = std::env::var("ROUNDS")
        .ok()
        .and_then(|n| n.parse::<u32>().ok());
    default * times.unwrap_or(1)
}

/// A text of moderate size of those given.
fn pick<'s>(all: &'s [String], random: &mut Random) -> &'s str {
    let text = &all[random.below(all.len() as u32) as usize];
    let mut end = text.len().min(6000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[test]
fn readers_bear_whatever_is_typed() {
    let seeds = seeds();
    let every: Vec<String> = seeds.values().filter_map(|s| s.first().cloned()).collect();
    for (name, drive) in drive::READERS {
        let own = seeds
            .get(name)
            .unwrap_or_else(|| panic!("no text for {name}"));
        let mut random = Random::new(7);
        for text in own.iter().take(20) {
            drive(text);
        }
        for round in 0..rounds(250) {
            let text = pick(own, &mut random);
            let other = match random.below(2) {
                0 => pick(own, &mut random),
                _ => pick(&every, &mut random),
            };
            let worse = drive::mutate(text, other, &mut random);
            let caught = std::panic::catch_unwind(|| drive(&worse));
            assert!(caught.is_ok(), "{name}, round {round}:\n{worse}");
        }
    }
}

/// What a text comes to when it is read at once, and in stretches of any size.
fn both(kind: &str, text: String, random: &mut Random) -> (String, String) {
    fn two<T: std::fmt::Debug>(
        once: T,
        work: Stretches<T>,
        random: &mut Random,
    ) -> (String, String) {
        let most = 1 << random.below(12);
        let (mut work, mut read) = (work, 0);
        let along = loop {
            work = match work.go_on(random.below(most) as usize) {
                Ok(done) => break done,
                Err(more) => more,
            };
            assert!(work.read() >= read);
            read = work.read();
        };
        (format!("{once:?}"), format!("{along:?}"))
    }
    const FILE: FileId = FileId(3);
    async fn objects(text: &str, pace: &Pace) -> impl std::fmt::Debug + use<> {
        let (mut objects, mut memory) = Default::default();
        let read = manifest::read_along(text, FILE, &mut objects, Some(&mut memory), pace);
        (read.await, objects)
    }
    match kind {
        "iptables" => {
            let once = save::read_of(IpFamily::V4, &text, FILE);
            let read =
                async move |pace: Pace| save::read_along(IpFamily::V4, &text, FILE, &pace).await;
            two(once, Stretches::new(read), random)
        }
        "nft" => {
            let once = nft::read(&text, FILE);
            let read = async move |pace: Pace| nft::read_along(&text, FILE, &pace).await;
            two(once, Stretches::new(read), random)
        }
        "ipset" => {
            let once = ipset::read(&text, FILE);
            let read = async move |pace: Pace| ipset::read_along(&text, FILE, &pace).await;
            two(once, Stretches::new(read), random)
        }
        "config-dump" => {
            let once = dump::read(&text, FILE);
            let read = async move |pace: Pace| dump::read_along(&text, FILE, &pace).await;
            two(once, Stretches::new(read), random)
        }
        "manifests" => {
            let mut all = manifest::Manifests::default();
            let said = manifest::read(&text, FILE, &mut all);
            let (once, read) = (format!("{:?}", (said, all)), async move |pace: Pace| {
                format!("{:?}", objects(&text, &pace).await)
            });
            two(once, Stretches::new(read), random)
        }
        _ => {
            let once = yaml::read(&text, FILE);
            let read = async move |pace: Pace| yaml::read_along(&text, FILE, None, &pace).await;
            two(once, Stretches::new(read), random)
        }
    }
}

#[test]
fn what_is_read_in_stretches_comes_to_the_same() {
    let mut seeds = seeds();
    let mesh = run(&Scenario::find("canary-header")
        .unwrap()
        .workspace()
        .unwrap());
    let command = "pilot-agent request GET config_dump";
    let dump = console::run(console::AfterRun::from(&mesh), "ingressgateway", command);
    seeds.insert("config-dump", vec![dump.text]);
    let items = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n- apiVersion: v1\n  kind: Node\n  metadata:\n    name: n\n";
    seeds.entry("manifests").or_default().push(items.into());
    for kind in [
        "iptables",
        "nft",
        "ipset",
        "config-dump",
        "manifests",
        "yaml",
    ] {
        let own = &seeds[kind];
        let mut random = Random::new(5);
        for round in 0..rounds(120) {
            let text = match round % 4 {
                0 => own[random.below(own.len() as u32) as usize].clone(),
                1 => pick(own, &mut random).to_string(),
                _ => drive::mutate(pick(own, &mut random), pick(own, &mut random), &mut random),
            };
            let (once, along) = both(kind, text.clone(), &mut random);
            assert!(once == along, "{kind}, round {round}:\n{text}");
        }
    }
}

#[test]
fn walks_bear_whatever_is_typed() {
    let seeds = seeds();
    let article = drive::article();
    let every: Vec<String> = article.files.iter().map(|f| f.text.to_string()).collect();
    let rules = &seeds["iptables"];
    let mut random = Random::new(11);
    drive::play(&article);
    for round in 0..rounds(250) {
        let mut workspace = article.clone();
        for _ in 0..=random.below(2) {
            let at = random.below(workspace.files.len() as u32) as usize;
            let file = &mut workspace.files[at];
            let other = match random.below(2) {
                0 => pick(rules, &mut random),
                _ => pick(&every, &mut random),
            };
            let worse = drive::mutate(&file.text, other, &mut random);
            *file = File::new(&file.name, &worse);
        }
        let caught = std::panic::catch_unwind(AssertUnwindSafe(|| drive::play(&workspace)));
        if caught.is_err() {
            for (file, before) in workspace.files.iter().zip(&article.files) {
                if file != before {
                    eprintln!("--- {}\n{}", file.name, file.text);
                }
            }
            panic!("round {round}");
        }
    }
}

/// What fuzzing found worth keeping: a few texts for each target, those among them that once broke something.
#[test]
fn what_fuzzing_found_is_borne() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let walk: (&str, drive::Drive) = ("walk", drive::walk);
    for (name, drive) in drive::READERS.iter().chain([&walk]) {
        let mut paths = Vec::new();
        files(&corpus.join(name), &mut paths);
        assert!(!paths.is_empty(), "no corpus for {name}");
        for path in paths {
            let text = std::fs::read_to_string(&path).unwrap();
            let caught = std::panic::catch_unwind(|| drive(&text));
            assert!(caught.is_ok(), "{}:\n{text}", path.display());
        }
    }
}

/// One after the other, with its number.
fn many(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn huge_and_deep_texts_end() {
    const MANY: usize = 20_000;
    let save = |chains: &str, rules: &str| {
        format!("*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{chains}{rules}COMMIT\n")
    };
    let chains = many(MANY, |i| format!(":C{i} - [0:0]\n"));
    let row = many(MANY, |i| format!("-A C{i} -j C{}\n", i + 1));
    let loops = ":A - [0:0]\n:B - [0:0]\n";
    let nft_row = many(MANY, |i| format!("chain c{i} {{ jump c{} }}\n", i + 1));
    let texts: [(&str, String); 12] = [
        (
            "iptables",
            save(&chains, &format!("-A PREROUTING -j C0\n{row}")),
        ),
        (
            "iptables",
            save(loops, "-A PREROUTING -j A\n-A A -j B\n-A B -g A\n"),
        ),
        (
            "iptables",
            save(
                "",
                &many(MANY, |i| {
                    format!("-A PREROUTING -s 10.0.{}.{}\n", i / 256 % 256, i % 256)
                }),
            ),
        ),
        ("iptables", "-A ".repeat(100_000)),
        ("nft", format!("table ip t {{\n{nft_row}}}\n")),
        ("nft", "table ip t { ".repeat(MANY)),
        (
            "nft",
            format!(
                "table ip t {{ chain c {{ ip saddr {} }} }}",
                "{ ".repeat(MANY)
            ),
        ),
        (
            "routes",
            many(MANY, |i| {
                format!("10.{}.{}.0/24 dev eth0\n", i / 256 % 256, i % 256)
            }),
        ),
        (
            "routes",
            format!("default {}", "nexthop via 10.0.0.1 dev eth0 ".repeat(MANY)),
        ),
        ("yaml", "- ".repeat(200_000)),
        ("yaml", "a: {".repeat(50_000)),
        ("console", "( ".repeat(100_000)),
    ];
    for (reader, text) in &texts {
        let (_, drive) = drive::READERS
            .iter()
            .find(|(name, _)| name == reader)
            .unwrap();
        drive(text);
    }
}

#[test]
fn loops_and_deep_chains_end_in_a_walk() {
    let jumps = many(3000, |i| format!("-A C{i} -j C{}\n", i + 1));
    let chains = many(3000, |i| format!(":C{i} - [0:0]\n"));
    let doubling = many(40, |i| {
        format!("-A D{i} -j D{}\n-A D{i} -j D{}\n", i + 1, i + 1)
    });
    let doubled = many(41, |i| format!(":D{i} - [0:0]\n"));
    for (chains, rules) in [
        (
            ":A - [0:0]\n:B - [0:0]\n".to_string(),
            "-A PREROUTING -j A\n-A A -j B\n-A B -j A\n".to_string(),
        ),
        (
            ":A - [0:0]\n".to_string(),
            "-A PREROUTING -g A\n-A A -g A\n".to_string(),
        ),
        (chains, format!("-A PREROUTING -j C0\n{jumps}")),
        (doubled, format!("-A PREROUTING -j D0\n{doubling}")),
    ] {
        let mut workspace = drive::article();
        let file = workspace
            .files
            .iter_mut()
            .find(|f| &*f.name == "nodes/work001/iptables-save.txt")
            .unwrap();
        let text = format!("*mangle\n:PREROUTING ACCEPT [0:0]\n{chains}{rules}COMMIT\n");
        *file = File::new(&file.name, &text);
        drive::play(&workspace);
    }
}
