//! Links that were made once open for ever. `tests/links/NAME.link` is the data of a link as it was made, and is never
//! written again; `NAME.txt` is what it unpacks to, which `UPDATE_GOLDENS` writes for a new one.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use northsouth::net::Random;
use northsouth::share::{Shared, Unpacked, link, pack, read_kept, write_kept};
use northsouth::text::{File, Lang};
use northsouth::workspace::{HttpRequest, Probe, ProbeKind, Scenario, Workspace, scenarios};

fn links() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/links");
    let entries = std::fs::read_dir(dir).unwrap();
    let mut links: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    links.retain(|path| path.extension().is_some_and(|e| e == "link"));
    links.sort();
    links
}

/// What a link holds, as text.
fn told(unpacked: &Unpacked) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "base {}", unpacked.base.as_deref().unwrap_or("none"));
    let _ = writeln!(out, "probe {}", unpacked.probe);
    let _ = writeln!(out, "seed {}", unpacked.seed);
    let _ = writeln!(out, "step {}", unpacked.step);
    for (name, value) in &unpacked.view {
        let _ = writeln!(out, "view {name} {value}");
    }
    for gone in &unpacked.gone {
        let _ = writeln!(out, "gone {gone}");
    }
    for file in &unpacked.files {
        let _ = writeln!(out, "== {}\n{}", file.name, file.text);
    }
    out
}

#[test]
fn links_of_every_kind_open_for_ever() {
    let links = links();
    assert!(links.len() >= 6, "{links:?}");
    for path in links {
        let data = std::fs::read_to_string(&path).unwrap();
        let unpacked = Unpacked::read(&data)
            .unwrap_or_else(|said| panic!("{}: {}", path.display(), said.text(Lang::En)));
        let told = told(&unpacked);
        let golden = path.with_extension("txt");
        if std::env::var_os("UPDATE_GOLDENS").is_some() && !golden.exists() {
            std::fs::write(&golden, &told).unwrap();
        }
        let wanted = std::fs::read_to_string(&golden).unwrap();
        assert_eq!(told, wanted, "{}", path.display());
        let base = unpacked.base.as_deref().map(|name| {
            let scenario = Scenario::find(name);
            scenario.unwrap_or_else(|| panic!("links name the scenario {name}: it stays"))
        });
        let base = base.and_then(|s| s.workspace());
        assert!(unpacked.over(base.as_ref()).is_ok(), "{}", path.display());
    }
}

fn text(random: &mut Random) -> String {
    const PIECES: [&str; 12] = [
        "",
        "\n",
        "a",
        "1.2.3.4",
        "一二三",
        "\r\n",
        "file 3\n",
        "\0",
        "é",
        "😀",
        "</script>",
        " ",
    ];
    let length = random.below(12);
    (0..length)
        .map(|_| PIECES[random.below(PIECES.len() as u32) as usize])
        .collect()
}

fn any(random: &mut Random) -> Shared {
    let all = scenarios();
    let base = all[random.below(all.len() as u32) as usize];
    let mut workspace = base.workspace().unwrap();
    for _ in 0..random.below(4) {
        let at = random.below(workspace.files.len().max(1) as u32) as usize;
        match random.below(3) {
            0 if at < workspace.files.len() => {
                workspace.files.remove(at);
            }
            1 if at < workspace.files.len() => {
                workspace.files[at].text = text(random).into();
            }
            _ => {
                let name = format!("{}{}", text(random), random.next_u64());
                workspace.files.push(File::new(&name, &text(random)));
            }
        }
    }
    workspace.seed = random.next_u64();
    workspace.probe = Probe {
        from: text(random),
        to: match random.below(2) {
            0 => std::net::IpAddr::V4(random.next_u32().into()),
            _ => std::net::IpAddr::V6(u128::from(random.next_u64()).into()),
        },
        port: random.below(65536) as u16,
        kind: match random.below(4) {
            0 => ProbeKind::TcpConnect,
            1 => ProbeKind::Udp,
            2 => ProbeKind::IcmpEcho,
            _ => ProbeKind::Http(HttpRequest {
                method: text(random),
                host: text(random),
                path: text(random),
                headers: (0..random.below(3))
                    .map(|_| (text(random), text(random)))
                    .collect(),
                ..HttpRequest::default()
            }),
        },
    };
    Shared {
        workspace,
        base: (random.below(4) > 0).then(|| base.name.to_string()),
        step: random.next_u32(),
        view: (0..random.below(3))
            .map(|_| (text(random), text(random)))
            .collect(),
    }
}

fn base(name: Option<&str>) -> Option<Workspace> {
    name.and_then(Scenario::find).and_then(|s| s.workspace())
}

#[test]
fn whatever_is_shared_opens_as_it_was() {
    let mut random = Random::new(3);
    for round in 0..300 {
        let shared = any(&mut random);
        let data = link(&shared, base(shared.base.as_deref()).as_ref());
        let unpacked = Unpacked::read(&data).unwrap();
        let base = base(unpacked.base.as_deref());
        let (opened, remark) = unpacked.over(base.as_ref()).unwrap();
        assert_eq!(opened, shared, "round {round}");
        assert_eq!(remark, None);
        let kept = write_kept(&shared.workspace);
        assert_eq!(read_kept(&kept), Some(shared.workspace), "round {round}");
    }
}

#[test]
fn a_link_that_was_cut_or_changed_is_refused() {
    let mut random = Random::new(5);
    for _ in 0..20 {
        let shared = any(&mut random);
        let data = link(&shared, base(shared.base.as_deref()).as_ref());
        for at in 0..data.len() {
            if at % 7 == 0 {
                assert!(Unpacked::read(&data[..at]).is_err(), "cut at {at}");
            }
        }
        // The checksum finds what still unpacks.
        for _ in 0..50 {
            let at = 10 + random.below(data.len() as u32 - 12) as usize;
            let mut changed = data.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let read = Unpacked::read(&changed);
            // The last character may have bits that hold nothing.
            assert!(
                read.is_err() || read == Unpacked::read(&data),
                "{at} of {data}"
            );
        }
    }
}

#[test]
fn a_link_of_too_many_files_is_refused() {
    let mut records =
        String::from("seed 1\n1\nfrom 1\na\nto 7\n1.2.3.4\nport 2\n80\nkind 3\ntcp\n");
    for _ in 0..2000 {
        records.push_str("file 1\na\ntext 0\n\n");
    }
    let error = Unpacked::read(&pack(&records)).unwrap_err();
    assert_eq!(error.key, "share/too-many-files");
}
