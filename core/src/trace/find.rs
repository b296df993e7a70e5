//! Steps found by what they are: `work001 nat KUBE-SEP-* dnat`.

use super::{Action, Field, HookVisit, Part, Role, RuleStep, Stage, Step, Trace};
use crate::netfilter::walk::{NatKind, StepAction, StepKind, TableRef, Verdict};
use crate::say;
use crate::text::Say;
use crate::topology::{Host, HostKind, World};

/// A step's place in its trace: journey, hop there, step there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepAt {
    pub journey: u32,
    pub hop: u32,
    pub step: u32,
}

/// What a step must be. Written as words in any order, each of which narrows it:
///
/// | word | the step is |
/// |---|---|
/// | `request` `reply` `error` `any` | of such a packet; without one, of a request |
/// | `client` `balancer` `router` `node` `pod` | on a machine of this kind |
/// | `sent` `arrived` `balanced` `bridged` `hook` `tracked` `rule` `translated` `confirmed` `routed` `checked` `resolved` `encapsulated` `decapsulated` `left` `delivered` `proxied` `dropped` `looped` | of this kind |
/// | `raw` `mangle` `nat` `filter` `security` `nft` | made in this table |
/// | `accept` `drop` `reject` `return` `jump` `dnat` `snat` `masquerade` `redirect` | a rule or policy that does this |
/// | `KUBE-SEP-*`, `chain:NAME` | in this chain: a word that starts with a capital letter |
/// | `KUBE-SERVICES>KUBE-FW-*` | a rule of the first chain that sends the packet to the second |
/// | `changes:FIELD` | one that changes this field |
/// | `dev:NAME` | at this interface or bridge |
/// | `stage:NAME` | Envoy's at this stage: `listener`, `filter-chain`, `tls`, `virtual-host`, `route`, `filter`, `cluster`, `endpoint`, `answer` |
/// | `nth:N` | the Nth of those, from 1 |
/// | any other | on the machine of this name |
///
/// A `*` in a name stands for any characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// As written.
    pub text: String,
    role: Option<Role>,
    any_role: bool,
    kind: Option<HostKind>,
    host: Option<String>,
    action: Option<&'static str>,
    table: Option<&'static str>,
    verdict: Option<&'static str>,
    chain: Option<String>,
    jump: Option<(String, String)>,
    changes: Vec<Field>,
    dev: Option<String>,
    stage: Option<Stage>,
    nth: u32,
}

const TABLES: [&str; 6] = ["raw", "mangle", "nat", "filter", "security", "nft"];
const VERDICTS: [&str; 9] = [
    "accept",
    "drop",
    "reject",
    "return",
    "jump",
    "dnat",
    "snat",
    "masquerade",
    "redirect",
];
const ACTIONS: [&str; 20] = [
    "sent",
    "arrived",
    "balanced",
    "bridged",
    "hook",
    "tracked",
    "rule",
    "nat-decided",
    "translated",
    "confirmed",
    "routed",
    "checked",
    "resolved",
    "encapsulated",
    "decapsulated",
    "left",
    "delivered",
    "proxied",
    "dropped",
    "looped",
];

pub(super) fn action_name(action: &Action) -> &'static str {
    match action {
        Action::Sent(_) => "sent",
        Action::Arrived => "arrived",
        Action::Balanced(_) => "balanced",
        Action::Bridged(_) => "bridged",
        Action::Hook(_) => "hook",
        Action::Tracked(_) => "tracked",
        Action::Rule(_) => "rule",
        Action::NatDecided(_) => "nat-decided",
        Action::Translated { .. } => "translated",
        Action::Confirmed(_) => "confirmed",
        Action::Routed(_) => "routed",
        Action::SourceChecked(_) => "checked",
        Action::TtlDecremented => "ttl",
        Action::Resolved(_) => "resolved",
        Action::Encapsulated { .. } => "encapsulated",
        Action::Decapsulated { .. } => "decapsulated",
        Action::Left(_) => "left",
        Action::Delivered(_) | Action::KernelTook => "delivered",
        Action::Proxied(_) => "proxied",
        Action::NothingListens | Action::Dropped(_) => "dropped",
        Action::Looped => "looped",
    }
}

fn among(word: &str, words: &[&'static str]) -> Option<&'static str> {
    words.iter().find(|w| **w == word).copied()
}

impl Query {
    /// Errors: a word after `changes:` that is no field, a number after `nth:` that is none, nothing at all.
    pub fn parse(text: &str) -> Result<Query, Say> {
        let mut query = Query {
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            nth: 1,
            ..Query::default()
        };
        if query.text.is_empty() {
            return Err(say!("query/empty"));
        }
        for word in text.split_whitespace() {
            query.word(word)?;
        }
        Ok(query)
    }

    fn word(&mut self, word: &str) -> Result<(), Say> {
        match word {
            "request" => self.role = Some(Role::Request),
            "reply" => self.role = Some(Role::Reply),
            "error" => self.role = Some(Role::Error),
            "any" => self.any_role = true,
            "client" => self.kind = Some(HostKind::Client),
            "balancer" => self.kind = Some(HostKind::LoadBalancer),
            "router" => self.kind = Some(HostKind::Router),
            "node" => self.kind = Some(HostKind::Node),
            "pod" => self.kind = Some(HostKind::Pod),
            _ => return self.name(word),
        }
        Ok(())
    }

    fn name(&mut self, word: &str) -> Result<(), Say> {
        if let Some(name) = among(word, &ACTIONS) {
            self.action = Some(name);
        } else if let Some(name) = among(word, &TABLES) {
            self.table = Some(name);
        } else if let Some(name) = among(word, &VERDICTS) {
            self.verdict = Some(name);
        } else if let Some(name) = word.strip_prefix("changes:") {
            let field = Field::from_name(name)
                .ok_or_else(|| say!("query/no-field", word = name, fields = field_names()))?;
            self.changes.push(field);
        } else if let Some(name) = word.strip_prefix("dev:") {
            self.dev = Some(name.to_string());
        } else if let Some(name) = word.strip_prefix("stage:") {
            let found = Stage::ALL.into_iter().find(|s| s.name() == name);
            self.stage = Some(found.ok_or_else(|| say!("query/no-stage", word = name))?);
        } else if let Some(name) = word.strip_prefix("chain:") {
            self.chain = Some(name.to_string());
        } else if let Some(number) = word.strip_prefix("nth:") {
            let number = number.parse().ok().filter(|n| *n > 0);
            self.nth = number.ok_or_else(|| say!("query/bad-nth", word = word))?;
        } else if let Some((from, to)) = word.split_once('>') {
            self.jump = Some((from.to_string(), to.to_string()));
        } else if word.starts_with(|c: char| c.is_ascii_uppercase()) {
            self.chain = Some(word.to_string());
        } else {
            self.host = Some(word.to_string());
        }
        Ok(())
    }

    /// The first step (or the one of `nth:`) that is as wanted.
    pub fn find(&self, world: &World, trace: &Trace) -> Option<StepAt> {
        let mut left = self.nth.max(1);
        for (j, journey) in (0..).zip(&trace.journeys) {
            let role = self.role.unwrap_or(Role::Request);
            if !self.any_role && journey.role != role {
                continue;
            }
            for (h, hop) in (0..).zip(&journey.hops) {
                let Some(host) = world.host(hop.host).filter(|host| self.is_on(host)) else {
                    continue;
                };
                for (s, step) in (0..).zip(&hop.steps) {
                    if !self.is(host, step) {
                        continue;
                    }
                    left -= 1;
                    if left == 0 {
                        return Some(StepAt {
                            journey: j,
                            hop: h,
                            step: s,
                        });
                    }
                }
            }
        }
        None
    }

    fn is_on(&self, host: &Host) -> bool {
        self.kind.is_none_or(|kind| host.kind == kind)
            && self
                .host
                .as_ref()
                .is_none_or(|name| alike(name, &host.name))
    }

    fn is(&self, host: &Host, step: &Step) -> bool {
        self.action
            .is_none_or(|name| action_name(&step.action) == name)
            && self
                .changes
                .iter()
                .all(|f| step.changes.iter().any(|c| c.field == *f))
            && self.dev.as_ref().is_none_or(|dev| match &step.part {
                Part::Interface(name) | Part::Bridge(name) => alike(dev, name.as_str()),
                _ => false,
            })
            && self.stage.is_none_or(|s| step.part == Part::Envoy(s))
            && self.is_ruled(host, step)
    }

    fn is_ruled(&self, host: &Host, step: &Step) -> bool {
        let asks = self.table.is_some() || self.verdict.is_some();
        if !asks && self.chain.is_none() && self.jump.is_none() {
            return true;
        }
        let rule = match &step.action {
            Action::Rule(rule) => rule,
            Action::Hook(HookVisit { hook, .. }) => {
                let named = self.chain.as_deref() == Some(hook.name());
                return named && !asks && self.jump.is_none() && self.action == Some("hook");
            }
            _ => return false,
        };
        let chain = |at: u32| chain_name(host, rule, at);
        let is = |at: u32, wanted: &str| chain(at).is_some_and(|name| alike(wanted, name));
        self.table.is_none_or(|name| table_name(rule) == name)
            && self.verdict.is_none_or(|name| does(rule, name))
            && self.chain.as_ref().is_none_or(|name| is(rule.at, name))
            && self.jump.as_ref().is_none_or(|(from, to)| {
                let goes = rule.step().is_some_and(|s| s.kind == StepKind::Rule);
                goes && is(rule.at, from) && is(rule.at.saturating_add(1), to)
            })
    }
}

fn table_name(rule: &RuleStep) -> &'static str {
    match rule.table() {
        TableRef::Iptables(_, name) => name.name(),
        TableRef::Nft(_) => "nft",
    }
}

/// The chain that a step of a rule's visit was made in.
pub(super) fn chain_name<'h>(host: &'h Host, rule: &RuleStep, at: u32) -> Option<&'h str> {
    let id = rule.visit.traversal.steps.get(at as usize)?.chain;
    Some(match rule.table() {
        TableRef::Iptables(family, name) => &host.iptables.table(family, name)?.chain(id)?.name,
        TableRef::Nft(table) => &host.nft.table(table)?.chain(id)?.name,
    })
}

fn does(rule: &RuleStep, wanted: &str) -> bool {
    let Some(step) = rule.step() else {
        return false;
    };
    let traversal = &rule.visit.traversal;
    let last = rule.at as usize + 1 == traversal.steps.len();
    let did = match (&traversal.verdict, step.action) {
        (Verdict::Nat(request), StepAction::Accept) if last => match request.kind {
            NatKind::Dnat => "dnat",
            NatKind::Snat => "snat",
            NatKind::Masquerade => "masquerade",
            NatKind::Redirect => "redirect",
            NatKind::Netmap => "netmap",
        },
        (Verdict::Reject(_), StepAction::Drop) if last => "reject",
        (_, StepAction::Accept) => "accept",
        (_, StepAction::Drop) => "drop",
        (_, StepAction::Return) => "return",
        (_, StepAction::Jump | StepAction::Goto) => "jump",
        _ => "",
    };
    did == wanted
}

fn field_names() -> String {
    Field::ALL.map(Field::name).join(", ")
}

impl Field {
    pub const ALL: [Field; 10] = [
        Field::Source,
        Field::SourcePort,
        Field::Destination,
        Field::DestinationPort,
        Field::Ttl,
        Field::Tos,
        Field::Mark,
        Field::InInterface,
        Field::OutInterface,
        Field::ConntrackState,
    ];

    /// As queries and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Field::Source => "source",
            Field::SourcePort => "source-port",
            Field::Destination => "destination",
            Field::DestinationPort => "destination-port",
            Field::Ttl => "ttl",
            Field::Tos => "tos",
            Field::Mark => "mark",
            Field::InInterface => "in",
            Field::OutInterface => "out",
            Field::ConntrackState => "ctstate",
        }
    }

    pub fn from_name(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|f| f.name() == name)
    }
}

/// Whether a name is as a pattern says, in which `*` stands for any characters.
pub fn alike(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(head) else {
        return false;
    };
    (0..=name.len()).any(|at| name.get(at..).is_some_and(|tail| alike(rest, tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(alike("KUBE-SEP-*", "KUBE-SEP-EW7YLHH65NRUVIFQ"));
        assert!(alike("*-gateway-*-9xnts", "istio-gateway-84b-9xnts"));
        assert!(alike("*", "") && alike("a", "a"));
        assert!(!alike("KUBE-SEP-*", "KUBE-SVC-X") && !alike("a", "ab"));
    }

    #[test]
    fn what_is_no_query_is_said() {
        let key = |text| Query::parse(text).map(|_| ()).map_err(|e| e.key);
        assert_eq!(key(" "), Err("query/empty"));
        assert_eq!(key("node changes:colour"), Err("query/no-field"));
        assert_eq!(key("nth:0"), Err("query/bad-nth"));
        assert_eq!(key("work001 nat KUBE-SEP-* dnat"), Ok(()));
    }
}
