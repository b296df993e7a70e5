//! `brctl show` (bridge-utils `brctl/brctl_cmd.c`, `br_cmd_show`).

use super::Name;
use crate::say;
use crate::text::{Diagnostic, FileId, Word, lines};

/// A bridge and its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brctl {
    pub name: Name,
    /// Priority and hardware address, such as `8000.0a58ac140181`.
    pub id: Name,
    pub stp: bool,
    pub ports: Vec<Name>,
}

/// A bridge's line has its name, id, STP and first port; lines below it have one port more each.
pub fn brctl(text: &str, file: FileId) -> (Vec<Brctl>, Vec<Diagnostic>) {
    let mut bridges: Vec<Brctl> = Vec::new();
    let mut diagnostics = Vec::new();
    for line in lines(text, file) {
        let words: Vec<_> = line.words().collect();
        if line.is_aside() || line.text.starts_with("bridge name") {
            continue;
        }
        match (&words[..], bridges.last_mut()) {
            ([port], Some(bridge)) if line.indented() || !port.text.contains('.') => {
                add_port(bridge, *port, &mut diagnostics);
            }
            ([name, id, stp, ports @ ..], _) if ports.len() <= 1 => {
                if !is_bridge_id(id.text) {
                    diagnostics.push(Diagnostic::error(
                        id.span,
                        say!("texts/bad-bridge-id", word = id.text),
                    ));
                }
                if !matches!(stp.text, "yes" | "no") {
                    diagnostics.push(Diagnostic::error(
                        stp.span,
                        say!("texts/bad-stp", word = stp.text),
                    ));
                }
                let mut bridge = Brctl {
                    name: (*name).into(),
                    id: (*id).into(),
                    stp: stp.text == "yes",
                    ports: Vec::new(),
                };
                for port in ports {
                    add_port(&mut bridge, *port, &mut diagnostics);
                }
                if bridge.stp {
                    diagnostics.push(Diagnostic::warning(stp.span, say!("texts/stp-unmodelled")));
                }
                bridges.push(bridge);
            }
            _ => diagnostics.push(
                Diagnostic::error(line.span, say!("texts/not-brctl", line = line.text.trim()))
                    .help(say!("texts/not-brctl-help")),
            ),
        }
    }
    (bridges, diagnostics)
}

/// As many as the kernel lets a bridge have (`net/bridge/br_private.h`, `BR_MAX_PORTS`).
const MOST_PORTS: usize = 1024;

fn add_port(bridge: &mut Brctl, port: Word<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if bridge.ports.len() >= MOST_PORTS {
        let said = say!("texts/too-many-ports", most = MOST_PORTS);
        return diagnostics.push(Diagnostic::error(port.span, said));
    }
    match bridge.ports.iter().find(|p| &*p.text == port.text) {
        Some(before) => diagnostics.push(
            Diagnostic::warning(
                port.span,
                say!(
                    "texts/port-twice",
                    port = port.text,
                    bridge = bridge.name.text
                ),
            )
            .label(before.span, say!("texts/first-here")),
        ),
        None => bridge.ports.push(port.into()),
    }
}

/// Four hexadecimal digits of priority, a point, twelve of the address.
fn is_bridge_id(text: &str) -> bool {
    let hex = |s: &str, n| s.len() == n && s.bytes().all(|b| b.is_ascii_hexdigit());
    text.split_once('.')
        .is_some_and(|(priority, mac)| hex(priority, 4) && hex(mac, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stand_one_a_line_below_their_bridge() {
        let text = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n\
                    cni0\t\t8000.0a58ac140181\tno\t\tveth0982819b\n\
                    \t\t\t\t\t\t\tveth21f3386e\n\
                    docker0\t\t8000.024252d7ba4e\tno\n";
        let (bridges, diagnostics) = brctl(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(bridges.len(), 2);
        let ports: Vec<_> = bridges[0].ports.iter().map(|p| &*p.text).collect();
        assert_eq!(ports, ["veth0982819b", "veth21f3386e"]);
        assert_eq!(&text[bridges[0].id.span.range()], "8000.0a58ac140181");
        assert!(bridges[1].ports.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_where_it_stands() {
        let text = "\t\tveth1\ncni0 8000.0a58 maybe veth2\n\tveth2\n";
        let (bridges, diagnostics) = brctl(text, FileId(0));
        let codes: Vec<_> = diagnostics
            .iter()
            .map(|d| (d.code(), &text[d.span.range()]))
            .collect();
        assert_eq!(
            codes,
            [
                ("texts/not-brctl", "\t\tveth1"),
                ("texts/bad-bridge-id", "8000.0a58"),
                ("texts/bad-stp", "maybe"),
                ("texts/port-twice", "veth2"),
            ]
        );
        assert_eq!(bridges[0].ports.len(), 1);
    }
}
