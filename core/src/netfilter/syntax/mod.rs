//! How each match and target is written: its options as iptables' own extensions take them, the canonical words that
//! `iptables-save` prints, and the words of `iptables -L`. A file holds what belongs together; [`matches`] and [`targets`]
//! name them all.
//!
//! The reference is iptables 1.8.9 (legacy): `extensions/libxt_*.c`, `extensions/libipt_*.c`, `extensions/libip6t_*.c`,
//! `libxtables/xtoptions.c`.

pub(super) mod addrtype;
pub(super) mod comment;
pub(super) mod conntrack;
pub(super) mod ct;
pub(super) mod edit;
pub(super) mod hashlimit;
pub(super) mod icmp;
pub(super) mod ip;
pub(super) mod iprange;
pub(super) mod known;
pub(super) mod limit;
pub(super) mod link;
pub(super) mod log;
pub(super) mod mark;
pub(super) mod multiport;
pub(crate) mod names;
pub(super) mod nat;
pub(super) mod owner;
pub(super) mod physdev;
pub(super) mod policy;
pub(super) mod ports;
pub(super) mod quota;
pub(super) mod recent;
pub(super) mod reject;
pub(super) mod rpfilter;
pub(super) mod set;
pub(super) mod socket;
pub(super) mod statistic;
pub(super) mod tcp;
pub(super) mod tproxy;
pub(super) mod values;

use std::borrow::Cow;

use super::{Header, Match, Target};
use crate::net::IpFamily;
use crate::say;
use crate::text::{Diagnostic, Say, Span};

/// What was wrong with an option; boxed, for it is rare.
pub(super) type Fault = Box<Diagnostic>;

pub(super) fn fault(span: Span, message: Say) -> Fault {
    Box::new(Diagnostic::error(span, message))
}

/// A word of a command line: what it says, and where.
#[derive(Clone, Debug)]
pub(super) struct Word<'t> {
    pub text: Cow<'t, str>,
    pub span: Span,
}

/// An option of an extension (`struct xt_option_entry`).
#[derive(Debug)]
pub(super) struct Opt {
    pub name: &'static str,
    /// Spellings of one option share an id.
    pub id: u8,
    pub takes_value: bool,
    pub invertible: bool,
    pub repeatable: bool,
    pub mandatory: bool,
    /// Options that must not stand beside it, as bits `1 << id`.
    pub excludes: u32,
    /// Options that must stand beside it.
    pub needs: u32,
}

impl Opt {
    pub(super) const fn flag(name: &'static str, id: u8) -> Self {
        Self {
            name,
            id,
            takes_value: false,
            invertible: false,
            repeatable: false,
            mandatory: false,
            excludes: 0,
            needs: 0,
        }
    }

    pub(super) const fn value(name: &'static str, id: u8) -> Self {
        let mut opt = Self::flag(name, id);
        opt.takes_value = true;
        opt
    }

    pub(super) const fn not(mut self) -> Self {
        self.invertible = true;
        self
    }

    pub(super) const fn again(mut self) -> Self {
        self.repeatable = true;
        self
    }

    pub(super) const fn must(mut self) -> Self {
        self.mandatory = true;
        self
    }

    pub(super) const fn excl(mut self, ids: u32) -> Self {
        self.excludes = ids;
        self
    }

    pub(super) const fn also(mut self, ids: u32) -> Self {
        self.needs = ids;
        self
    }
}

/// An option as it was given.
pub(super) struct Given<'a> {
    /// Of the rule that it stands in.
    pub family: IpFamily,
    pub id: u8,
    pub name: &'static str,
    /// Empty for an option without a value.
    pub value: &'a str,
    /// Of the value, or of the option where there is none.
    pub span: Span,
    pub inverted: bool,
    /// Whether the bytes of `value` are those under `span`, so that parts of it have spans of their own.
    pub plain: bool,
}

impl Given<'_> {
    /// The span of `part`, which must be a slice of `value`.
    pub(super) fn part(&self, part: &str) -> Span {
        let at = (part.as_ptr() as usize).wrapping_sub(self.value.as_ptr() as usize);
        if !self.plain || at > self.value.len() {
            return self.span;
        }
        let start = self.span.start as usize + at;
        Span::new(self.span.file, start, start + part.len())
    }

    pub(super) fn option(&self) -> String {
        format!("--{}", self.name)
    }

    pub(super) fn fault(&self, message: Say) -> Fault {
        fault(self.span, message)
    }

    /// The value cannot be read.
    pub(super) fn bad(&self) -> Fault {
        self.fault(say!(
            "iptables/bad-value",
            option = self.option(),
            value = self.value
        ))
    }
}

/// What stands around an option: the rule's header so far, and the words behind.
pub(super) struct Around<'r, 't> {
    pub header: &'r Header,
    pub words: &'r [Word<'t>],
    /// The next word to be read.
    pub next: &'r mut usize,
    /// The ids given so far as bits. Bits from 16 on are the extension's own to remember things by.
    pub seen: &'r mut u32,
    /// Of `-m name` or `-j NAME`.
    pub span: Span,
}

impl<'r, 't> Around<'r, 't> {
    /// A second value of an option that takes two, such as `--tcp-flags`.
    pub(super) fn second_value(&mut self, given: &Given) -> Result<&'r Word<'t>, Fault> {
        match self.words.get(*self.next) {
            Some(word) if !word.text.starts_with(['-', '!']) => {
                *self.next += 1;
                Ok(word)
            }
            _ => Err(given.fault(say!("iptables/needs-two-values", option = given.option()))),
        }
    }
}

/// How an extension is written. `T` is [`Match`] or [`Target`].
pub(super) struct Syntax<T: 'static> {
    pub name: &'static str,
    pub options: &'static [Opt],
    /// The extension without any option.
    pub start: fn(IpFamily, &Syntax<T>) -> T,
    /// Takes one option. Never called on what has become unsupported.
    pub option: fn(&mut T, &Given, &mut Around) -> Result<(), Fault>,
    /// Called when the rule's last word is read, with the ids that were given as bits.
    pub finish: fn(&mut T, u32, Span) -> Result<(), Fault>,
}

impl<T> Syntax<T> {
    pub(super) fn find(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|o| o.name == name)
    }

    fn named(&self, id: u8) -> &'static str {
        self.options
            .iter()
            .find(|o| o.id == id)
            .map_or("", |o| o.name)
    }

    /// Checks what options say of each other (`xtables_options_fcheck`).
    pub(super) fn check(&self, given: u32, span: Span) -> Result<(), Fault> {
        for opt in self.options {
            let own = 1u32 << opt.id;
            if given & own == 0 {
                if opt.mandatory {
                    return Err(fault(
                        span,
                        say!(
                            "iptables/option-missing",
                            name = self.name,
                            option = format!("--{}", opt.name)
                        ),
                    ));
                }
                continue;
            }
            let clash = opt.excludes & given & !own;
            if clash != 0 {
                let other = self.named(clash.trailing_zeros() as u8);
                return Err(fault(
                    span,
                    say!(
                        "iptables/options-exclude",
                        option = format!("--{}", opt.name),
                        other = format!("--{other}")
                    ),
                ));
            }
            let lacking = opt.needs & !given;
            if lacking != 0 {
                let other = self.named(lacking.trailing_zeros() as u8);
                return Err(fault(
                    span,
                    say!(
                        "iptables/option-needs",
                        option = format!("--{}", opt.name),
                        other = format!("--{other}")
                    ),
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn no_finish<T>(_: &mut T, _: u32, _: Span) -> Result<(), Fault> {
    Ok(())
}

/// For an extension that does nothing without one of its `options`.
pub(super) fn needs_one(
    given: u32,
    span: Span,
    name: &'static str,
    options: &'static str,
) -> Result<(), Fault> {
    if given == 0 {
        return Err(fault(
            span,
            say!("iptables/needs-an-option", name = name, options = options),
        ));
    }
    Ok(())
}

pub(super) fn no_option<T>(_: &mut T, given: &Given, _: &mut Around) -> Result<(), Fault> {
    Err(given.bad())
}

/// The matches that the model knows of both families, the most frequent first.
static MATCHES: &[&Syntax<Match>] = &[
    &comment::COMMENT,
    &tcp::TCP,
    &ports::UDP,
    &addrtype::ADDRTYPE,
    &conntrack::CONNTRACK,
    &statistic::STATISTIC,
    &mark::MATCH,
    &recent::RECENT,
    &set::SET,
    &multiport::MULTIPORT,
    &ports::SCTP,
    &conntrack::STATE_MATCH,
    &mark::CONNMARK_MATCH,
    &limit::LIMIT,
    &hashlimit::HASHLIMIT,
    &iprange::IPRANGE,
    &ip::LENGTH,
    &ip::TOS,
    &ip::DSCP,
    &owner::OWNER,
    &physdev::PHYSDEV,
    &link::PKTTYPE,
    &link::MAC,
    &socket::SOCKET,
    &rpfilter::RPFILTER,
    &policy::POLICY,
    &quota::QUOTA,
];

/// The targets of both families likewise, beside the standard ones.
static TARGETS: &[&Syntax<Target>] = &[
    &nat::DNAT,
    &mark::MARK,
    &nat::MASQUERADE,
    &nat::SNAT,
    &nat::REDIRECT,
    &nat::NETMAP,
    &mark::CONNMARK,
    &ct::CT,
    &ct::NOTRACK,
    &log::LOG,
    &log::NFLOG,
    &tproxy::TPROXY,
    &edit::TCPMSS,
    &set::SET_TARGET,
    &edit::TOS,
    &edit::DSCP,
    &edit::CHECKSUM,
    &edit::CLASSIFY,
    &edit::TRACE,
];

/// Those that one family alone has (`libipt_*` and `libip6t_*`).
fn own_matches(family: IpFamily) -> &'static [&'static Syntax<Match>] {
    static V4: [&Syntax<Match>; 2] = [&icmp::ICMP, &ip::TTL];
    static V6: [&Syntax<Match>; 2] = [&icmp::ICMP6, &ip::HL];
    match family {
        IpFamily::V4 => &V4,
        IpFamily::V6 => &V6,
    }
}

fn own_targets(family: IpFamily) -> &'static [&'static Syntax<Target>] {
    static V4: [&Syntax<Target>; 2] = [&reject::REJECT, &edit::TTL];
    static V6: [&Syntax<Target>; 2] = [&reject::REJECT6, &edit::HL];
    match family {
        IpFamily::V4 => &V4,
        IpFamily::V6 => &V6,
    }
}

/// The matches of a family that the model knows.
pub(super) fn modelled_matches(
    family: IpFamily,
) -> impl Iterator<Item = &'static Syntax<Match>> + use<> {
    MATCHES.iter().chain(own_matches(family)).copied()
}

pub(super) fn modelled_targets(
    family: IpFamily,
) -> impl Iterator<Item = &'static Syntax<Target>> + use<> {
    TARGETS.iter().chain(own_targets(family)).copied()
}

/// All matches that a family's tool has, those that the model knows first.
pub(super) fn matches(family: IpFamily) -> impl Iterator<Item = &'static Syntax<Match>> + use<> {
    let known = known::MATCHES.iter().chain(known::own_matches(family));
    modelled_matches(family).chain(known.copied())
}

/// All target extensions likewise.
pub(super) fn targets(family: IpFamily) -> impl Iterator<Item = &'static Syntax<Target>> + use<> {
    let known = known::TARGETS.iter().chain(known::own_targets(family));
    modelled_targets(family).chain(known.copied())
}

pub(super) fn match_named(family: IpFamily, name: &str) -> Option<&'static Syntax<Match>> {
    // libxtables takes each name of the protocol for the match (`xtables_find_match`).
    let name = match name {
        "icmpv6" | "ipv6-icmp" => "icmp6",
        name => name,
    };
    matches(family).find(|s| s.name == name)
}

pub(super) fn target_named(family: IpFamily, name: &str) -> Option<&'static Syntax<Target>> {
    targets(family).find(|s| s.name == name)
}

/// The names of all matches that iptables, or ip6tables, has, those that the model knows first.
pub fn match_names(family: IpFamily) -> impl Iterator<Item = &'static str> {
    matches(family).map(|s| s.name)
}

/// The names of all target extensions likewise.
pub fn target_names(family: IpFamily) -> impl Iterator<Item = &'static str> {
    targets(family).map(|s| s.name)
}

/// The options of a match or target, without their dashes.
pub fn option_names(
    family: IpFamily,
    extension: &str,
) -> impl Iterator<Item = &'static str> + use<> {
    let of_match = match_named(family, extension).map_or(&[][..], |s| s.options);
    let of_target = target_named(family, extension).map_or(&[][..], |s| s.options);
    of_match.iter().chain(of_target).map(|o| o.name)
}
