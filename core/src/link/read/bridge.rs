//! `bridge link` and `bridge fdb` (iproute2 `bridge/link.c` and `bridge/fdb.c`).

use std::net::IpAddr;

use super::{Name, mac};
use crate::net::Mac;
use crate::say;
use crate::text::{Diagnostic, FileId, Span, Word, lines};

/// A port of a bridge, as `bridge link` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgePort {
    pub name: Name,
    pub master: Name,
    /// Only `bridge -d link` prints it.
    pub hairpin: Option<bool>,
    pub state: Option<Name>,
    pub span: Span,
}

/// Where a bridge or a vxlan device sends a hardware address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FdbEntry {
    pub mac: Mac,
    pub dev: Name,
    /// The other end of a tunnel.
    pub dst: Option<IpAddr>,
    pub master: Option<Name>,
    pub vlan: Option<u32>,
    /// The device's own address, not one learnt.
    pub permanent: bool,
    pub span: Span,
}

/// `7: veth1@if3: <…> mtu 1500 master cni0 state forwarding priority 32 cost 2`; with `-d` a line `hairpin on …` below.
pub fn bridge_link(text: &str, file: FileId) -> (Vec<BridgePort>, Vec<Diagnostic>) {
    let mut ports: Vec<BridgePort> = Vec::new();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside()) {
        let words: Vec<_> = line.words().collect();
        let value = |key: &str| {
            let at = words.iter().position(|w| w.text == key)?;
            words.get(at + 1).copied()
        };
        if line.indented() {
            match (ports.last_mut(), value("hairpin")) {
                (Some(port), Some(hairpin)) => port.hairpin = Some(hairpin.text == "on"),
                (Some(_), None) => {}
                (None, _) => diagnostics.push(not_a_port(line.span, line.text)),
            }
            continue;
        }
        let named = words
            .first()
            .is_some_and(|w| w.text.trim_end_matches(':').parse::<u32>().is_ok());
        match (words.get(1), value("master")) {
            (Some(name), Some(master)) if named => {
                let whole = name.slice(0..name.text.trim_end_matches(':').len());
                let name = whole.split_once('@').map_or(whole, |(name, _)| name);
                ports.push(BridgePort {
                    name: name.into(),
                    master: master.into(),
                    hairpin: None,
                    state: value("state").map(Name::from),
                    span: line.span,
                });
            }
            _ => diagnostics.push(not_a_port(line.span, line.text)),
        }
    }
    (ports, diagnostics)
}

fn not_a_port(span: Span, line: &str) -> Diagnostic {
    Diagnostic::error(span, say!("texts/not-bridge-link", line = line.trim()))
        .help(say!("texts/not-bridge-link-help"))
}

/// `0a:58:ac:14:01:9d dev veth1 master cni0 permanent`
pub fn fdb(text: &str, file: FileId) -> (Vec<FdbEntry>, Vec<Diagnostic>) {
    let mut entries = Vec::new();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside()) {
        match entry(line.words(), line.span) {
            Ok((entry, unknown)) => {
                entries.push(entry);
                diagnostics.extend(unknown);
            }
            Err(d) => diagnostics.push(d),
        }
    }
    (entries, diagnostics)
}

fn entry<'a>(
    mut words: impl Iterator<Item = Word<'a>>,
    span: Span,
) -> Result<(FdbEntry, Vec<Diagnostic>), Diagnostic> {
    let missing = || Diagnostic::error(span, say!("texts/fdb-without-dev"));
    let mac = mac(words.next().ok_or_else(missing)?)?;
    let (mut dev, mut dst, mut master, mut vlan, mut permanent) = (None, None, None, None, false);
    let mut unknown = Vec::new();
    while let Some(word) = words.next() {
        let mut value = || {
            words.next().ok_or_else(|| {
                Diagnostic::error(word.span, say!("texts/wants-value", word = word.text))
            })
        };
        match word.text {
            "dev" => dev = Some(Name::from(value()?)),
            "dst" => dst = Some(value()?.address()?),
            "master" => master = Some(Name::from(value()?)),
            "vlan" => vlan = Some(value()?.number(4094)?),
            "permanent" => permanent = true,
            "port" | "vni" | "via" | "src_vni" | "used" => drop(value()?),
            "self" | "static" | "offload" | "extern_learn" | "sticky" | "dynamic" | "stale" => {}
            _ => unknown.push(Diagnostic::warning(
                word.span,
                say!("texts/unknown-word", word = word.text, tool = "bridge fdb"),
            )),
        }
    }
    let dev = dev.ok_or_else(missing)?;
    Ok((
        FdbEntry {
            mac,
            dev,
            dst,
            master,
            vlan,
            permanent,
            span,
        },
        unknown,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bridge_link_gives_ports_and_hairpin() {
        let text = "7: veth1@if3: <BROADCAST,UP> mtu 1500 master cni0 state forwarding priority 32 cost 2 \n    hairpin on guard off root_block off\n";
        let (ports, diagnostics) = bridge_link(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(
            (
                &*ports[0].name.text,
                &*ports[0].master.text,
                ports[0].hairpin
            ),
            ("veth1", "cni0", Some(true))
        );
    }

    #[test]
    fn fdb_lines_give_the_port_behind_an_address() {
        let text = "0a:58:ac:14:01:9d dev veth1 master cni0\n33:33:00:00:00:01 dev eth0 self permanent\n02:00:0a:00:00:01 dev flannel.1 dst 192.168.0.18 self permanent\n";
        let (entries, diagnostics) = fdb(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(entries[0].mac.to_string(), "0a:58:ac:14:01:9d");
        assert!(entries[1].permanent);
        assert_eq!(entries[2].dst.unwrap().to_string(), "192.168.0.18");
    }

    #[test]
    fn bad_lines_are_said_and_the_rest_read() {
        let text = "0a:58:ac:14:01 dev veth1\n0a:58:ac:14:01:9d master cni0\n0a:58:ac:14:01:9d dev veth1 shiny\n";
        let (entries, diagnostics) = fdb(text, FileId(0));
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(
            codes,
            [
                "texts/bad-mac",
                "texts/fdb-without-dev",
                "texts/unknown-word"
            ]
        );
        assert_eq!(entries.len(), 1);
        assert_eq!(
            bridge_link("cni0 veth1\n", FileId(0)).1[0].code(),
            "texts/not-bridge-link"
        );
    }
}
