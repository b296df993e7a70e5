//! `-j REJECT` (`libipt_REJECT.c`, `libip6t_REJECT.c`).

use super::values::begins;
use super::{Fault, Given, Opt, Syntax, names, no_finish};
use crate::netfilter::Target;
use crate::netfilter::targets::RejectWith;
use crate::say;

pub(in crate::netfilter) static REJECT: Syntax<Target> = Syntax {
    name: "REJECT",
    options: &[Opt::value("reject-with", 0)],
    start: |_, _| Target::Reject(RejectWith::PortUnreachable),
    option: |t, given, _| read(t, given, &NAMES),
    finish: no_finish,
};

pub(in crate::netfilter) static REJECT6: Syntax<Target> = Syntax {
    name: "REJECT",
    options: &[Opt::value("reject-with", 0)],
    start: |_, _| Target::Reject(RejectWith::PortUnreachable6),
    option: |t, given, _| read(t, given, &NAMES6),
    finish: no_finish,
};

type Name = (RejectWith, &'static str, &'static str);

fn read(target: &mut Target, given: &Given, names: &'static [Name]) -> Result<(), Fault> {
    let found = names
        .iter()
        .find(|(_, name, alias)| begins(name, given.value) || begins(alias, given.value));
    match found {
        Some((with, _, _)) => {
            *target = Target::Reject(*with);
            Ok(())
        }
        None => {
            let mut bad = given.fault(say!("iptables/unknown-reject", value = given.value));
            bad.help = names::nearest(given.value, names.iter().map(|(_, name, _)| *name));
            Err(bad)
        }
    }
}

/// The name that is printed, and another that is read; either may be shortened to its beginning.
static NAMES: [Name; 8] = [
    (
        RejectWith::NetUnreachable,
        "icmp-net-unreachable",
        "net-unreach",
    ),
    (
        RejectWith::HostUnreachable,
        "icmp-host-unreachable",
        "host-unreach",
    ),
    (
        RejectWith::ProtoUnreachable,
        "icmp-proto-unreachable",
        "proto-unreach",
    ),
    (
        RejectWith::PortUnreachable,
        "icmp-port-unreachable",
        "port-unreach",
    ),
    (
        RejectWith::NetProhibited,
        "icmp-net-prohibited",
        "net-prohib",
    ),
    (
        RejectWith::HostProhibited,
        "icmp-host-prohibited",
        "host-prohib",
    ),
    (RejectWith::TcpReset, "tcp-reset", "tcp-rst"),
    (
        RejectWith::AdminProhibited,
        "icmp-admin-prohibited",
        "admin-prohib",
    ),
];

static NAMES6: [Name; 7] = [
    (RejectWith::NoRoute6, "icmp6-no-route", "no-route"),
    (
        RejectWith::AdmProhibited6,
        "icmp6-adm-prohibited",
        "adm-prohibited",
    ),
    (
        RejectWith::AddrUnreachable6,
        "icmp6-addr-unreachable",
        "addr-unreach",
    ),
    (
        RejectWith::PortUnreachable6,
        "icmp6-port-unreachable",
        "port-unreach",
    ),
    (RejectWith::TcpReset, "tcp-reset", "tcp-reset"),
    (RejectWith::PolicyFail6, "icmp6-policy-fail", "policy-fail"),
    (
        RejectWith::RejectRoute6,
        "icmp6-reject-route",
        "reject-route",
    ),
];

pub(in crate::netfilter) fn named(name: &str) -> Option<RejectWith> {
    let mut all = NAMES.iter().chain(&NAMES6);
    all.find(|(_, n, _)| *n == name).map(|(with, _, _)| *with)
}

pub(in crate::netfilter) fn name(with: RejectWith) -> &'static str {
    let mut all = NAMES.iter().chain(&NAMES6);
    all.find(|(w, _, _)| *w == with)
        .map_or("", |(_, name, _)| name)
}
