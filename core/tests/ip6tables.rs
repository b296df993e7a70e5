//! ip6tables' rules as ip6tables 1.8.9 takes, refuses and prints them: `ip6tables/rules.txt` is what it did.

use northsouth::net::IpFamily;
use northsouth::netfilter::print::{self, Listing};
use northsouth::netfilter::{TableName, save};
use northsouth::text::{FileId, Severity};

/// What our reader makes of a rule, in the form of the recording.
fn taken(table: &str, rule: &str) -> String {
    let text = format!("*{table}\n{rule}\nCOMMIT\n");
    let (ruleset, said) = save::read_of(IpFamily::V6, &text, FileId(0));
    if said.iter().any(|d| d.severity == Severity::Error) {
        return "    refused\n".to_string();
    }
    let name = TableName::from_name(table).unwrap();
    let printed = print::commands(ruleset.table(IpFamily::V6, name).unwrap());
    let rules = printed.lines().filter(|l| !l.starts_with("-P"));
    let all: String = rules.map(|l| format!("    {l}\n")).collect();
    match all.is_empty() {
        true => "    nothing\n".to_string(),
        false => all,
    }
}

#[test]
fn rules_are_taken_refused_and_printed_as_ip6tables_does() {
    let text = include_str!("ip6tables/rules.txt");
    let mut ours = String::new();
    for line in text.lines().filter(|l| !l.starts_with(' ')) {
        let (table, rule) = line.split_once(": ").unwrap();
        ours.push_str(&format!("{line}\n{}", taken(table, rule)));
    }
    for (ours, theirs) in ours.lines().zip(text.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours, text);
}

#[test]
fn a_listing_is_what_ip6tables_lists() {
    let text = "\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -s fd00::1/128 -d fd00::/64 -p tcp -m tcp --dport 80 -j ACCEPT
-A INPUT -p ipv6-icmp -m icmp6 ! --icmpv6-type 1/4 -j ACCEPT
-A INPUT -s ::1/128 -m hl --hl-eq 3 -j REJECT --reject-with icmp6-port-unreachable
-A INPUT -s fd00::1/ffff::ffff -m recent --set --name x --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource
COMMIT
";
    let (ruleset, said) = save::read_of(IpFamily::V6, text, FileId(0));
    assert_eq!(said, []);
    let table = ruleset.table(IpFamily::V6, TableName::Filter).unwrap();
    let style = |numeric| Listing {
        numeric,
        ..Listing::default()
    };
    let listed = print::list(table, table.find("INPUT").unwrap(), style(true));
    assert_eq!(
        listed,
        "\
Chain INPUT (policy ACCEPT)
target     prot opt source               destination         
ACCEPT     tcp  --  fd00::1              fd00::/64            tcp dpt:80
ACCEPT     ipv6-icmp --  ::/0                 ::/0                 ipv6-icmp !type 1 code 4
REJECT     all  --  ::1                  ::/0                 HL match HL == 3 reject-with icmp6-port-unreachable
           all  --  fd00::1/ffff::ffff   ::/0                 recent: SET name: x side: source mask: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
"
    );
    let named = print::list(table, table.find("INPUT").unwrap(), style(false));
    assert!(named.contains("ipv6-icmp !port-unreachable"), "{named}");
    assert!(named.contains("anywhere"), "{named}");
}
