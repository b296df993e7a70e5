//! `ip neigh` (iproute2 `ip/ipneigh.c`, `print_neigh`).

use std::net::IpAddr;

use super::{Name, mac};
use crate::net::Mac;
use crate::say;
use crate::text::{Diagnostic, FileId, Span, Word, lines};

/// What a host knows of a neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    pub addr: IpAddr,
    pub dev: Name,
    /// `None` where it was asked for in vain.
    pub mac: Option<Mac>,
    /// Never asked for again.
    pub permanent: bool,
    pub span: Span,
}

/// `192.168.0.253 dev eth0 lladdr ee:ff:ff:ff:ff:ff REACHABLE`
pub fn neighbours(text: &str, file: FileId) -> (Vec<Neighbour>, Vec<Diagnostic>) {
    let mut all = Vec::new();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside()) {
        match neighbour(line.words(), line.span, &mut diagnostics) {
            Ok(one) => all.push(one),
            Err(d) => diagnostics.push(d),
        }
    }
    (all, diagnostics)
}

fn neighbour<'a>(
    mut words: impl Iterator<Item = Word<'a>>,
    span: Span,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Neighbour, Diagnostic> {
    let missing = || Diagnostic::error(span, say!("texts/neighbour-without-dev"));
    let addr = words.next().ok_or_else(missing)?.address()?;
    let (mut dev, mut lladdr, mut permanent) = (None, None, false);
    while let Some(word) = words.next() {
        let mut value = || {
            words.next().ok_or_else(|| {
                Diagnostic::error(word.span, say!("texts/wants-value", word = word.text))
            })
        };
        match word.text {
            "dev" => dev = Some(Name::from(value()?)),
            "lladdr" => lladdr = Some(mac(value()?)?),
            "PERMANENT" => permanent = true,
            // Known to nobody, whatever address was remembered.
            "FAILED" | "INCOMPLETE" => lladdr = None,
            "REACHABLE" | "STALE" | "DELAY" | "PROBE" | "NOARP" | "NONE" | "router" | "proxy"
            | "extern_learn" | "offload" | "managed" => {}
            "used" | "probes" | "ref" | "proto" => drop(value()?),
            _ => diagnostics.push(Diagnostic::warning(
                word.span,
                say!("texts/unknown-word", word = word.text, tool = "ip neigh"),
            )),
        }
    }
    Ok(Neighbour {
        addr,
        dev: dev.ok_or_else(missing)?,
        mac: lladdr,
        permanent,
        span,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_neighbour_has_no_address() {
        let text = "192.168.0.253 dev eth0 lladdr ee:ff:ff:ff:ff:ff REACHABLE\n10.0.0.9 dev eth0  FAILED\n172.20.2.0 dev flannel.1 lladdr 02:00:ac:14:02:00 PERMANENT\n";
        let (all, diagnostics) = neighbours(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(all[0].mac.unwrap().to_string(), "ee:ff:ff:ff:ff:ff");
        assert_eq!(all[1].mac, None);
        assert!(all[2].permanent);
    }

    #[test]
    fn a_neighbour_needs_a_device() {
        let (all, diagnostics) = neighbours("10.0.0.9 lladdr ee:ff:ff:ff:ff:ff\n", FileId(0));
        assert!(all.is_empty());
        assert_eq!(diagnostics[0].code(), "texts/neighbour-without-dev");
    }
}
