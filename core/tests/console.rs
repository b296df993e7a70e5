//! What commands print on the article's hosts after its request, as transcripts: a prompt with the command, and what it printed.
//!
//! `UPDATE_GOLDENS=1 cargo test --test console` writes the transcripts anew.

use std::fmt::Write;
use std::path::Path;

use northsouth::console::{self, AfterRun};
use northsouth::text::{File, Lang};
use northsouth::workspace::{self, Run, Scenario, Workspace};

fn article() -> Run {
    let workspace = Scenario::find("article").unwrap().workspace().unwrap();
    workspace::run(&workspace)
}

fn printed(run: &Run, host: &str, command: &str) -> String {
    let output = console::run(AfterRun::from(run), host, command);
    let mut text = output.text;
    for said in output.diagnostics {
        for lang in Lang::ALL {
            let _ = writeln!(text, "# {}", said.message.text(lang));
        }
    }
    text
}

/// Plays every command of a transcript again.
#[track_caller]
fn check(name: &str, run: &Run) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/console")
        .join(name);
    let expected = std::fs::read_to_string(&path).unwrap();
    let mut out = String::new();
    for line in expected.lines() {
        let Some((host, command)) = line.strip_prefix("[").and_then(|l| l.split_once("]$ ")) else {
            continue;
        };
        let _ = writeln!(out, "{line}\n{}", printed(run, host, command));
    }
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, out).unwrap();
    } else if out != expected {
        let differs = out.lines().zip(expected.lines()).find(|(a, b)| a != b);
        panic!("{name}: {differs:#?}");
    }
}

#[test]
fn the_article_in_commands() {
    check("article.txt", &article());
}

/// A node that asks a name server by itself, through nftables and an ipset.
fn node() -> Run {
    let files = [
        (
            "ip-addr.txt",
            "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    link/ether 00:16:3e:00:00:11 brd ff:ff:ff:ff:ff:ff\n    inet 192.168.0.17/24 scope global eth0\n",
        ),
        (
            "ip-route.txt",
            "default via 192.168.0.253 dev eth0\n192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.17\nblackhole 10.60.0.0/16\nprohibit 10.61.0.0/16\nunreachable 10.62.0.0/16\n10.50.0.0/16 via 192.168.0.252 dev eth0 table 100\n",
        ),
        (
            "ip-rule.txt",
            "0: from all lookup local\n32765: from all fwmark 0x1/0x1 lookup 100\n32766: from all lookup main\n32767: from all lookup default\n",
        ),
        (
            "nft-ruleset.txt",
            "table ip filter {\n\tcounter asked {\n\t\tpackets 4 bytes 200\n\t}\n\n\tset servers {\n\t\ttype ipv4_addr\n\t\telements = { 192.168.0.53 }\n\t}\n\n\tset seen {\n\t\ttype ipv4_addr\n\t\tsize 100\n\t\tflags dynamic\n\t}\n\n\tchain output {\n\t\ttype filter hook output priority filter; policy accept;\n\t\tudp dport 53 counter packets 7 bytes 420 jump ask\n\t}\n\n\tchain ask {\n\t\tip daddr @servers counter name \"asked\" add @seen { ip daddr }\n\t}\n}\n",
        ),
        (
            "iptables-save.txt",
            "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m set --match-set dns dst,dst -j LOG --log-prefix \"dns \" --log-uid\nCOMMIT\n*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j TOS --set-tos 0x10/0xff\n-A OUTPUT -p udp -j SET --add-set seen dst\n-A OUTPUT -m tos --tos 0x10/0xff -j LOG --log-prefix \"low delay \"\nCOMMIT\n*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j TRACE\nCOMMIT\n",
        ),
        (
            "ipset-save.txt",
            "create dns hash:ip,port family inet hashsize 1024 maxelem 65536\nadd dns 192.168.0.53,udp:53\ncreate seen hash:ip family inet hashsize 1024 maxelem 65536 timeout 60 counters\n",
        ),
    ];
    let files = files.map(|(name, text)| File::new(&format!("nodes/n/{name}"), text));
    let probe = workspace::parse_probe("n udp 192.168.0.53:53").unwrap();
    workspace::run(&Workspace {
        files: files.to_vec(),
        probe,
        seed: 1,
    })
}

#[test]
fn a_node_by_itself_in_commands() {
    let run = node();
    assert_eq!(
        run.diagnostics.iter().map(|d| d.code()).collect::<Vec<_>>(),
        [""; 0]
    );
    check("node.txt", &run);
}

#[test]
fn a_partial_line_goes_on() {
    let run = article();
    let complete = |line: &str| console::complete(AfterRun::from(&run), "work001", line).join(" ");
    assert_eq!(complete("ipta"), "iptables iptables-save");
    assert_eq!(complete("iptables -t n"), "nat");
    assert_eq!(
        complete("iptables -t nat -L KUBE-M"),
        "KUBE-MARK-DROP KUBE-MARK-MASQ"
    );
    assert_eq!(complete("ip route get 10.0.0.1 iif e"), "eth0");
    assert_eq!(complete("bridge fdb show br "), "cni0");
    assert_eq!(complete("tcpdump -i d"), "docker0");
    assert_eq!(complete("sysctl net.ipv4.ip_f"), "net.ipv4.ip_forward");
    assert_eq!(complete("nothing "), "");
    assert_eq!(
        console::complete(AfterRun::from(&run), "nowhere", "ip "),
        [""; 0]
    );
}

#[test]
fn a_capture_filter_joins_its_terms() {
    let run = article();
    let count = |filter: &str| {
        let output = console::run(
            (&run).into(),
            "work001",
            &format!("tcpdump -ni eth0 '{filter}'"),
        );
        match output.diagnostics.first() {
            Some(d) if d.code() == "console/not-taken" => None,
            _ => Some(output.text.lines().count()),
        }
    };
    assert_eq!(count("tcp"), Some(6));
    assert_eq!(count("udp or icmp"), Some(0));
    assert_eq!(count("src host 203.0.113.9 and dst port 31061"), Some(4));
    assert_eq!(count("not (src net 203.0.113.0/24)"), Some(2));
    assert_eq!(count("tcp dst port 31061 and !(dst 1.2.3.4)"), Some(4));
    assert_eq!(count("tcp and"), None);
    assert_eq!(count("(tcp"), None);
    assert_eq!(count("tcp[13] == 2"), None);
    assert_eq!(count(&"(".repeat(10_000)), None);
    assert_eq!(count(&"not ".repeat(10_000)), None);
}

#[test]
fn what_ip6tables_puts_into_a_set_is_listed_afterwards() {
    let mut workspace = Scenario::find("dual-stack").unwrap().workspace().unwrap();
    let texts = [
        (
            "ip6tables-save",
            "*mangle\n-A PREROUTING -p tcp -j SET --add-set seen src\n-A PREROUTING -p tcp -j SET --add-set four src\nCOMMIT\n",
        ),
        (
            "ipset-save",
            "create seen hash:ip family inet6 timeout 60 counters\ncreate four hash:ip family inet\n",
        ),
    ];
    for (name, text) in texts {
        let file = File::new(&format!("nodes/work001/{name}.txt"), text);
        workspace.files.push(file);
    }
    workspace.probe = workspace::parse_probe("client tcp [fd00:168::17]:9").unwrap();
    let saved = printed(&workspace::run(&workspace), "work001", "ipset save");
    let added: Vec<_> = saved.lines().filter(|l| l.starts_with("add")).collect();
    assert_eq!(
        added,
        ["add seen 2001:db8:9::9 timeout 60 packets 1 bytes 60"]
    );
}
