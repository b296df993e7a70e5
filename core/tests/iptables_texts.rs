//! Whole tables as the real tools print them, in all their forms: what is read of each is the same, and what is printed is
//! what they print.

use northsouth::netfilter::{Ruleset, Table, TableName, listing, print, save};
use northsouth::text::{Diagnostic, FileId, Lang, Severity};

/// A table of Linux 6.18 with iptables 1.8.9 (legacy), in the forms `iptables-save -c`, `-S`, `-L -v`, `-L -n -v`.
struct Recording {
    name: TableName,
    save: &'static str,
    commands: &'static str,
    verbose: &'static str,
    numeric: &'static str,
}

macro_rules! recording {
    ($name:ident, $file:literal) => {
        Recording {
            name: TableName::$name,
            save: include_str!(concat!("data/iptables/", $file, ".save")),
            commands: include_str!(concat!("data/iptables/", $file, ".S")),
            verbose: include_str!(concat!("data/iptables/", $file, ".Lv")),
            numeric: include_str!(concat!("data/iptables/", $file, ".Lnv")),
        }
    };
}

const RECORDINGS: [Recording; 4] = [
    recording!(Filter, "filter"),
    recording!(Nat, "nat"),
    recording!(Mangle, "mangle"),
    recording!(Raw, "raw"),
];

fn no_errors(said: &[Diagnostic]) {
    let errors: Vec<_> = said
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| d.message.text(Lang::En))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn table(ruleset: &Ruleset) -> &Table {
    assert_eq!(ruleset.tables.len(), 1);
    &ruleset.tables[0]
}

/// The rules as `-A` lines, by chain.
fn rules(table: &Table) -> Vec<String> {
    print::commands(table)
        .lines()
        .filter(|l| l.starts_with("-A"))
        .map(str::to_string)
        .collect()
}

fn same_lines(ours: &str, theirs: &str) {
    for (a, b) in ours.lines().zip(theirs.lines()) {
        assert_eq!(a, b);
    }
    assert_eq!(ours.lines().count(), theirs.lines().count());
}

#[test]
fn printing_what_was_read_gives_the_same_bytes() {
    for recording in RECORDINGS {
        let (ruleset, said) = save::read(recording.save, FileId(0));
        no_errors(&said);
        assert_eq!(print::save(&ruleset, true), recording.save);
    }
}

#[test]
fn commands_are_read_and_printed_as_iptables_does() {
    for recording in RECORDINGS {
        let (ruleset, _) = save::read(recording.save, FileId(0));
        assert_eq!(print::commands(table(&ruleset)), recording.commands);
        let (again, said) = save::read(recording.commands, FileId(0));
        no_errors(&said);
        assert_eq!(
            table(&again).name,
            recording.name,
            "told by its built-in chains"
        );
        assert_eq!(print::commands(table(&again)), recording.commands);
    }
}

#[test]
fn listings_are_printed_as_iptables_does() {
    let verbose = print::Listing {
        verbose: true,
        ..print::Listing::default()
    };
    for recording in RECORDINGS {
        let (ruleset, _) = save::read(recording.save, FileId(0));
        same_lines(
            &print::list_all(table(&ruleset), verbose),
            recording.verbose,
        );
    }
}

#[test]
fn a_listing_without_counters_or_with_exact_ones_is_printed_as_iptables_does() {
    let (ruleset, _) = save::read(include_str!("data/iptables/nat.save"), FileId(0));
    let plain = print::list_all(table(&ruleset), print::Listing::default());
    same_lines(&plain, include_str!("data/iptables/nat.L"));
    let exact = print::Listing {
        verbose: true,
        exact: true,
        line_numbers: true,
        ..print::Listing::default()
    };
    let exact = print::list_all(table(&ruleset), exact);
    same_lines(&exact, include_str!("data/iptables/nat.Lvx"));
}

#[test]
fn listings_are_read_as_the_rules_that_they_list() {
    for recording in RECORDINGS {
        let (ruleset, _) = save::read(recording.save, FileId(0));
        // A listing does not name the lists of hashlimit, and shows no question for all ports.
        let told = |rule: &String| !rule.contains("hashlimit");
        for text in [recording.verbose, recording.numeric] {
            let (listed, said) = listing::read(text, FileId(0), recording.name);
            no_errors(&said);
            let (mut found, mut wanted) = (rules(table(&listed)), rules(table(&ruleset)));
            found.retain(told);
            wanted.retain(told);
            let wanted = wanted.iter().map(|r| r.replace(" --dport 0:65535", ""));
            let wanted: Vec<_> = wanted.collect();
            same_lines(&found.join("\n"), &wanted.join("\n"));
        }
    }
}

/// The article's listing of work001: counters in M, names for what is anywhere, marks as `or`.
const ARTICLE: &str = "\
Chain PREROUTING (policy ACCEPT 244 packets, 14640 bytes)
 pkts bytes target     prot opt in     out     source               destination
  32M 2003M KUBE-SERVICES  all  --  any    any     anywhere             anywhere             /* kubernetes service portals */

Chain KUBE-FW-HBO2MBMQRZFAHKF2 (1 references)
 pkts bytes target     prot opt in     out     source               destination
    0     0 KUBE-XLB-HBO2MBMQRZFAHKF2  all  --  any    any     anywhere             anywhere             /* default/istio-ingressgateway:http2 loadbalancer IP */
    0     0 KUBE-MARK-DROP  all  --  any    any     anywhere             anywhere             /* default/istio-ingressgateway:http2 loadbalancer IP */

Chain KUBE-MARK-DROP (1 references)
 pkts bytes target     prot opt in     out     source               destination
    0     0 MARK       all  --  any    any     anywhere             anywhere             MARK or 0x8000

Chain KUBE-MARK-MASQ (1 references)
 pkts bytes target     prot opt in     out     source               destination
    0     0 MARK       all  --  any    any     anywhere             anywhere             MARK or 0x4000

Chain KUBE-NODEPORTS (1 references)
 pkts bytes target     prot opt in     out     source               destination

Chain KUBE-SEP-EW7YLHH65NRUVIFQ (1 references)
 pkts bytes target     prot opt in     out     source               destination
    0     0 KUBE-MARK-MASQ  all  --  any    any     172.20.1.157         anywhere
   80  4800 DNAT       tcp  --  any    any     anywhere             anywhere             tcp to:172.20.1.157:80

Chain KUBE-SERVICES (1 references)
 pkts bytes target     prot opt in     out     source               destination
    0     0 KUBE-MARK-MASQ  tcp  --  any    any    !172.20.0.0/16        172.21.9.9           /* default/istio-ingressgateway:http2 cluster IP */ tcp dpt:http
    0     0 KUBE-FW-HBO2MBMQRZFAHKF2  tcp  --  any    any     anywhere             182.92.251.227       /* default/istio-ingressgateway:http2 loadbalancer IP */ tcp dpt:80
  562 33720 KUBE-NODEPORTS  all  --  any    any     anywhere             anywhere             /* kubernetes service nodeports; NOTE: this must be the last rule in this chain */ ADDRTYPE match dst-type LOCAL

Chain KUBE-XLB-HBO2MBMQRZFAHKF2 (1 references)
 pkts bytes target     prot opt in     out     source               destination
   80  4800 KUBE-SEP-EW7YLHH65NRUVIFQ  all  --  any    any     anywhere             anywhere             /* Balancing rule 0 for default/istio-ingressgateway:http2 */
";

#[test]
fn the_articles_listing_is_read_with_its_counters() {
    let (ruleset, said) = listing::read(ARTICLE, FileId(0), TableName::Nat);
    assert_eq!(said, []);
    let saved = print::save(&ruleset, true);
    let expect = "\
*nat
:PREROUTING ACCEPT [244:14640]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-FW-HBO2MBMQRZFAHKF2 - [0:0]
:KUBE-MARK-DROP - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SEP-EW7YLHH65NRUVIFQ - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-XLB-HBO2MBMQRZFAHKF2 - [0:0]
[32000000:2003000000] -A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES
[0:0] -A KUBE-FW-HBO2MBMQRZFAHKF2 -m comment --comment \"default/istio-ingressgateway:http2 loadbalancer IP\" -j KUBE-XLB-HBO2MBMQRZFAHKF2
[0:0] -A KUBE-FW-HBO2MBMQRZFAHKF2 -m comment --comment \"default/istio-ingressgateway:http2 loadbalancer IP\" -j KUBE-MARK-DROP
[0:0] -A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000
[0:0] -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
[0:0] -A KUBE-SEP-EW7YLHH65NRUVIFQ -s 172.20.1.157/32 -j KUBE-MARK-MASQ
[80:4800] -A KUBE-SEP-EW7YLHH65NRUVIFQ -p tcp -m tcp -j DNAT --to-destination 172.20.1.157:80
[0:0] -A KUBE-SERVICES ! -s 172.20.0.0/16 -d 172.21.9.9/32 -p tcp -m comment --comment \"default/istio-ingressgateway:http2 cluster IP\" -m tcp --dport 80 -j KUBE-MARK-MASQ
[0:0] -A KUBE-SERVICES -d 182.92.251.227/32 -p tcp -m comment --comment \"default/istio-ingressgateway:http2 loadbalancer IP\" -m tcp --dport 80 -j KUBE-FW-HBO2MBMQRZFAHKF2
[562:33720] -A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
[80:4800] -A KUBE-XLB-HBO2MBMQRZFAHKF2 -m comment --comment \"Balancing rule 0 for default/istio-ingressgateway:http2\" -j KUBE-SEP-EW7YLHH65NRUVIFQ
COMMIT
";
    same_lines(&saved, expect);
}

#[test]
fn what_a_listing_does_not_tell_is_said_and_cannot_be_told() {
    let text = "\
Chain FORWARD (policy DROP)
num  target     prot opt source               destination
1    ACCEPT     all  --  anywhere             anywhere
2    CNI-FORWARD  all  --  anywhere             anywhere             /* CNI */
3    ACCEPT     tcp  --  web.example          anywhere             TIME from 10:00:00 to 11:00:00 UTC
";
    let (ruleset, said) = listing::read(text, FileId(0), TableName::Filter);
    let said: Vec<_> = said
        .iter()
        .map(|d| format!("{} `{}`", d.code(), &text[d.span.range()]))
        .collect();
    assert_eq!(
        said,
        [
            "iptables/no-interfaces `num  target     prot opt source               destination`",
            "iptables/unknown-chain `CNI-FORWARD`",
            "iptables/listed-name `web.example`",
            "iptables/not-understood `TIME from 10:00:00 to 11:00:00 UTC`",
        ]
    );
    let kept = "\
-A FORWARD -j ACCEPT
-A FORWARD -m comment --comment CNI -j CNI-FORWARD
-A FORWARD -p tcp web.example TIME from 10:00:00 to 11:00:00 UTC -j ACCEPT";
    same_lines(&rules(table(&ruleset)).join("\n"), kept);
}

/// Linux 6.18, iptables 1.8.9.
#[test]
fn questions_to_sets_and_their_changes_are_printed_as_iptables_does() {
    let saved = "\
-A POSTROUTING -m set --match-set a src --return-nomatch ! --update-counters ! --update-subcounters ! --packets-eq 7 --bytes-gt 7
-A POSTROUTING -m set ! --match-set a src,dst --packets-gt 1 --bytes-lt 1000
-A POSTROUTING -p 99 -j SET --add-set a src --exist --timeout 4 --del-set a dst --map-set a dst --map-mark --map-prio --map-queue
-A POSTROUTING -p 99 -j SET --add-set a src --exist --map-set a dst --map-queue
";
    let text = format!("*mangle\n:POSTROUTING ACCEPT [0:0]\n{saved}COMMIT\n");
    let (ruleset, said) = save::read(&text, FileId(0));
    no_errors(&said);
    let commands = rules(table(&ruleset));
    assert_eq!(commands, saved.lines().collect::<Vec<_>>());
    let listed = print::list_all(table(&ruleset), print::Listing::default());
    for words in [
        "match-set a src return-nomatch ! update-counters ! update-subcounters ! packets-eq 7 bytes-gt 7\n",
        " add-set a src exist timeout 4 del-set a dst map-set a dst map-mark map-prio map-queue\n",
        " add-set a src exist map-set a dst map-queue\n",
    ] {
        assert!(listed.contains(words), "{listed}");
    }
    let (again, said) = listing::read(&listed, FileId(0), TableName::Mangle);
    no_errors(&said);
    assert_eq!(rules(table(&again)), commands);
}

#[test]
fn a_mark_of_a_set_is_for_mangle_and_a_priority_for_what_leaves() {
    for (table, chain, map, taken) in [
        ("mangle", "PREROUTING", "--map-mark", true),
        ("mangle", "PREROUTING", "--map-prio", false),
        ("mangle", "FORWARD", "--map-prio", true),
        ("filter", "FORWARD", "--map-mark", false),
    ] {
        let rule = format!("-A {chain} -j SET --map-set a src {map}");
        let text = format!("*{table}\n:{chain} ACCEPT [0:0]\n{rule}\nCOMMIT\n");
        let (_, said) = save::read(&text, FileId(0));
        assert_eq!(said.is_empty(), taken, "{text}{said:?}");
    }
}

#[test]
fn old_releases_left_no_blank_before_the_flags() {
    let listing = |words: &str| {
        format!(
            "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target prot opt in out source destination\n    0     0 ACCEPT tcp  --  *  *  0.0.0.0/0  0.0.0.0/0  {words}\n"
        )
    };
    for (old, new) in [
        ("tcp dpt:22flags: 0x17/0x02", "tcp dpt:22 flags:0x17/0x02"),
        ("tcpflags: 0x17/0x02", "tcp flags:0x17/0x02"),
    ] {
        let read = |words| listing::read(&listing(words), FileId(0), TableName::Filter);
        let ((old, said), (new, _)) = (read(old), read(new));
        assert_eq!(said, []);
        assert_eq!(rules(table(&old)), rules(table(&new)));
    }
}

#[test]
fn a_prompt_around_a_dump_is_passed_over_and_blanks_behind_commit_are_said() {
    let text = "[root@n1 ~]# iptables-save\n*filter\n:INPUT DROP [0:0]\nCOMMIT \n[root@n1 ~]# \n";
    let (ruleset, said) = save::read(text, FileId(0));
    let codes: Vec<_> = said.iter().map(Diagnostic::code).collect();
    assert_eq!(codes, ["iptables/blanks-behind-commit"]);
    assert_eq!(ruleset.tables.len(), 1);
}

#[test]
fn what_asks_for_the_way_back_for_ipsec_and_for_a_quota_is_listed_and_read_again() {
    let rules_of = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -m rpfilter --loose --validmark --accept-local --invert -j DROP\n-A PREROUTING -m rpfilter\n-A PREROUTING -m policy --dir in --pol none\n-A PREROUTING -m quota --quota 1000 -j ACCEPT\nCOMMIT\n";
    let listing_of = "\
Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 DROP       all  --  any    any     anywhere             anywhere             rpfilter loose validmark accept-local invert
    0     0            all  --  any    any     anywhere             anywhere             rpfilter
    0     0            all  --  any    any     anywhere             anywhere             policy match dir in pol none
    0     0 ACCEPT     all  --  any    any     anywhere             anywhere             quota: 1000 bytes

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
";
    let (ruleset, said) = save::read(rules_of, FileId(0));
    no_errors(&said);
    let verbose = print::Listing {
        verbose: true,
        ..print::Listing::default()
    };
    same_lines(&print::list_all(table(&ruleset), verbose), listing_of);
    let (listed, said) = listing::read(listing_of, FileId(0), TableName::Raw);
    no_errors(&said);
    assert_eq!(rules(table(&listed)), rules(table(&ruleset)));
}
