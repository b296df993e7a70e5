//! A table as it is filled, and what each command does to it (`libiptc/libiptc.c`).

use super::finish::asked;
use super::names::Names;
use super::rule::{Action, Arg, Command, Jump};
use super::tables::leading_counters;
use crate::net::{IpFamily, Masked};
use crate::netfilter::syntax::{self, Fault, fault, names};
use crate::netfilter::{
    Chain, ChainId, Counters, Hook, Policy, Rule, Table, TableName, Target, print,
};
use crate::say;
use crate::text::Span;

/// A table as it is filled.
pub(super) struct Building {
    pub family: IpFamily,
    pub name: TableName,
    pub span: Span,
    pub chains: Vec<Chain>,
    pub names: Names,
    /// Chains that were deleted; they are taken out in the end.
    pub gone: Vec<bool>,
    /// The chain that rules are being appended to, and the rules. A dump has a chain's rules together.
    pub run: (u32, Vec<Rule>),
}

impl Building {
    /// An empty table: its built-in chains with their policies as they were in the table before.
    pub(super) fn new(
        family: IpFamily,
        name: TableName,
        before: Option<&Table>,
        span: Span,
    ) -> Self {
        let chains: Vec<_> = name
            .hooks()
            .iter()
            .map(|hook| {
                let before = before.and_then(|t| t.chains.iter().find(|c| &*c.name == hook.name()));
                Chain {
                    name: hook.name().into(),
                    policy: before.map_or(Some(Policy::Accept), |c| c.policy),
                    counters: Counters::default(),
                    rules: Vec::new(),
                    span,
                }
            })
            .collect();
        let mut names = Names::default();
        names.reset(&chains);
        Self {
            family,
            name,
            span,
            chains,
            names,
            gone: Vec::new(),
            run: (0, Vec::new()),
        }
    }

    /// The chain of that name; most often the one that rules are being appended to.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        let current = self.chains.get(self.run.0 as usize);
        if current.is_some_and(|c| &*c.name == name) {
            return Some(self.run.0);
        }
        self.names.find(name, &self.chains)
    }

    fn chain_mut(&mut self, id: u32) -> Option<&mut Chain> {
        self.chains.get_mut(id as usize)
    }

    /// `:NAME POLICY [packets:bytes]`.
    pub(super) fn chain_line(&mut self, line: &str, at: usize, span: Span) -> Result<(), Fault> {
        let fields = line.get(1..).unwrap_or("");
        let mut fields = (fields.split([' ', '\t'])).filter(|w| !w.is_empty());
        let Some(name) = fields.next() else {
            return Err(fault(span, say!("iptables/no-chain-name")));
        };
        let place = |word: &str| {
            let start = at + (word.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
            Span::new(span.file, start, start + word.len())
        };
        if name.len() > 28 {
            return Err(fault(
                place(name),
                say!("iptables/long-chain-name", name = name),
            ));
        }
        let id = match self.find(name) {
            Some(id)
                if self
                    .chains
                    .get(id as usize)
                    .is_some_and(|c| c.policy.is_some()) =>
            {
                id
            }
            Some(_) => {
                return Err(fault(
                    place(name),
                    say!("iptables/chain-exists", name = name),
                ));
            }
            None if is_verdict(name) => {
                return Err(fault(
                    place(name),
                    say!("iptables/chain-named-as-target", name = name),
                ));
            }
            None => self.add(name, span),
        };
        let Some(policy) = fields.next() else {
            return Err(fault(span, say!("iptables/no-policy", name = name)));
        };
        let counters = fields.next().and_then(|c| leading_counters(c, span).ok());
        if let Some(chain) = self.chain_mut(id) {
            chain.span = span;
            chain.counters = counters.map_or(Counters::default(), |(c, _)| c);
        }
        match policy {
            "-" => Ok(()),
            policy => self.set_policy(id, policy, place(policy)),
        }
    }

    fn set_policy(&mut self, id: u32, policy: &str, span: Span) -> Result<(), Fault> {
        let Some(chain) = self.chain_mut(id) else {
            return Ok(());
        };
        if chain.policy.is_none() {
            return Err(fault(
                span,
                say!("iptables/line-policy-of-user-chain", name = chain.name),
            ));
        }
        chain.policy = match policy {
            "ACCEPT" => Some(Policy::Accept),
            "DROP" => Some(Policy::Drop),
            _ => {
                return Err(fault(
                    span,
                    say!("iptables/line-bad-policy", policy = policy),
                ));
            }
        };
        Ok(())
    }

    fn add(&mut self, name: &str, span: Span) -> u32 {
        let id = self.chains.len() as u32;
        self.chains.push(Chain {
            name: name.into(),
            policy: None,
            counters: Counters::default(),
            rules: Vec::new(),
            span,
        });
        self.names.add(id, &self.chains);
        id
    }

    /// Puts the rules appended last where they belong.
    pub(super) fn settle(&mut self) {
        let (id, rules) = &mut self.run;
        if !rules.is_empty()
            && let Some(chain) = self.chains.get_mut(*id as usize)
        {
            chain.rules.reserve_exact(rules.len());
            chain.rules.append(rules);
        }
    }

    pub(super) fn apply(
        &mut self,
        command: Command,
        counters: Counters,
        span: Span,
        offers: bool,
    ) -> Result<(), Fault> {
        use Action::*;
        let Command {
            action,
            chain,
            second,
            header,
            matches,
            jump,
            sources,
            destinations,
            ..
        } = command;
        let target = match action {
            Append | Insert(_) | Replace(_) | Delete | Check => self.target(jump, offers)?,
            _ => Target::None,
        };
        let rule = Rule {
            header,
            matches,
            target,
            counters: command.counters.unwrap_or(counters),
            span,
        };
        if action != Append {
            self.settle();
        }
        match action {
            Append | Insert(_) | Replace(_) | Delete | DeleteNumber(_) | ZeroNumber(_) | Check => {
                let id = self.existing(chain, span, offers)?;
                self.change(id, action, rule, &sources, &destinations)
            }
            NewChain => self.new_chain(chain, span),
            DeleteChain => self.delete_chains(chain, span, offers),
            RenameChain => self.rename(chain, second, span, offers),
            Flush => {
                match chain {
                    Some(_) => {
                        let id = self.existing(chain, span, offers)?;
                        if let Some(chain) = self.chain_mut(id) {
                            chain.rules.clear();
                        }
                    }
                    None => self.chains.iter_mut().for_each(|c| c.rules.clear()),
                }
                Ok(())
            }
            Zero => {
                let only = match chain {
                    Some(_) => Some(self.existing(chain, span, offers)?),
                    None => None,
                };
                for (id, chain) in self.chains.iter_mut().enumerate() {
                    if only.is_none_or(|only| only as usize == id) {
                        chain.counters = Counters::default();
                        chain
                            .rules
                            .iter_mut()
                            .for_each(|r| r.counters = Counters::default());
                    }
                }
                Ok(())
            }
            Policy => {
                let id = self.existing(chain, span, offers)?;
                if let (Some(chain), Some(counters)) = (self.chain_mut(id), command.counters) {
                    chain.counters = counters;
                }
                match second {
                    Some(policy) => self.set_policy(id, policy.text, policy.span),
                    None => Ok(()),
                }
            }
            List => match chain {
                Some(_) => self.existing(chain, span, offers).map(|_| ()),
                None => Ok(()),
            },
        }
    }

    /// The chain that the command names.
    fn existing(&self, chain: Option<Arg>, span: Span, offers: bool) -> Result<u32, Fault> {
        let Some(chain) = chain else {
            return Err(fault(span, say!("iptables/no-chain-name")));
        };
        self.find(chain.text).ok_or_else(|| {
            let table = self.name;
            let mut bad = fault(
                chain.span,
                say!("iptables/line-no-chain", name = chain.text, table = table),
            );
            if Hook::ALL.iter().any(|h| h.name() == chain.text) {
                bad.help = Some(say!(
                    "iptables/hooks-of-table",
                    table = table,
                    chains = table
                        .hooks()
                        .iter()
                        .map(|h| h.name())
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            } else if offers {
                bad.help = names::nearest(chain.text, self.chains.iter().map(|c| &*c.name))
                    .or_else(|| Some(say!("iptables/declare-chain", name = chain.text)));
            }
            bad
        })
    }

    fn target(&self, jump: Jump, offers: bool) -> Result<Target, Fault> {
        let (arg, chain, goto) = match jump {
            Jump::Target(target) => return Ok(target),
            Jump::Chain(arg, chain) => (arg, chain, false),
            Jump::Goto(arg, chain) => (arg, chain, true),
        };
        let Some(id) = chain else {
            let mut bad = match goto {
                true => fault(arg.span, say!("iptables/goto-no-chain", name = arg.text)),
                false => fault(arg.span, say!("iptables/unknown-target", name = arg.text)),
            };
            if offers {
                let targets = syntax::targets(self.family).map(|s| s.name);
                let verdicts = ["ACCEPT", "DROP", "RETURN"].into_iter();
                let chains = self.chains.iter().map(|c| &*c.name);
                let all = chains.chain(targets.chain(verdicts).filter(|_| !goto));
                bad.help = names::nearest(arg.text, all)
                    .or_else(|| Some(say!("iptables/declare-chain", name = arg.text)));
            }
            return Err(bad);
        };
        let built_in = self
            .chains
            .get(id as usize)
            .is_some_and(|c| c.policy.is_some());
        match (built_in, goto) {
            (true, _) => Err(fault(
                arg.span,
                say!("iptables/line-jump-to-built-in", name = arg.text),
            )),
            (false, true) => Ok(Target::Goto(ChainId(id))),
            (false, false) => Ok(Target::Jump(ChainId(id))),
        }
    }

    /// Changes a chain by the rule, or by one for each pair of addresses.
    fn change(
        &mut self,
        id: u32,
        action: Action,
        rule: Rule,
        sources: &[Masked],
        destinations: &[Masked],
    ) -> Result<(), Fault> {
        if sources.is_empty() && destinations.is_empty() {
            return self.change_one(id, action, rule);
        }
        let sides = |all: &[Masked], own| match all {
            [] => vec![own],
            all => all.iter().map(|m| asked(*m, false)).collect(),
        };
        let (sources, destinations) = (
            sides(sources, rule.header.src),
            sides(destinations, rule.header.dst),
        );
        let mut result = Ok(());
        for src in &sources {
            for dst in &destinations {
                let mut rule = rule.clone();
                rule.header.src = *src;
                rule.header.dst = *dst;
                result = result.and(self.change_one(id, action, rule));
            }
        }
        result
    }

    fn change_one(&mut self, id: u32, action: Action, rule: Rule) -> Result<(), Fault> {
        if action == Action::Append {
            if self.run.0 != id {
                self.settle();
                self.run.0 = id;
            }
            self.run.1.push(rule);
            return Ok(());
        }
        let span = rule.span;
        let same = match action {
            Action::Delete | Action::Check => self.same(id, &rule),
            _ => None,
        };
        let Some(chain) = self.chain_mut(id) else {
            return Ok(());
        };
        let count = chain.rules.len();
        let no_rule = |number: u32| {
            fault(
                span,
                say!(
                    "iptables/line-no-rule-number",
                    number = number,
                    count = count
                ),
            )
        };
        match action {
            Action::Insert(number) if number as usize <= count + 1 => {
                chain.rules.insert(number as usize - 1, rule);
            }
            Action::Replace(number) => match chain.rules.get_mut(number as usize - 1) {
                Some(old) => *old = rule,
                None => return Err(no_rule(number)),
            },
            Action::DeleteNumber(number) if number as usize <= count => {
                chain.rules.remove(number as usize - 1);
            }
            Action::ZeroNumber(number) => match chain.rules.get_mut(number as usize - 1) {
                Some(rule) => rule.counters = Counters::default(),
                None => return Err(no_rule(number)),
            },
            Action::Insert(number) | Action::DeleteNumber(number) => return Err(no_rule(number)),
            _ => match same {
                Some(at) if action == Action::Delete => {
                    chain.rules.remove(at);
                }
                Some(_) => {}
                None => return Err(fault(span, say!("iptables/line-no-such-rule"))),
            },
        }
        Ok(())
    }

    /// The place of the first rule that says the same.
    fn same(&self, id: u32, rule: &Rule) -> Option<usize> {
        let chain = self.chains.get(id as usize)?;
        let words = |rule: &Rule| {
            let mut words = String::new();
            rule.matches
                .iter()
                .for_each(|m| print::match_words(m, &mut words));
            if let Target::Unsupported(kept) = &rule.target {
                words.push_str(&kept.text);
            }
            words
        };
        let wanted = words(rule);
        chain.rules.iter().position(|other| {
            let targets = other.target == rule.target
                || matches!(
                    (&other.target, &rule.target),
                    (Target::Unsupported(_), Target::Unsupported(_))
                );
            other.header == rule.header && targets && words(other) == wanted
        })
    }

    fn new_chain(&mut self, chain: Option<Arg>, span: Span) -> Result<(), Fault> {
        let Some(chain) = chain else {
            return Err(fault(span, say!("iptables/no-chain-name")));
        };
        if self.find(chain.text).is_some() {
            return Err(fault(
                chain.span,
                say!("iptables/line-chain-exists", name = chain.text),
            ));
        }
        self.add(chain.text, span);
        Ok(())
    }

    fn delete_chains(&mut self, chain: Option<Arg>, span: Span, offers: bool) -> Result<(), Fault> {
        let ids: Vec<u32> = match chain {
            Some(_) => vec![self.existing(chain, span, offers)?],
            None => (0..self.chains.len() as u32)
                .filter(|id| {
                    self.chains
                        .get(*id as usize)
                        .is_some_and(|c| c.policy.is_none() && !c.name.is_empty())
                })
                .collect(),
        };
        let mut referred = vec![false; self.chains.len()];
        for rule in self.chains.iter().flat_map(|c| &c.rules) {
            if let Target::Jump(to) | Target::Goto(to) = rule.target
                && let Some(referred) = referred.get_mut(to.0 as usize)
            {
                *referred = true;
            }
        }
        for id in ids {
            let referred = referred.get(id as usize).is_some_and(|r| *r);
            let Some(chain) = self.chain_mut(id) else {
                continue;
            };
            let name = &chain.name;
            if chain.policy.is_some() {
                return Err(fault(span, say!("iptables/line-built-in", name = name)));
            }
            if referred || !chain.rules.is_empty() {
                return Err(fault(span, say!("iptables/line-chain-in-use", name = name)));
            }
            chain.name = "".into();
            self.gone.resize(self.chains.len(), false);
            if let Some(gone) = self.gone.get_mut(id as usize) {
                *gone = true;
            }
        }
        Ok(())
    }

    fn rename(
        &mut self,
        chain: Option<Arg>,
        name: Option<Arg>,
        span: Span,
        offers: bool,
    ) -> Result<(), Fault> {
        let id = self.existing(chain, span, offers)?;
        let Some(name) = name else { return Ok(()) };
        if name.text.len() > 28 {
            return Err(fault(
                name.span,
                say!("iptables/line-long-chain-name", name = name.text),
            ));
        }
        if self.find(name.text).is_some() || is_verdict(name.text) {
            return Err(fault(
                name.span,
                say!("iptables/line-chain-exists", name = name.text),
            ));
        }
        let Some(chain) = self.chain_mut(id) else {
            return Ok(());
        };
        if chain.policy.is_some() {
            return Err(fault(
                span,
                say!("iptables/line-built-in", name = chain.name),
            ));
        }
        chain.name = name.text.into();
        self.names.reset(&self.chains);
        Ok(())
    }

    pub(super) fn done(mut self, end: Span) -> Table {
        self.settle();
        self.gone.resize(self.chains.len(), false);
        if self.gone.contains(&true) {
            self.close_gaps();
        }
        self.chains.shrink_to_fit();
        Table {
            family: self.family,
            name: self.name,
            chains: self.chains,
            span: self.span.to(end),
        }
    }

    /// Takes deleted chains out; the jumps to the others follow them to their new places.
    fn close_gaps(&mut self) {
        let mut place = 0;
        let places: Vec<u32> = (self.gone.iter())
            .map(|gone| {
                let own = place;
                place += u32::from(!gone);
                own
            })
            .collect();
        let mut gone = self.gone.iter();
        self.chains.retain(|_| gone.next() != Some(&true));
        for rule in self.chains.iter_mut().flat_map(|c| &mut c.rules) {
            if let Target::Jump(to) | Target::Goto(to) = &mut rule.target {
                to.0 = places.get(to.0 as usize).copied().unwrap_or(0);
            }
        }
    }
}

fn is_verdict(name: &str) -> bool {
    matches!(name, "ACCEPT" | "DROP" | "QUEUE" | "RETURN")
}
