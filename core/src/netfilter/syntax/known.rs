//! Extensions that iptables has and this model has not: their options are read so that the rest of the rule is, and they
//! are kept as they were written.

use super::{Given, Opt, Syntax, no_finish};
use crate::net::IpFamily;
use crate::netfilter::matches::Unsupported;
use crate::netfilter::{Match, Target, print};
use crate::text::Span;

/// The id of an option that takes two values.
pub(in crate::netfilter) const TWO: u8 = 4;

const fn v(name: &'static str) -> Opt {
    Opt::value(name, 0).not().again()
}

const fn f(name: &'static str) -> Opt {
    Opt::flag(name, 0).not().again()
}

const fn m(name: &'static str, options: &'static [Opt]) -> Syntax<Match> {
    Syntax {
        name,
        options,
        start: |_, syntax| Match::Unsupported(Box::new(unsupported("-m", syntax.name))),
        option: |_, _, _| Ok(()),
        finish: no_finish,
    }
}

const fn t(name: &'static str, options: &'static [Opt]) -> Syntax<Target> {
    Syntax {
        name,
        options,
        start: |_, syntax| Target::Unsupported(Box::new(unsupported("-j", syntax.name))),
        option: |_, _, _| Ok(()),
        finish: no_finish,
    }
}

fn unsupported(dash: &str, name: &str) -> Unsupported {
    Unsupported {
        name: name.into(),
        text: format!("{dash} {name}").into(),
        span: Span::default(),
    }
}

/// Of both families.
pub(in crate::netfilter) static MATCHES: &[&Syntax<Match>] = &[
    &m("bpf", &[v("bytecode"), v("object-pinned")]),
    &m("cgroup", &[v("cgroup"), v("path")]),
    &m(
        "cluster",
        &[
            v("cluster-total-nodes"),
            v("cluster-local-node"),
            v("cluster-local-nodemask"),
            v("cluster-hash-seed"),
        ],
    ),
    &m(
        "connbytes",
        &[v("connbytes"), v("connbytes-dir"), v("connbytes-mode")],
    ),
    &m("connlabel", &[v("label"), f("set")]),
    &m(
        "connlimit",
        &[
            v("connlimit-upto"),
            v("connlimit-above"),
            v("connlimit-mask"),
            f("connlimit-saddr"),
            f("connlimit-daddr"),
        ],
    ),
    &m("cpu", &[v("cpu")]),
    &m(
        "dccp",
        &[
            v("source-port"),
            v("sport"),
            v("destination-port"),
            v("dport"),
            v("dccp-types"),
            v("dccp-option"),
        ],
    ),
    &m("devgroup", &[v("src-group"), v("dst-group")]),
    &m(
        "ecn",
        &[f("ecn-tcp-cwr"), f("ecn-tcp-ece"), v("ecn-ip-ect")],
    ),
    &m("esp", &[v("espspi")]),
    &m("helper", &[v("helper")]),
    &m("ipcomp", &[v("ipcompspi"), f("compres")]),
    &m(
        "ipvs",
        &[
            f("ipvs"),
            v("vproto"),
            v("vaddr"),
            v("vport"),
            v("vdir"),
            v("vmethod"),
            v("vportctl"),
        ],
    ),
    &m("nfacct", &[v("nfacct-name")]),
    &m("osf", &[v("genre"), v("ttl"), v("log")]),
    &m(
        "rateest",
        &[
            v("rateest1"),
            v("rateest"),
            v("rateest2"),
            f("rateest-bps1"),
            f("rateest-pps1"),
            f("rateest-bps2"),
            f("rateest-pps2"),
            f("rateest-bps"),
            f("rateest-pps"),
            f("rateest-delta"),
            f("rateest-lt"),
            f("rateest-gt"),
            f("rateest-eq"),
        ],
    ),
    &m(
        "string",
        &[
            v("from"),
            v("to"),
            v("algo"),
            v("string"),
            v("hex-string"),
            f("icase"),
        ],
    ),
    &m("tcpmss", &[v("mss")]),
    &m(
        "time",
        &[
            v("datestart"),
            v("datestop"),
            v("timestart"),
            v("timestop"),
            f("contiguous"),
            v("weekdays"),
            v("monthdays"),
            f("localtz"),
            f("utc"),
            f("kerneltz"),
        ],
    ),
    &m("u32", &[v("u32")]),
];

pub(in crate::netfilter) static TARGETS: &[&Syntax<Target>] = &[
    &t("AUDIT", &[v("type")]),
    &t("CONNSECMARK", &[f("save"), f("restore")]),
    &t(
        "HMARK",
        &[
            v("hmark-tuple"),
            v("hmark-src-prefix"),
            v("hmark-dst-prefix"),
            v("hmark-sport-mask"),
            v("hmark-dport-mask"),
            v("hmark-spi-mask"),
            v("hmark-sport"),
            v("hmark-dport"),
            v("hmark-spi"),
            v("hmark-proto-mask"),
            v("hmark-rnd"),
            v("hmark-mod"),
            v("hmark-offset"),
        ],
    ),
    &t("IDLETIMER", &[v("timeout"), v("label"), f("alarm")]),
    &t(
        "LED",
        &[v("led-trigger-id"), v("led-delay"), f("led-always-blink")],
    ),
    &t(
        "NFQUEUE",
        &[
            v("queue-num"),
            v("queue-balance"),
            f("queue-bypass"),
            f("queue-cpu-fanout"),
        ],
    ),
    &t("QUEUE", &[]),
    &t(
        "RATEEST",
        &[
            v("rateest-name"),
            v("rateest-interval"),
            v("rateest-ewmalog"),
        ],
    ),
    &t("SECMARK", &[v("selctx")]),
    &t(
        "SYNPROXY",
        &[
            f("sack-perm"),
            f("timestamp"),
            v("wscale"),
            v("mss"),
            f("ecn"),
        ],
    ),
    &t("TCPOPTSTRIP", &[v("strip-options")]),
    &t("TEE", &[v("gateway"), v("oif")]),
];

/// Those that one family alone has.
pub(in crate::netfilter) fn own_matches(family: IpFamily) -> &'static [&'static Syntax<Match>] {
    match family {
        IpFamily::V4 => MATCHES4,
        IpFamily::V6 => MATCHES6,
    }
}

pub(in crate::netfilter) fn own_targets(family: IpFamily) -> &'static [&'static Syntax<Target>] {
    match family {
        IpFamily::V4 => TARGETS4,
        IpFamily::V6 => TARGETS6,
    }
}

static MATCHES4: &[&Syntax<Match>] = &[&m("ah", &[v("ahspi")]), &m("realm", &[v("realm")])];

static MATCHES6: &[&Syntax<Match>] = &[
    &m("ah", &[v("ahspi"), v("ahlen"), f("ahres")]),
    &m("dst", &[v("dst-len"), v("dst-opts")]),
    &m("eui64", &[]),
    &m(
        "frag",
        &[
            v("fragid"),
            v("fraglen"),
            f("fragres"),
            f("fragfirst"),
            f("fragmore"),
            f("fraglast"),
        ],
    ),
    &m("hbh", &[v("hbh-len"), v("hbh-opts")]),
    &m("ipv6header", &[v("header"), f("soft")]),
    &m("mh", &[v("mh-type")]),
    &m(
        "rt",
        &[
            v("rt-type"),
            v("rt-segsleft"),
            v("rt-len"),
            f("rt-0-res"),
            v("rt-0-addrs"),
            f("rt-0-not-strict"),
        ],
    ),
    &m(
        "srh",
        &[
            v("srh-next-hdr"),
            v("srh-hdr-len-eq"),
            v("srh-hdr-len-gt"),
            v("srh-hdr-len-lt"),
            v("srh-segs-left-eq"),
            v("srh-segs-left-gt"),
            v("srh-segs-left-lt"),
            v("srh-last-entry-eq"),
            v("srh-last-entry-gt"),
            v("srh-last-entry-lt"),
            v("srh-tag"),
            v("srh-psid"),
            v("srh-nsid"),
            v("srh-lsid"),
        ],
    ),
];

static TARGETS4: &[&Syntax<Target>] = &[
    &t(
        "CLUSTERIP",
        &[
            f("new"),
            v("hashmode"),
            v("clustermac"),
            v("total-nodes"),
            v("local-node"),
            v("hash-init"),
        ],
    ),
    &t(
        "ECN",
        &[
            f("ecn-tcp-remove"),
            v("ecn-tcp-cwr"),
            v("ecn-tcp-ece"),
            v("ecn-ip-ect"),
        ],
    ),
    &t(
        "ULOG",
        &[
            v("ulog-nlgroup"),
            v("ulog-prefix"),
            v("ulog-cprange"),
            v("ulog-qthreshold"),
        ],
    ),
];

/// Network prefix translation (RFC 6296) among them.
static TARGETS6: &[&Syntax<Target>] = &[
    &t("DNPT", &[v("src-pfx"), v("dst-pfx")]),
    &t("SNPT", &[v("src-pfx"), v("dst-pfx")]),
];

/// Whether the option's second value is the word behind its first.
pub(in crate::netfilter) fn takes_two(given: &Given) -> bool {
    given.id == TWO
}

/// A match that the model has, with an option that it has not.
pub(super) fn no_longer_modelled(m: &mut Match, given: &Given, second: &str) {
    let mut text = String::new();
    print::match_words(m, &mut text);
    let mut kept = unsupported("-m", print::match_name(m));
    kept.text = text.trim_start().into();
    append(&mut kept, given, second);
    *m = Match::Unsupported(Box::new(kept));
}

/// A target that the model has, with an option that it has not.
pub(super) fn target_no_longer_modelled(t: &mut Target, given: &Given) {
    let mut kept = unsupported("-j", print::target_name(t));
    let mut text = String::from(std::mem::take(&mut kept.text));
    print::target_words(t, &mut text);
    kept.text = text.into();
    append(&mut kept, given, "");
    *t = Target::Unsupported(Box::new(kept));
}

/// Keeps an option as it was written.
pub(in crate::netfilter) fn append(kept: &mut Unsupported, given: &Given, second: &str) {
    let mut text = String::from(std::mem::take(&mut kept.text));
    text.push_str(if given.inverted { " ! --" } else { " --" });
    text.push_str(given.name);
    for value in [given.value, second] {
        if value.is_empty() {
            continue;
        }
        if value.contains([' ', '\t', '"', '\\', '\'']) {
            super::comment::quoted(value, &mut text);
        } else {
            text.push(' ');
            text.push_str(value);
        }
    }
    kept.text = text.into();
}
