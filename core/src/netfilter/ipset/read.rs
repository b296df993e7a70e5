use super::create::{kind_of, options_of};
use super::member::{Words, Wrong, parts_of, split, words_of};
use super::{Entry, Kind, Member, Options, Set, Sets};
use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Word, at_once, lines};

/// Reads what `ipset save` prints and `ipset restore` takes.
pub fn read(text: &str, file: FileId) -> (Sets, Vec<Diagnostic>) {
    at_once(read_along(text, file, &Pace::AT_ONCE))
}

/// The same, pausing on the way.
pub async fn read_along(text: &str, file: FileId, pace: &Pace) -> (Sets, Vec<Diagnostic>) {
    let mut sets = Sets::default();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside()) {
        let words: Vec<Word> = line.words().collect();
        let done = match words.split_first() {
            Some((command, rest)) => sets.command(command, rest),
            None => Ok(()),
        };
        diagnostics.extend(done.err());
        pace.read(line.span.range().len() + 1).await;
    }
    (sets, diagnostics)
}

impl Sets {
    fn command(&mut self, command: &Word, rest: &[Word]) -> Result<(), Diagnostic> {
        match (command.text, rest) {
            ("create" | "-N", [name, kind, options @ ..]) => self.create(name, kind, options),
            ("add" | "-A", [name, entry, options @ ..]) => self.member(name, entry, options),
            ("del" | "-D", [name, entry, ..]) => self.remove_member(name, entry),
            ("create" | "add" | "del" | "-N" | "-A" | "-D", _) => Err(Diagnostic::error(
                command.span,
                say!("ipset/too-short", command = command.text),
            )),
            ("flush" | "-F", []) => {
                self.sets.iter_mut().for_each(Set::flush);
                Ok(())
            }
            ("flush" | "-F", [name, ..]) => self.find(name).map(|set| set.flush()),
            ("destroy" | "-X", []) => {
                self.sets.clear();
                Ok(())
            }
            ("destroy" | "-X", [name, ..]) => {
                let name = self.find(name)?.name.clone();
                self.sets.retain(|s| s.name != name);
                Ok(())
            }
            ("COMMIT", _) => Ok(()),
            _ => Err(Diagnostic::error(
                command.span,
                say!("ipset/unknown-command", command = command.text),
            )),
        }
    }

    fn find(&mut self, name: &Word) -> Result<&mut Set, Diagnostic> {
        let set = self.sets.iter_mut().find(|s| &*s.name == name.text);
        set.ok_or_else(|| {
            let said = say!("ipset/no-set", name = name.text);
            Diagnostic::error(name.span, said)
        })
    }

    /// What asks for a set that could not be made as written cannot be told.
    fn create(&mut self, name: &Word, kind: &Word, words: &[Word]) -> Result<(), Diagnostic> {
        if self.get(name.text).is_some() {
            return match words.iter().any(|w| matches!(w.text, "-exist" | "-!")) {
                true => Ok(()),
                false => Err(Diagnostic::error(
                    name.span,
                    say!("ipset/twice", name = name.text),
                )),
            };
        }
        let mut create = kind.text.to_string();
        for option in words {
            create.push(' ');
            create.push_str(option.text);
        }
        let made = match kind_of(kind.text) {
            Some(known) => options_of(kind, words).map(|options| (known, options)),
            None => {
                let said = say!("ipset/unknown-type", kind = kind.text);
                Err(Diagnostic::warning(kind.span, said))
            }
        };
        let (made, problem) = match made {
            Ok(made) => (made, None),
            Err(problem) => ((Kind::Unknown, Options::default()), Some(problem)),
        };
        self.sets.push(Set {
            name: name.text.into(),
            create: create.into(),
            kind: made.0,
            options: made.1,
            span: name.span,
        });
        problem.map_or(Ok(()), Err)
    }

    fn member(&mut self, name: &Word, entry: &Word, words: &[Word]) -> Result<(), Diagnostic> {
        let of = self.sets.iter().find(|s| &*s.name == entry.text);
        let listable = of.is_some_and(|s| !matches!(s.kind, Kind::List(_)));
        let set = self.find(name)?;
        match &mut set.kind {
            Kind::Unknown => Ok(()),
            Kind::List(_) if !listable => Err(bad_entry(entry, name)),
            Kind::List(entries) => {
                let words = words_of(words, &[], &set.options)?;
                insert(entries, entry, words)
            }
            Kind::Of {
                dimensions,
                members,
            } => {
                let words = words_of(words, dimensions, &set.options)?;
                let parts = parts_of(entry.text, dimensions, &set.options);
                let parts = parts.map_err(|wrong| match wrong {
                    Wrong::Form => bad_entry(entry, name),
                    Wrong::Range => Diagnostic::error(
                        entry.span,
                        say!("ipset/out-of-range", entry = entry.text),
                    ),
                })?;
                let member = |parts| Member {
                    parts,
                    nomatch: words.nomatch,
                    wildcard: words.wildcard,
                    extra: words.extra.clone(),
                };
                members.extend(split(parts, dimensions).into_iter().map(member));
                Ok(())
            }
        }
    }

    fn remove_member(&mut self, name: &Word, entry: &Word) -> Result<(), Diagnostic> {
        let set = self.find(name)?;
        match &mut set.kind {
            Kind::Unknown => {}
            Kind::List(entries) => entries.retain(|e| &*e.set != entry.text),
            Kind::Of {
                dimensions,
                members,
            } => {
                let parts = parts_of(entry.text, dimensions, &set.options);
                let parts = parts.map_err(|_| bad_entry(entry, name))?;
                for parts in split(parts, dimensions) {
                    match members.iter().position(|m| m.parts == parts) {
                        Some(at) => drop(members.remove(at)),
                        // One of many that were written as one: what is left has no form here.
                        None => {
                            set.kind = Kind::Unknown;
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl Set {
    fn flush(&mut self) {
        match &mut self.kind {
            Kind::Of { members, .. } => members.clear(),
            Kind::List(entries) => entries.clear(),
            Kind::Unknown => {}
        }
    }
}

/// At the end of a list, or beside the set that is named.
fn insert(entries: &mut Vec<Entry>, entry: &Word, words: Words<'_>) -> Result<(), Diagnostic> {
    let at = match words.beside {
        None => entries.len(),
        Some((before, other)) => {
            let found = entries.iter().position(|e| &*e.set == other.text);
            let Some(at) = found else {
                let said = say!("ipset/no-set", name = other.text);
                return Err(Diagnostic::error(other.span, said));
            };
            at + usize::from(!before)
        }
    };
    let (set, extra) = (entry.text.into(), words.extra);
    entries.insert(at, Entry { set, extra });
    Ok(())
}

fn bad_entry(entry: &Word, name: &Word) -> Diagnostic {
    let said = say!("ipset/bad-entry", entry = entry.text, name = name.text);
    Diagnostic::error(entry.span, said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Mac, Packet, TcpFlags, Transport};
    use crate::netfilter::SetAnswer;
    use crate::netfilter::ipset::{Question, Wanted};
    use crate::netfilter::matches::CounterTest;

    const SAVED: &str = "\
create svc hash:ip,port family inet hashsize 1024 maxelem 65536
add svc 172.21.0.10,tcp:80
create nets hash:net
add nets 10.0.0.0/8
add nets 10.1.0.0/16 nomatch
create ports bitmap:port range 0-65535
add ports 443
create all list:set size 8
add all ports
add all nets
";

    #[track_caller]
    fn check(set: &str, directions: &[bool], dst: &str, dport: u16, answer: SetAnswer) {
        let (sets, problems) = read(SAVED, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let packet = Packet {
            src: "10.0.0.1".parse().unwrap(),
            dst: dst.parse().unwrap(),
            ttl: 64,
            tos: 0,
            transport: Transport::Tcp {
                sport: 1,
                dport,
                flags: TcpFlags::SYN,
            },
            payload: 0,
        };
        assert_eq!(
            has(&sets, set, &question(directions, &packet), false),
            answer
        );
    }

    fn has(sets: &Sets, set: &str, asked: &Question, nomatch: bool) -> SetAnswer {
        let wanted = Wanted {
            nomatch,
            ..Wanted::default()
        };
        sets.ask(set, asked, &wanted).answer
    }

    fn question<'a>(directions: &'a [bool], packet: &'a Packet) -> Question<'a> {
        Question {
            directions,
            packet,
            mark: 0x1234,
            in_iface: Some("eth0"),
            out_iface: None,
            frame: Some((Mac([2, 0, 10, 0, 0, 1]), Mac([2, 1, 0, 0, 0, 1]))),
            now: 0,
        }
    }

    #[test]
    fn every_dimension_must_hold() {
        check("svc", &[false, false], "172.21.0.10", 80, SetAnswer::In);
        check("svc", &[false, false], "172.21.0.10", 81, SetAnswer::NotIn);
        check("svc", &[false], "172.21.0.10", 80, SetAnswer::NotIn);
    }

    #[test]
    fn the_smallest_net_decides() {
        check("nets", &[false], "10.2.0.1", 80, SetAnswer::In);
        check("nets", &[false], "10.1.0.1", 80, SetAnswer::NotIn);
    }

    #[test]
    fn an_exception_can_be_asked_for() {
        let (sets, _) = read(SAVED, FileId(0));
        let mut packet = echo();
        // A list turns the answer where it asks the set.
        for set in ["nets", "all"] {
            let mut excepts = |dst: &str| {
                packet.dst = dst.parse().unwrap();
                has(&sets, set, &question(&[false], &packet), true)
            };
            assert_eq!(excepts("10.2.0.1"), SetAnswer::NotIn);
            assert_eq!(excepts("10.1.0.1"), SetAnswer::In);
            assert_eq!(excepts("192.0.2.1"), SetAnswer::NotIn);
        }
    }

    fn echo() -> Packet {
        Packet {
            src: "10.0.0.1".parse().unwrap(),
            dst: "10.2.0.1".parse().unwrap(),
            ttl: 64,
            tos: 0,
            transport: Transport::Icmp(crate::net::Icmp {
                kind: 8,
                code: 0,
                id: 1,
                gateway: None,
                target: None,
                about: None,
            }),
            payload: 0,
        }
    }

    #[test]
    fn hardware_addresses_marks_and_masks_are_asked_for() {
        let text = "\
create mac hash:mac
add mac 02:00:0A:00:00:01
create ipmac bitmap:ip,mac range 10.0.0.0/24
add ipmac 10.0.0.1
create mark hash:ip,mark markmask 0xff
add mark 10.0.0.1,0x34
create masked hash:ip netmask 24
add masked 10.0.0.77
create bits hash:ip bitmask 255.255.0.255
add bits 10.0.9.1
create wild hash:net,iface
add wild 0.0.0.0/0,et wildcard
create whole hash:net,iface
add whole 0.0.0.0/0,et
create icmp hash:ip,port
add icmp 10.0.0.1,icmp:echo-request
create old hash:ip timeout 60
add old 10.0.0.1 timeout 5
add old 10.2.0.1
";
        let (sets, problems) = read(text, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let packet = echo();
        let there = |set: &str, directions: &[bool], now| {
            let asked = Question {
                now,
                ..question(directions, &packet)
            };
            has(&sets, set, &asked, false) == SetAnswer::In
        };
        assert!(there("mac", &[true], 0));
        assert!(!there("mac", &[false], 0));
        assert!(there("ipmac", &[true, true], 0));
        assert!(there("mark", &[true, true], 0));
        assert!(there("masked", &[true], 0));
        assert!(there("bits", &[true], 0));
        assert!(!there("bits", &[false], 0));
        assert!(there("icmp", &[true, true], 0));
        assert!(there("wild", &[true, true], 0));
        assert!(!there("whole", &[true, true], 0));
        assert!(there("old", &[true], 4_999));
        assert!(!there("old", &[true], 5_000));
        assert!(there("old", &[false], 59_999));
        assert!(!there("old", &[false], 60_000));
    }

    #[test]
    fn a_packet_goes_into_a_set_and_out_of_it() {
        let text = "\
create seen hash:ip timeout 10
create nets hash:net
add nets 192.0.2.0/24
create all list:set
add all nets
add all seen
create ports bitmap:port range 0-65535
add ports 80-90
";
        let (mut sets, _) = read(text, FileId(0));
        let packet = echo();
        let at = |now| Question {
            now,
            ..question(&[true], &packet)
        };
        sets.add("seen", &at(0), None, false);
        assert_eq!(has(&sets, "seen", &at(9_999), false), SetAnswer::In);
        assert_eq!(has(&sets, "seen", &at(10_000), false), SetAnswer::NotIn);
        sets.add("seen", &at(5_000), None, false);
        assert_eq!(has(&sets, "seen", &at(10_000), false), SetAnswer::NotIn);
        sets.add("seen", &at(5_000), Some(60), true);
        assert_eq!(has(&sets, "seen", &at(64_000), false), SetAnswer::In);
        sets.remove("seen", &at(0));
        assert_eq!(has(&sets, "seen", &at(1), false), SetAnswer::NotIn);
        // A net that a packet adds is as long as the longest there.
        sets.add("all", &at(0), None, false);
        assert!(sets.to_string().contains("add nets 10.0.0.0/24\n"));
        // An echo has no port that a bitmap could hold.
        sets.add("ports", &at(0), None, false);
        assert!(
            sets.to_string()
                .contains("range 0-65535\nadd ports 80-90\ncreate all")
        );
    }

    #[test]
    fn a_list_asks_its_sets() {
        check("all", &[false], "192.0.2.1", 443, SetAnswer::In);
        check("all", &[false], "192.0.2.1", 80, SetAnswer::NotIn);
        check("nowhere", &[false], "192.0.2.1", 80, SetAnswer::CannotTell);
    }

    #[test]
    fn members_count_the_packets_that_they_hold() {
        let text = "\
create seen hash:ip counters
add seen 10.0.0.1
create plain hash:ip counters
add plain 10.0.0.1
create listed list:set counters
add listed plain
";
        let (mut sets, problems) = read(text, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let packet = echo();
        let asked = question(&[true], &packet);
        let mut held = |set: &str, wanted: &Wanted| {
            let found = sets.ask(set, &asked, wanted);
            sets.touch(&found, &asked);
            found.answer == SetAnswer::In
        };
        let more = Wanted {
            packets: Some(CounterTest::Greater(1)),
            bytes: Some(CounterTest::Less(1000)),
            ..Wanted::default()
        };
        // Counted first and compared then.
        assert_eq!([1, 2].map(|_| held("seen", &more)), [false, true]);
        let still = Wanted {
            no_update: true,
            ..Wanted::default()
        };
        assert!(held("seen", &still));
        // A list counts for itself, and its set as well, unless the rule says otherwise.
        let above = Wanted {
            no_subupdate: true,
            ..Wanted::default()
        };
        assert!(held("listed", &above));
        assert!(held("listed", &Wanted::default()));
        let printed = sets.to_string();
        for line in [
            "add seen 10.0.0.1 packets 2 bytes 56\n",
            "add plain 10.0.0.1 packets 1 bytes 28\n",
            "add listed plain packets 2 bytes 56\n",
        ] {
            assert!(printed.contains(line), "{printed}");
        }
    }

    #[test]
    fn an_open_hardware_address_is_that_of_the_first_packet() {
        let text = "\
create pairs bitmap:ip,mac range 10.0.0.0/24 timeout 10
add pairs 10.0.0.1
";
        let (mut sets, _) = read(text, FileId(0));
        let packet = echo();
        let at = |now, mac| Question {
            now,
            frame: Some((Mac([2, 0, 10, 0, 0, mac]), Mac([2, 1, 0, 0, 0, 1]))),
            ..question(&[true, true], &packet)
        };
        // Its time begins with it.
        let first = at(20_000, 1);
        let found = sets.ask("pairs", &first, &Wanted::default());
        assert_eq!(found.answer, SetAnswer::In);
        sets.touch(&found, &first);
        assert_eq!(has(&sets, "pairs", &at(29_999, 1), false), SetAnswer::In);
        assert_eq!(has(&sets, "pairs", &at(29_999, 2), false), SetAnswer::NotIn);
        assert_eq!(has(&sets, "pairs", &at(30_000, 1), false), SetAnswer::NotIn);
    }

    #[test]
    fn a_range_of_nets_is_the_nets_in_it() {
        let text = "create n hash:net,port\nadd n 10.0.0.3-10.0.0.9,80\n";
        let (sets, problems) = read(text, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let nets = ["10.0.0.3", "10.0.0.4/30", "10.0.0.8/31"];
        let lines = nets.map(|net| format!("add n {net},tcp:80\n")).concat();
        assert_eq!(sets.to_string(), format!("create n hash:net,port\n{lines}"));
    }

    #[test]
    fn sets_are_emptied_and_listed_in_order() {
        let text = "\
create a hash:ip
create b hash:ip
create c hash:ip
add a 192.0.2.1
flush a
create l list:set
add l a
add l b before a
add l c after b
del l a
destroy a
";
        let (sets, problems) = read(text, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let printed = sets.to_string();
        assert!(printed.ends_with("create l list:set\nadd l b\nadd l c\n"));
        assert!(!printed.contains("192.0.2.1"));
    }

    #[test]
    fn values_that_are_none_are_said() {
        for (line, code) in [
            ("create s hash:ip netmask 33", "ipset/bad-value"),
            ("create s hash:ip netmask 33 family inet6", ""),
            ("create s hash:ip netmask 0", "ipset/bad-value"),
            ("create s hash:ip timeout x", "ipset/bad-value"),
            ("create s hash:ip timeout 2147484", "ipset/bad-value"),
            ("create s hash:ip timeout", "ipset/wants-value"),
            ("create s hash:ip maxelem 4294967296", "ipset/bad-value"),
            ("create s hash:ip family ipv4", "ipset/bad-value"),
            ("create s hash:ip bitmask 0.0.0.0", "ipset/bad-value"),
            ("create s hash:ip range 10.0.0.0/24", "ipset/unknown-option"),
            ("create s hash:ip wildcard", "ipset/unknown-option"),
            ("create s bitmap:ip", "ipset/needs-range"),
            ("create s bitmap:ip range 10.0.0.0/8", "ipset/wide-range"),
            ("create s bitmap:ip range 10.0.0.0/8 netmask 24", ""),
            ("create s bitmap:port range 0-65536", "ipset/bad-value"),
            (
                "create s hash:ip\nadd s 10.0.0.1 timeout 5",
                "ipset/set-without",
            ),
            (
                "create s hash:ip timeout 0\nadd s 10.0.0.1 timeout 5s",
                "ipset/bad-value",
            ),
            (
                "create s hash:ip\nadd s 10.0.0.1 nomatch",
                "ipset/unknown-option",
            ),
            ("create s hash:ip\nadd s fd00::1", "ipset/bad-entry"),
            (
                "create s hash:ip,port\nadd s 10.0.0.1,gre:5",
                "ipset/bad-entry",
            ),
            (
                "create s hash:ip,port\nadd s 10.0.0.1,icmp:8",
                "ipset/bad-entry",
            ),
            ("create s hash:ip,port\nadd s 10.0.0.1,icmp:Host-unr", ""),
            ("create s hash:net\nadd s 0.0.0.0/0", "ipset/bad-entry"),
            (
                "create s bitmap:port range 100-200\nadd s 99",
                "ipset/out-of-range",
            ),
            ("create s bitmap:port range 100-200\nadd s udp:150", ""),
            (
                "create s bitmap:ip range 10.0.0.5-10.0.0.9\nadd s 10.0.0.4",
                "ipset/out-of-range",
            ),
            ("create s list:set\nadd s t", "ipset/bad-entry"),
        ] {
            let (sets, problems) = read(line, FileId(0));
            let codes: Vec<_> = problems.iter().map(|p| p.code()).collect();
            assert_eq!(codes.concat(), code, "{line}");
            let made = line.contains('\n') || code.is_empty();
            assert_eq!(sets.sets[0].kind != Kind::Unknown, made, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_rest_stands() {
        let text =
            "create a hash:string\nadd b 1.2.3.4\ncreate c hash:ip\nadd c 1.2.3\nadd c 1.2.3.4\n";
        let (sets, problems) = read(text, FileId(0));
        let codes: Vec<_> = problems.iter().map(|p| p.code()).collect();
        assert_eq!(
            codes,
            ["ipset/unknown-type", "ipset/no-set", "ipset/bad-entry"]
        );
        assert_eq!(sets.sets.len(), 2);
    }
}
