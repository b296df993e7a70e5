//! nftables: what is read and what is printed.

mod netfilter;
mod nft;

use std::path::Path;

use netfilter::at;
use nft::{read, walk};
use northsouth::netfilter::{Hook, nft as nftables};
use northsouth::text::{File, FileId, Lang};

fn data() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nft");
    let read = |e: std::io::Result<std::fs::DirEntry>| {
        let path = e.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    let mut all: Vec<_> = std::fs::read_dir(dir).unwrap().map(read).collect();
    all.sort();
    all
}

#[test]
fn what_nft_takes_is_printed_as_nft_lists_it() {
    let all = data();
    let mut played = 0;
    for (name, text) in &all {
        let listed = match name.strip_suffix(".list.nft") {
            Some(_) => text,
            None => {
                let list = name.replace(".nft", ".list.nft");
                &all.iter().find(|(n, _)| *n == list).unwrap().1
            }
        };
        assert_eq!(read(text).to_string(), *listed, "{name}");
        played += 1;
    }
    assert_eq!(played, all.len());
}

#[test]
fn each_mistake_is_said_where_it_stands() {
    let inside = [
        (
            "ip saddr 1.2.3.4/33 drop",
            "3:18 33 is out of range: at most 32",
        ),
        (
            "ip saddr example.org drop",
            "3:10 names such as `example.org` are not looked up: give the address",
        ),
        (
            "tcp dport 65536 drop",
            "3:11 65536 is out of range: at most 65535",
        ),
        (
            "tcp dport 80 jump nowhere",
            "3:19 the chain `nowhere` is not defined in table ip t",
        ),
        (
            "ip saddr @nothing drop",
            "3:10 the set `nothing` is not defined in table ip t",
        ),
        (
            "ip saddr @m drop",
            "3:10 `m` is a map: use it with `map` or `vmap`",
        ),
        ("tcp dport vmap @s", "3:16 `s` is a set, not a map"),
        (
            "tcp dport @s drop",
            "3:11 the key is inet_service, but `s` has ipv4_addr",
        ),
        ("frobnicate drop", "3:1 unknown expression `frobnicate`"),
        (
            "tcp dport 80 jump base",
            "3:19 `base` is a base chain, which cannot be jumped to",
        ),
        ("ct state frob drop", "3:10 `frob` is no ct_state"),
        ("meta frob 1 drop", "3:6 `meta` knows no `frob`"),
        ("tcp dport { 80, 443", "5:1 unknown expression `chain`"),
        (
            "dnat to 1.2.3.4:80",
            "3:1 a port can be translated only after the rule has asked for the transport protocol",
        ),
        (
            "numgen inc mod 0 vmap { 0 : drop }",
            "3:16 `mod 0` leaves nothing to choose from",
        ),
        (
            "limit rate 0/second drop",
            "3:12 a rate of 0 never lets anything through",
        ),
        (
            "reject with icmpv6 no-route",
            "3:13 `reject with icmpv6` does not fit a table of family ip",
        ),
        (
            "ip saddr $nets drop",
            "3:10 the variable `$nets` is not defined",
        ),
        ("log prefix \"x", "3:12 the quoted text has no end"),
    ];
    for (rule, expect) in inside {
        let text = format!(
            "table ip t {{\nchain c {{\n{rule}\n}}\nchain base {{ type filter hook input priority 0; policy accept; }}\nset s {{ type ipv4_addr; }}\nmap m {{ type ipv4_addr : verdict; }}\n}}\n"
        );
        let file = File::new("f", &text);
        let (_, diagnostics) = nftables::read(&text, FileId(0));
        let said: Vec<_> = diagnostics
            .iter()
            .map(|d| {
                let at = file.line_column(d.span.start);
                format!("{}:{} {}", at.line, at.column, d.message.text(Lang::En))
            })
            .collect();
        assert!(
            said.iter().any(|s| s.starts_with(expect)),
            "{rule}: {said:?}"
        );
    }
}

#[test]
fn a_circle_of_jumps_is_said_and_walked_no_further() {
    let text = "table ip t {\nchain x {\ngoto y\n}\nchain y {\ntcp dport vmap { 80 : goto x }\n}\nchain a { type filter hook forward priority 0; policy accept;\ngoto x\n}\n}\n";
    let (rules, diagnostics) = nftables::read(text, FileId(0));
    let said: Vec<_> = diagnostics
        .iter()
        .map(|d| d.message.text(Lang::En))
        .collect();
    assert_eq!(said, ["jump loop: x → y → x; the kernel refuses it"]);
    let walked = walk(
        &rules,
        &mut at(Hook::Forward, "tcp 203.0.113.9:1 > 10.0.0.2:80"),
        &mut nftables::State::new(1),
    );
    assert!(
        walked.ends_with("cannot tell jumps nested more than 16 deep, or going round in circles")
    );
}

#[test]
fn a_mistake_costs_its_rule_and_no_more() {
    let text = "table ip t {\nchain c {\ncounter\nip saddr 1.2.3.4/99 drop\naccept\n}\nchain d {\ndrop\n}\n}\n";
    let (rules, diagnostics) = nftables::read(text, FileId(0));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(
        rules.to_string(),
        "table ip t {\n\tchain c {\n\t\tcounter packets 0 bytes 0\n\t\taccept\n\t}\n\n\tchain d {\n\t\tdrop\n\t}\n}\n"
    );
}

#[test]
fn commands_make_change_and_take_away() {
    let rules = read(
        "define ADDRS = { 10.0.0.1, 10.0.0.2 }
         add table ip t
         add chain ip t gone
         add chain ip t c { type filter hook input priority filter ; policy drop ; }
         add set ip t s { type ipv4_addr ; }
         add element ip t s $ADDRS
         delete element ip t s { 10.0.0.1 }
         add rule ip t c ip saddr @s accept
         insert rule ip t c ct state established accept
         delete chain ip t gone
         add chain ip t late
         add rule ip t c jump late
         flush chain ip t late
         table ip other { }
         delete table ip other
        ",
    );
    assert_eq!(
        rules.to_string(),
        "table ip t {
\tset s {
\t\ttype ipv4_addr
\t\telements = { 10.0.0.2 }
\t}

\tchain c {
\t\ttype filter hook input priority filter; policy drop;
\t\tct state established accept
\t\tip saddr @s accept
\t\tjump late
\t}

\tchain late {
\t}
}
"
    );
}

#[test]
fn a_field_of_tcp_makes_the_transport_known_even_turned_round() {
    let text = "table ip t { chain p { type nat hook prerouting priority -100;
        tcp flags != syn dnat to 10.0.0.2:8080
    } }";
    assert!(nftables::read(text, FileId(0)).1.is_empty());
    let text = text.replace("tcp flags != syn", "meta l4proto != tcp");
    assert!(!nftables::read(&text, FileId(0)).1.is_empty());
}

/// What later releases than 1.0.6 print (`fib … check` is of 1.1.4), and what firewalld has around its rules.
#[test]
fn what_later_releases_of_nft_print_is_read() {
    let rules = read(
        "table inet firewalld {
            flags owner,persist
            chain nat_OUTPUT { type nat hook output priority dstnat + 10; policy accept;
                ip daddr 127.0.0.1 tcp dport 80 redirect to :8080
            }
            chain filter_PREROUTING { type filter hook prerouting priority filter + 10; policy accept;
                meta nfproto ipv6 fib saddr . mark . iif check missing drop
                fib daddr check vmap { missing : drop, exists : accept }
            }
        }",
    );
    let text = rules.to_string();
    assert!(text.contains("hook output priority -90;"), "{text}");
    assert!(text.contains("fib daddr check vmap { missing : drop, exists : accept }"));
    let meets = walk(
        &rules,
        &mut at(Hook::Prerouting, "tcp 203.0.113.9:1 > 192.0.2.1:2"),
        &mut nftables::State::new(1),
    );
    assert_eq!(meets, "filter_PREROUTING 2, drop");
}

#[test]
fn what_helpers_do_to_connections_is_said_not_to_be_followed() {
    let text = "table ip t {\n\tct helper h {\n\t\ttype \"ftp\" protocol tcp\n\t\tl3proto ip\n\t}\n\n\tchain c {\n\t\ttcp dport 21 ct helper set \"h\"\n\t\tcounter name \"gone\"\n\t}\n}\n";
    let (rules, diagnostics) = nftables::read(text, FileId(0));
    let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
    assert_eq!(codes, ["nft/object-not-followed", "nft/unknown-object"]);
    assert_eq!(
        rules.to_string(),
        text.replace("\t\tcounter name \"gone\"\n", "")
    );
}

#[test]
fn an_address_to_translate_to_may_stand_without_to() {
    let table = |rule: &str| {
        let head = "type nat hook postrouting priority srcnat; policy accept;";
        format!("table ip t {{\nchain c {{\n{head}\n{rule}\n}}\n}}\n")
    };
    for (short, whole) in [
        ("snat 10.0.0.1", "snat to 10.0.0.1"),
        ("snat 10.0.0.1-10.0.0.3", "snat to 10.0.0.1-10.0.0.3"),
    ] {
        let rule = |text: &str| {
            let (ruleset, said) = nftables::read(&table(text), FileId(0));
            assert_eq!(said, [], "{text}");
            let t = &ruleset.tables[0];
            nftables::print_rule(&t.chains[0].rules[0], t)
        };
        assert_eq!(rule(short), rule(whole));
    }
}
