//! What is said of faults in iptables rules: where, and in which words.

use northsouth::netfilter::{print, save};
use northsouth::text::{FileId, Lang};

/// Reads a filter table with these lines, and says each diagnostic as `place: message (help)`.
fn check(lines: &str, expect: &[&str]) {
    let text = format!("*filter\n:WEB - [0:0]\n{lines}\nCOMMIT\n");
    let (_, said) = save::read(&text, FileId(0));
    let said: Vec<_> = said
        .iter()
        .map(|d| {
            let place = text.get(d.span.range()).unwrap_or("?");
            let help = d
                .help
                .as_ref()
                .map_or(String::new(), |h| format!(" ({})", h.text(Lang::En)));
            format!("{place}: {}{help}", d.message.text(Lang::En))
        })
        .collect();
    assert_eq!(said, expect);
}

#[test]
fn a_fault_is_said_at_the_word_that_has_it() {
    check(
        "-A FORWARD -m foo -j ACCEPT",
        &["foo: unknown match `-m foo`"],
    );
    check("-A FORWARD -s 10.0.0.0/33 -j ACCEPT", &["33: bad mask /33"]);
    check(
        "-A FORWARD -s 10.0.0.1,10.0.0.300 -j ACCEPT",
        &["10.0.0.300: `10.0.0.300` is no IPv4 address"],
    );
    check(
        "-A FORWARD -p tcp -m multiport --dports 80,99999 -j ACCEPT",
        &["99999: `99999` is neither a port nor a service (ports end at 65535)"],
    );
    check(
        "-A FORWARD --ctstate NEW -j ACCEPT",
        &[
            "--ctstate: unknown option `--ctstate` (`--ctstate` is an option of -m conntrack, which has to come before it)",
        ],
    );
    check(
        "-A FORWARD -m conntrack --ctstate NEW,FOO -j ACCEPT",
        &[
            "FOO: --ctstate does not know `FOO`, but INVALID, NEW, ESTABLISHED, RELATED, UNTRACKED, SNAT, DNAT",
        ],
    );
    check(
        "-A FORWARD -m mark --mark=0x100000000 -j ACCEPT",
        &[
            "0x100000000: --mark wants value or value/mask, each at most 0xffffffff, not `0x100000000`",
        ],
    );
    check(
        "-A FORWARD -p tcp --dport 90:80 -j ACCEPT",
        &["90:80: the port range `90:80` ends before it begins"],
    );
    check(
        "-A FORWARD -s fe80::1 -j ACCEPT",
        &["fe80::1: `fe80::1` is no IPv4 address (IPv6 addresses belong into ip6tables’ rules)"],
    );
}

#[test]
fn names_that_are_nearly_right_are_offered() {
    check(
        "-A FORWARD -j MRAK --set-mark 1",
        &[
            "--set-mark: unknown option `--set-mark` (`--set-mark` is an option of -j MARK, -j CONNMARK, which has to come before it)",
        ],
    );
    check(
        "-A FORWARD -j ACEPT",
        &["ACEPT: ACEPT is neither a chain of this table nor a target (did you mean ACCEPT?)"],
    );
    check(
        "-A FORWARD -j WEBB",
        &["WEBB: WEBB is neither a chain of this table nor a target (did you mean WEB?)"],
    );
    check(
        "-A FORWRD -j WEB",
        &["FORWRD: chain FORWRD is not defined in table filter (did you mean FORWARD?)"],
    );
    check(
        "-A FORWARD -m conntrak --ctstate NEW",
        &["conntrak: unknown match `-m conntrak` (did you mean conntrack?)"],
    );
    check(
        "-A FORWARD -p tcpp",
        &["tcpp: unknown protocol `tcpp` (did you mean tcp?)"],
    );
}

#[test]
fn a_chain_that_is_not_there_is_said_with_what_to_do() {
    check(
        "-A FORWARD -j KUBE-XLB-HBO2MBMQRZFAHKF2",
        &[
            "KUBE-XLB-HBO2MBMQRZFAHKF2: KUBE-XLB-HBO2MBMQRZFAHKF2 is neither a chain of this table nor a target \
           (a chain is declared before it is used: `:KUBE-XLB-HBO2MBMQRZFAHKF2 - [0:0]`)",
        ],
    );
    check(
        "-A PREROUTING -j ACCEPT",
        &[
            "PREROUTING: chain PREROUTING is not defined in table filter \
           (table filter has the built-in chains INPUT, FORWARD, OUTPUT)",
        ],
    );
}

#[test]
fn a_loop_is_said_at_the_jump_that_closes_it() {
    check(
        ":A - [0:0]\n:B - [0:0]\n-A A -j B\n-A B -p tcp -j A\n-A FORWARD -j A",
        &["-A B -p tcp -j A: the kernel refuses this table: jump loop: A → B → A"],
    );
}

#[test]
fn what_is_not_modelled_is_a_warning_and_stays_in_the_rule() {
    check(
        "-A FORWARD -m time --timestart 10:00 -j ACCEPT",
        &[
            "time: `-m time` is known to iptables and not modelled here: a packet that it has to judge ends in “cannot tell”",
        ],
    );
    let text = "*filter\n-A FORWARD -m time --timestart 10:00 ! --weekdays Sa,Su -j NFQUEUE --queue-num 1\nCOMMIT\n";
    let (ruleset, _) = save::read(text, FileId(0));
    let line = "-A FORWARD -m time --timestart 10:00 ! --weekdays Sa,Su -j NFQUEUE --queue-num 1\n";
    assert!(print::save(&ruleset, false).contains(line));
}

#[test]
fn a_broken_rule_costs_itself_alone() {
    let text = "*nat\n:A - [0:0]\n-A A -j DNAT\n-A A -p tcp -j DNAT --to-destination 10.0.0.1:80\nnonsense\n-A PREROUTING -j A\nCOMMIT\n*filtr\n-A X\nCOMMIT\n*filter\n-A INPUT -j DROP\nCOMMIT\n";
    let (ruleset, said) = save::read(text, FileId(0));
    let codes: Vec<_> = said.iter().map(|d| d.code()).collect();
    assert_eq!(
        codes,
        [
            "iptables/option-missing",
            "iptables/bad-argument",
            "iptables/unknown-table"
        ]
    );
    let rules: Vec<_> = print::save(&ruleset, false)
        .lines()
        .filter(|l| l.starts_with("-A"))
        .map(str::to_string)
        .collect();
    assert_eq!(
        rules,
        [
            "-A PREROUTING -j A",
            "-A A -p tcp -j DNAT --to-destination 10.0.0.1:80",
            "-A INPUT -j DROP",
        ]
    );
}

#[test]
fn a_file_with_one_fault_on_every_line_is_not_said_line_by_line() {
    let text = "*filter\n".to_string() + &"-A FORWARD -j NOSUCH\n".repeat(5000) + "COMMIT\n";
    let (_, said) = save::read(&text, FileId(0));
    assert_eq!(said.len(), 1001);
    assert_eq!(
        said.last().map(|d| d.message.text(Lang::En)),
        Some("4000 more findings are not shown".into())
    );
}

#[test]
fn windows_line_ends_are_said_once_and_read() {
    let (ruleset, said) = save::read("*filter\r\n-A INPUT -j DROP\r\nCOMMIT\r\n", FileId(0));
    assert_eq!(said.len(), 1);
    assert_eq!(ruleset.tables[0].chains[0].rules.len(), 1);
}

#[test]
fn a_name_that_no_interface_can_have_is_taken_with_a_warning() {
    check(
        "-A FORWARD -i eth0/1 -j ACCEPT",
        &[
            "eth0/1: the kernel allows no `/` and no space in an interface’s name: `eth0/1` matches none",
        ],
    );
}
