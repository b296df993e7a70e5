//! `ip route` and `ip rule`, as they print and as they take (iproute2 `ip/iproute.c`, `print_route` and `iproute_modify`;
//! `ip/iprule.c`, `print_rule`).

use std::net::{IpAddr, Ipv4Addr};

use super::values::{byte, mark, protocol, range, route_prefix, scope_of, selector, table_id};
use super::{NextHop, PolicyRule, Route, RouteKind, RuleAction, Scope, TableId};
use crate::net::{IpFamily, Masked};
use crate::say;
use crate::text::{Diagnostic, FileId, Line, Span, Word, lines};

/// The routes of a listing of any table. A line without `table` belongs to main, or to local for the types that live there.
pub fn routes(text: &str, file: FileId) -> (Vec<Route>, Vec<Diagnostic>) {
    let mut routes: Vec<Route> = Vec::new();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside()) {
        let mut words = Words::of(&line, &mut diagnostics);
        if line.indented() && words.peek() == Some("nexthop") {
            match routes.last_mut() {
                Some(route) => {
                    let more = words.hops();
                    words.keep(more.map(|more| route.hops.extend(more)));
                    route.span = route.span.map(|s| s.to(line.span));
                }
                None => diagnostics.push(Diagnostic::error(
                    line.span,
                    say!("texts/nexthop-without-route"),
                )),
            }
            continue;
        }
        let route = words.route();
        routes.extend(words.keep(route));
    }
    for route in &routes {
        if route.kind == RouteKind::Unicast && route.hops.is_empty() {
            let span = route.span.unwrap_or_default();
            diagnostics.push(
                Diagnostic::error(span, say!("texts/route-without-dev", dst = route.dst))
                    .help(say!("texts/route-without-dev-help", dst = route.dst)),
            );
        }
    }
    routes.retain(|r| r.kind != RouteKind::Unicast || !r.hops.is_empty());
    (routes, diagnostics)
}

/// The rules of a listing, smallest preference first. A whole listing has rule 0; where that is not there the lines are
/// taken for what was added to those that every host has.
pub fn rules(text: &str, file: FileId) -> (Vec<PolicyRule>, Vec<Diagnostic>) {
    rules_of(IpFamily::V4, text, file)
}

/// The same of `ip rule` or `ip -6 rule`.
pub fn rules_of(family: IpFamily, text: &str, file: FileId) -> (Vec<PolicyRule>, Vec<Diagnostic>) {
    let mut rules = Vec::new();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside()) {
        let mut words = Words::of(&line, &mut diagnostics);
        let rule = words.rule();
        rules.extend(words.keep(rule));
    }
    if !rules.iter().any(|r: &PolicyRule| r.pref == 0) {
        rules.extend(PolicyRule::defaults(family));
    }
    rules.sort_by_key(|r| r.pref);
    (rules, diagnostics)
}

/// The words of a line, taken one by one.
struct Words<'a, 'd> {
    rest: std::iter::Peekable<Box<dyn Iterator<Item = Word<'a>> + 'a>>,
    line: Span,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'a, 'd> Words<'a, 'd> {
    fn of(line: &Line<'a>, diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        let words: Box<dyn Iterator<Item = Word<'a>> + 'a> = Box::new(line.words());
        Self {
            rest: words.peekable(),
            line: line.span,
            diagnostics,
        }
    }

    fn peek(&mut self) -> Option<&'a str> {
        self.rest.peek().map(|w| w.text)
    }

    fn next(&mut self) -> Option<Word<'a>> {
        self.rest.next()
    }

    /// The word behind a keyword.
    fn value(&mut self, key: Word<'_>) -> Result<Word<'a>, Diagnostic> {
        self.next()
            .ok_or_else(|| Diagnostic::error(key.span, say!("texts/wants-value", word = key.text)))
    }

    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|d| self.diagnostics.push(d)).ok()
    }

    fn unknown(&mut self, word: Word<'_>, tool: &str) {
        let said = say!("texts/unknown-word", word = word.text, tool = tool);
        self.diagnostics.push(Diagnostic::warning(word.span, said));
    }

    fn not_modelled(&mut self, word: Word<'_>) {
        let said = say!("texts/not-modelled", word = word.text);
        self.diagnostics.push(Diagnostic::warning(word.span, said));
    }

    /// `[TYPE] PREFIX [via ADDR] [dev NAME] …`
    fn route(&mut self) -> Result<Route, Diagnostic> {
        let empty = Diagnostic::error(self.line, say!("texts/route-without-prefix"));
        let mut first = self.next().ok_or_else(|| empty.clone())?;
        let kind = RouteKind::ALL.into_iter().find(|k| k.name() == first.text);
        if kind.is_some() {
            first = self.next().ok_or(empty)?;
        }
        let kind = kind.unwrap_or_default();
        let mut dst = match first.text {
            "default" => None,
            _ => Some(route_prefix(first)?),
        };
        let (mut table, mut scope, mut metric) = (None, None, None);
        // Only routes of IPv6 have a `pref`.
        let mut v6 = false;
        let mut hop = NextHop::default();
        let mut route = Route {
            table: TableId::MAIN,
            kind,
            dst: Masked::host(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            tos: 0,
            metric: 0,
            scope: Scope::Global,
            protocol: None,
            source: None,
            hops: Vec::new(),
            mtu: None,
            span: Some(self.line),
        };
        while let Some(word) = self.next() {
            match word.text {
                "via" | "dev" | "onlink" | "dead" | "linkdown" | "pervasive" => {
                    self.hop_word(word, &mut hop)?;
                }
                "nexthop" => {
                    let mut hops = vec![self.one_hop()?];
                    hops.extend(self.hops()?);
                    route.hops = hops;
                }
                "src" => route.source = Some(self.value(word)?.address()?),
                "metric" | "preference" | "priority" => {
                    metric = Some(self.value(word)?.number(u32::MAX)?);
                }
                "table" => table = Some(table_id(self.value(word)?)?),
                "proto" | "protocol" => route.protocol = Some(self.value(word)?.text.into()),
                "scope" => scope = Some(scope_of(self.value(word)?)?),
                "tos" | "dsfield" => route.tos = byte(self.value(word)?)?,
                "mtu" => {
                    if self.peek() == Some("lock") {
                        self.next();
                    }
                    route.mtu = Some(self.value(word)?.number(u32::MAX)?);
                }
                // What follows these says nothing of where packets go.
                "advmss" | "initcwnd" | "initrwnd" | "rtt" | "rttvar" | "rto_min" | "ssthresh"
                | "cwnd" | "reordering" | "hoplimit" | "quickack" | "features" | "congctl"
                | "window" | "expires" | "error" | "nhid" | "realm" | "realms"
                | "fastopen_no_cookie" => {
                    if self.peek() == Some("lock") {
                        self.next();
                    }
                    self.value(word)?;
                }
                "pref" => {
                    v6 = true;
                    self.value(word)?;
                }
                "cache" | "offload" | "trap" | "rt_offload" | "notify" | "unresolved" => {}
                "encap" | "as" => {
                    self.not_modelled(word);
                    while self
                        .rest
                        .peek()
                        .is_some_and(|w| !matches!(w.text, "via" | "dev"))
                    {
                        self.next();
                    }
                }
                _ => self.unknown(word, "ip route"),
            }
        }
        if route.hops.is_empty() && (hop.gateway.is_some() || hop.dev.is_some()) {
            route.hops = vec![hop];
        }
        let told = route.hops.iter().find_map(|h| h.gateway).or(route.source);
        route.dst = match dst.take() {
            Some(dst) => dst,
            None => default_of(v6 || told.is_some_and(|addr| addr.is_ipv6())),
        };
        let local = matches!(
            kind,
            RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast
        );
        route.table = table.unwrap_or(if local { TableId::LOCAL } else { TableId::MAIN });
        route.scope = scope.unwrap_or(default_scope(&route));
        // `IP6_RT_PRIO_USER`; the lines of table local are printed with the metric 0.
        let absent = match route.dst.addr {
            IpAddr::V6(_) if !local => 1024,
            _ => 0,
        };
        route.metric = metric.unwrap_or(absent);
        Ok(route)
    }

    fn hop_word(&mut self, word: Word<'a>, hop: &mut NextHop) -> Result<(), Diagnostic> {
        match word.text {
            "via" => {
                let mut addr = self.value(word)?;
                if matches!(addr.text, "inet" | "inet6") {
                    addr = self.value(word)?;
                }
                hop.gateway = Some(addr.address()?);
            }
            "dev" => hop.dev = Some(self.value(word)?.text.into()),
            "weight" => hop.weight = self.value(word)?.number(256)? as u16,
            "onlink" => hop.onlink = true,
            "dead" | "linkdown" => hop.dead = true,
            _ => {}
        }
        Ok(())
    }

    /// What follows `nexthop`, up to the next one.
    fn one_hop(&mut self) -> Result<NextHop, Diagnostic> {
        let mut hop = NextHop {
            weight: 1,
            ..NextHop::default()
        };
        while let Some(&word) = self.rest.peek() {
            match word.text {
                "via" | "dev" | "weight" | "onlink" | "dead" | "linkdown" | "pervasive" => {
                    self.next();
                    self.hop_word(word, &mut hop)?;
                }
                _ => break,
            }
        }
        if hop.gateway.is_none() && hop.dev.is_none() {
            let said = say!("texts/wants-value", word = "nexthop");
            return Err(Diagnostic::error(self.line, said));
        }
        Ok(hop)
    }

    /// `nexthop …` as often as it stands there; nothing else may.
    fn hops(&mut self) -> Result<Vec<NextHop>, Diagnostic> {
        let mut hops = Vec::new();
        while let Some(word) = self.next() {
            if word.text == "nexthop" {
                hops.push(self.one_hop()?);
            } else {
                self.unknown(word, "ip route");
            }
        }
        Ok(hops)
    }

    /// `PREF: [not] from PREFIX [to PREFIX] … ACTION`
    fn rule(&mut self) -> Result<PolicyRule, Diagnostic> {
        let bad = Diagnostic::error(self.line, say!("texts/rule-without-pref"));
        let first = self.next().ok_or_else(|| bad.clone())?;
        let pref = match first.text.strip_suffix(':').map(str::parse) {
            Some(Ok(pref)) => pref,
            _ => return Err(bad.help(say!("texts/rule-without-pref-help"))),
        };
        let mut rule = PolicyRule::all(pref, RuleAction::Nop);
        rule.span = Some(self.line);
        let mut action = None;
        while let Some(word) = self.next() {
            match word.text {
                "not" => rule.not = true,
                "from" => rule.from = selector(self.value(word)?)?,
                "to" => rule.to = selector(self.value(word)?)?,
                "iif" | "dev" => rule.iif = Some(self.value(word)?.text.into()),
                "oif" => rule.oif = Some(self.value(word)?.text.into()),
                "[detached]" | "[unresolved]" => {}
                "fwmark" => rule.fwmark = Some(mark(self.value(word)?)?),
                "tos" | "dsfield" => rule.tos = Some(byte(self.value(word)?)?),
                "ipproto" => rule.protocol = Some(protocol(self.value(word)?)?),
                "sport" => rule.sport = Some(range(self.value(word)?, 65535)?),
                "dport" => rule.dport = Some(range(self.value(word)?, 65535)?),
                "uidrange" => rule.uids = Some(range(self.value(word)?, u32::MAX)?),
                "lookup" | "table" => {
                    action = Some(RuleAction::Lookup(table_id(self.value(word)?)?));
                }
                "goto" => action = Some(RuleAction::Goto(self.value(word)?.number(u32::MAX)?)),
                "nop" => action = Some(RuleAction::Nop),
                "blackhole" => action = Some(RuleAction::Blackhole),
                "unreachable" => action = Some(RuleAction::Unreachable),
                "prohibit" => action = Some(RuleAction::Prohibit),
                "suppress_prefixlength" | "suppress_prefixlen" => {
                    rule.suppress_prefix = Some(self.value(word)?.number(128)? as u8);
                }
                "proto" | "protocol" | "realms" => drop(self.value(word)?),
                // A rule that asks for more than the model knows would match too much without it.
                "suppress_ifgroup" | "tun_id" | "[l3mdev-table]" | "l3mdev" | "dscp" | "map-to" => {
                    return Err(Diagnostic::error(
                        word.span,
                        say!("texts/rule-not-modelled", word = word.text),
                    ));
                }
                _ => self.unknown(word, "ip rule"),
            }
        }
        rule.action = action
            .ok_or_else(|| Diagnostic::error(self.line, say!("texts/rule-without-action")))?;
        Ok(rule)
    }
}

fn default_of(v6: bool) -> Masked {
    let any = if v6 { IpFamily::V6 } else { IpFamily::V4 }.unspecified();
    Masked {
        addr: any,
        mask: any,
    }
}

/// What `ip route add` takes where no scope is given (iproute2 `iproute_modify`).
fn default_scope(route: &Route) -> Scope {
    match route.kind {
        RouteKind::Local => Scope::Host,
        RouteKind::Broadcast | RouteKind::Anycast | RouteKind::Multicast => Scope::Link,
        RouteKind::Unicast if route.hops.iter().all(|h| h.gateway.is_none()) => Scope::Link,
        _ => Scope::Global,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> Vec<Route> {
        let (routes, diagnostics) = routes(text, FileId(0));
        assert_eq!(diagnostics, [], "{text}");
        routes
    }

    const WORK001: &str = "\
default via 192.168.0.253 dev eth0
169.254.0.0/16 dev eth0 scope link metric 1002
169.254.123.0/24 dev docker0 proto kernel scope link src 169.254.123.1
172.20.1.128/25 dev cni0 proto kernel scope link src 172.20.1.129
192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.17
";

    #[test]
    fn the_articles_routes_read_whole() {
        let routes = clean(WORK001);
        assert_eq!(routes.len(), 5);
        let default = &routes[0];
        assert_eq!(default.dst.to_string(), "0.0.0.0/0");
        assert_eq!(
            default.hops[0].gateway.unwrap().to_string(),
            "192.168.0.253"
        );
        assert_eq!(default.scope, Scope::Global);
        assert_eq!(routes[1].metric, 1002);
        let cni = &routes[3];
        assert_eq!(cni.dst.to_string(), "172.20.1.128/25");
        assert_eq!(cni.source.unwrap().to_string(), "172.20.1.129");
        assert_eq!(cni.scope, Scope::Link);
        assert_eq!(cni.hops[0].dev.as_ref().unwrap().as_str(), "cni0");
        assert_eq!(
            &WORK001[cni.span.unwrap().range()],
            "172.20.1.128/25 dev cni0 proto kernel scope link src 172.20.1.129"
        );
    }

    #[test]
    fn types_choose_table_and_scope_as_ip_route_add_does() {
        let text = "local 10.55.0.0/24 dev lo\nlocal default dev lo table 100 scope host\n\
                    broadcast 10.67.0.255 dev eth1\nblackhole 172.20.3.0/24 table 100\n\
                    unreachable 198.51.100.0/24 metric 4278198272\nthrow 172.20.2.7 table 100\n\
                    172.27.0.0/16 via 10.10.0.2 dev eth1 onlink mtu lock 1400\n";
        let routes = clean(text);
        assert_eq!(routes[0].table, TableId::LOCAL);
        assert_eq!(routes[0].scope, Scope::Host);
        assert_eq!(routes[1].table, TableId(100));
        assert_eq!(routes[2].scope, Scope::Link);
        assert_eq!(routes[3].kind, RouteKind::Blackhole);
        assert_eq!(routes[4].metric, 4278198272);
        assert_eq!(routes[5].dst.to_string(), "172.20.2.7/32");
        assert!(routes[6].hops[0].onlink);
        assert_eq!(routes[6].mtu, Some(1400));
    }

    #[test]
    fn a_multipath_route_stands_on_one_line_or_on_several() {
        let one = "172.20.2.0/24 nexthop via 192.168.0.18 dev eth0 weight 1 nexthop via 10.10.0.18 dev eth1 weight 2\n";
        let several = "172.20.2.0/24 proto static\n\tnexthop via 192.168.0.18 dev eth0 weight 1\n\tnexthop via 10.10.0.18 dev eth1 weight 2\n";
        let hops = clean(one).remove(0).hops;
        assert_eq!(hops, clean(several).remove(0).hops);
        assert_eq!(hops.iter().map(|h| h.weight).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn the_family_of_default_is_its_gateways() {
        let routes = clean(
            "default via fe80::1 dev eth0 proto ra metric 1024 expires 1600sec pref medium\nfe80::/64 dev eth0 proto kernel metric 256\nunreachable default dev lo table unspec proto kernel metric 4294967295 error -101 pref medium\n",
        );
        assert_eq!(routes[0].dst.to_string(), "::/0");
        assert_eq!(routes[1].dst.to_string(), "fe80::/64");
        assert_eq!(routes[2].dst.to_string(), "::/0");
        assert_eq!(routes[2].table, TableId(0));
    }

    #[test]
    fn a_bad_route_is_said_and_the_others_stand() {
        let text = "10.0.0.0/33 dev eth0\n10.0.0.1/24 dev eth0\n10.0.0/24 dev eth0\n10.0.0.0/24\n\
                    10.1.0.0/24 dev\n10.2.0.0/24 dev eth0 scope moon\n10.3.0.0/24 dev eth0 shiny\n\
                    10.4.0.0/24 dev eth0 table vpn\n10.5.0.0/24 encap mpls 20 dev eth0\n";
        let (routes, diagnostics) = routes(text, FileId(0));
        let said: Vec<_> = diagnostics
            .iter()
            .map(|d| (d.code(), &text[d.span.range()]))
            .collect();
        assert_eq!(
            said,
            [
                ("texts/bad-mask", "33"),
                ("texts/bits-below-mask", "10.0.0.1/24"),
                ("texts/bad-address", "10.0.0"),
                ("texts/wants-value", "dev"),
                ("texts/unknown-scope", "moon"),
                ("texts/unknown-word", "shiny"),
                ("texts/unknown-table", "vpn"),
                ("texts/not-modelled", "encap"),
                ("texts/route-without-dev", "10.0.0.0/24"),
            ]
        );
        let kept: Vec<_> = routes.iter().map(|r| r.dst.to_string()).collect();
        assert_eq!(kept, ["10.3.0.0/24", "10.5.0.0/24"]);
    }

    #[test]
    fn rules_are_added_to_the_three_unless_the_listing_is_whole() {
        let (added, diagnostics) = rules(
            "100:\tfrom all fwmark 0x4000/0x4000 lookup 100\n200:\tfrom 203.0.113.0/24 lookup 101\n",
            FileId(0),
        );
        assert_eq!(diagnostics, []);
        assert_eq!(
            added.iter().map(|r| r.pref).collect::<Vec<_>>(),
            [0, 100, 200, 32766, 32767]
        );
        assert_eq!(added[1].fwmark, Some((0x4000, 0x4000)));
        let (whole, _) = rules(
            "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n",
            FileId(0),
        );
        assert_eq!(whole.len(), 2);
    }

    #[test]
    fn a_rule_may_ask_for_ports_interfaces_and_the_contrary() {
        let (all, diagnostics) = rules(
            "5:\tnot from all to 172.28.0.0/16 iif eth1 ipproto tcp dport 80-90 blackhole\n9:\tfrom all goto 32766\n",
            FileId(0),
        );
        assert_eq!(diagnostics, []);
        let rule = &all[1];
        assert!(rule.not);
        assert_eq!(rule.iif.as_ref().unwrap().as_str(), "eth1");
        assert_eq!(rule.dport, Some((80, 90)));
        assert_eq!(rule.action, RuleAction::Blackhole);
        assert_eq!(all[2].action, RuleAction::Goto(32766));
    }

    #[test]
    fn a_rule_that_asks_for_what_is_not_modelled_is_left_out_aloud() {
        let text = "from all lookup 5\n9:\tfrom all l3mdev lookup 5\n10:\tfrom all\n11:\tfrom all fwmark x lookup 5\n";
        let (all, diagnostics) = rules(text, FileId(0));
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(
            codes,
            [
                "texts/rule-without-pref",
                "texts/rule-not-modelled",
                "texts/rule-without-action",
                "texts/bad-mark"
            ]
        );
        assert_eq!(all.len(), 3);
    }
}
