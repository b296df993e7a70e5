//! `-j REJECT` (`libipt_REJECT.c`).

use super::values::begins;
use super::{Opt, Syntax, names, no_finish};
use crate::netfilter::Target;
use crate::netfilter::targets::RejectWith;
use crate::say;

pub(in crate::netfilter) static REJECT: Syntax<Target> = Syntax {
    name: "REJECT",
    options: &[Opt::value("reject-with", 0)],
    start: |_| Target::Reject(RejectWith::PortUnreachable),
    option: |t, given, _| {
        let found = NAMES
            .iter()
            .find(|(_, name, alias)| begins(name, given.value) || begins(alias, given.value));
        match found {
            Some((with, _, _)) => {
                *t = Target::Reject(*with);
                Ok(())
            }
            None => {
                let mut bad = given.fault(say!("iptables/unknown-reject", value = given.value));
                bad.help = names::nearest(given.value, NAMES.iter().map(|(_, name, _)| *name));
                Err(bad)
            }
        }
    },
    finish: no_finish,
};

/// The name that is printed, and another that is read; either may be shortened to its beginning.
static NAMES: [(RejectWith, &str, &str); 8] = [
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

pub(in crate::netfilter) fn named(name: &str) -> Option<RejectWith> {
    NAMES
        .iter()
        .find(|(_, n, _)| *n == name)
        .map(|(with, _, _)| *with)
}

pub(in crate::netfilter) fn name(with: RejectWith) -> &'static str {
    match with {
        RejectWith::NoRoute6 => "icmp6-no-route",
        RejectWith::AdmProhibited6 => "icmp6-adm-prohibited",
        RejectWith::AddrUnreachable6 => "icmp6-addr-unreachable",
        RejectWith::PortUnreachable6 => "icmp6-port-unreachable",
        RejectWith::PolicyFail6 => "icmp6-policy-fail",
        RejectWith::RejectRoute6 => "icmp6-reject-route",
        with => NAMES
            .iter()
            .find(|(w, _, _)| *w == with)
            .map_or("", |(_, name, _)| name),
    }
}
