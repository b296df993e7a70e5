//! Captures, byte for byte: `tests/captures/NAME.pcapng`, which `UPDATE_GOLDENS` writes anew. Wireshark's `tshark -r` and
//! `capinfos` read them; where `tshark` is installed, it must find nothing wrong in what is written now.

use std::path::Path;
use std::process::Command;

use northsouth::share::capture;
use northsouth::workspace::{Scenario, parse_probe, run};

fn captured(probe: &str) -> Vec<u8> {
    let mut workspace = Scenario::find("article").unwrap().workspace().unwrap();
    // Small enough to look at: no rules, no mesh.
    workspace.probe = parse_probe(probe).unwrap();
    let run = run(&workspace);
    capture(&run.world, &run.trace)
}

/// 32-bit words of a block at an offset.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Kinds and bodies of a file's blocks.
fn blocks(bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let (mut at, mut all) = (0, Vec::new());
    while at < bytes.len() {
        let length = word(bytes, at + 4) as usize;
        assert_eq!(length % 4, 0);
        assert_eq!(word(bytes, at + length - 4) as usize, length);
        all.push((word(bytes, at), &bytes[at + 8..at + length - 4]));
        at += length;
    }
    all
}

/// The one's complement sum over bytes, which is all ones where a checksum within is right.
fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for word in parts.iter().flat_map(|p| p.chunks(2)) {
        sum += u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[test]
fn frames_have_right_lengths_and_checksums() {
    for probe in [
        "client http GET http://182.92.251.227/",
        "client tcp 192.168.0.17:9",
        "work001 icmp 172.20.2.7",
        "work001 udp 192.168.0.18:53",
    ] {
        let bytes = captured(probe);
        let blocks = blocks(&bytes);
        assert_eq!(blocks[0].0, 0x0a0d_0d0a);
        let interfaces = blocks.iter().filter(|(kind, _)| *kind == 1).count() as u32;
        let packets: Vec<_> = blocks.iter().filter(|(kind, _)| *kind == 6).collect();
        assert!(interfaces >= 2 && packets.len() >= 4, "{probe}");
        for (_, body) in packets {
            assert!(word(body, 0) < interfaces);
            let length = word(body, 12) as usize;
            let frame = &body[20..20 + length];
            assert_eq!(&frame[12..14], [8, 0], "IPv4");
            let ip = &frame[14..];
            assert_eq!(usize::from(ip[2]) << 8 | usize::from(ip[3]), ip.len());
            assert_eq!(sum(&[&ip[..20]]), 0xffff, "{probe}: IP");
            let transport = &ip[20..];
            let pseudo = [
                0,
                ip[9],
                (transport.len() >> 8) as u8,
                transport.len() as u8,
            ];
            let whole = match ip[9] {
                1 => sum(&[transport]),
                _ => sum(&[&ip[12..20], &pseudo, transport]),
            };
            assert_eq!(whole, 0xffff, "{probe}: protocol {}", ip[9]);
        }
    }
}

#[test]
fn a_capture_is_the_same_byte_for_byte() {
    let name = "icmp";
    let bytes = captured("work001 icmp 172.20.2.7");
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/{name}.pcapng"));
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&golden, &bytes).unwrap();
    }
    assert!(
        bytes == std::fs::read(&golden).unwrap(),
        "UPDATE_GOLDENS=1 writes it anew"
    );
}

#[test]
fn wireshark_opens_what_is_written() {
    let path = std::env::temp_dir().join(format!("northsouth-{}.pcapng", std::process::id()));
    std::fs::write(&path, captured("client http GET http://182.92.251.227/")).unwrap();
    let tshark = Command::new("tshark")
        .args([
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "ip.check_checksum:TRUE",
            "-r",
        ])
        .arg(&path)
        .args([
            "-Y",
            "ip.checksum.status == 0 or tcp.checksum.status == 0 or _ws.malformed",
        ])
        .output();
    // Not everyone has it.
    if let Ok(found) = tshark {
        assert!(
            found.status.success(),
            "{}",
            String::from_utf8_lossy(&found.stderr)
        );
        assert!(
            found.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&found.stdout)
        );
    }
    std::fs::remove_file(&path).unwrap();
}
