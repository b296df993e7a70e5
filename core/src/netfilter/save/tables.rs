//! The lines of `iptables-restore` input, and what its commands do to the tables (`iptables/iptables-restore.c`,
//! `libiptc/libiptc.c`).

use super::commit;
use super::names::Names;
use super::rule::{Action, Arg, Command, Jump, Parser, asked};
use super::words;
use crate::net::Masked;
use crate::netfilter::syntax::{self, Fault, Word, fault, known, names};
use crate::netfilter::{
    Chain, ChainId, Counters, Hook, Policy, Rule, Ruleset, Table, TableName, Target, print,
};
use crate::say;
use crate::text::{Diagnostic, FileId, Span};

/// So many diagnostics are kept; a file with more has one cause for most of them.
const MOST_DIAGNOSTICS: usize = 1000;
/// Names are compared for "did you mean" as long as there are few faults.
const MOST_OFFERS: usize = 40;
/// The most rules that one line makes by lists of addresses, and that all make together.
const MOST_EXPANDED: usize = 10_000;
const MOST_EXPANDED_TOGETHER: usize = 1_000_000;

pub(super) struct Reader<'t> {
    text: &'t str,
    file: FileId,
    tables: Vec<Table>,
    diagnostics: Vec<Diagnostic>,
    unsaid: usize,
    table: State,
    parser: Parser,
    expanded: usize,
    carriage_returns: bool,
}

enum State {
    Outside,
    Inside(Box<Building>),
    /// In a table that iptables has not; what stands in it is not read.
    Unknown,
}

/// A table as it is filled.
struct Building {
    name: TableName,
    span: Span,
    chains: Vec<Chain>,
    names: Names,
    /// Chains that were deleted; they are taken out in the end.
    gone: Vec<bool>,
    /// The chain that rules are being appended to, and the rules. A dump has a chain's rules together.
    run: (u32, Vec<Rule>),
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: FileId) -> Self {
        Self {
            text,
            file,
            tables: Vec::new(),
            diagnostics: Vec::new(),
            unsaid: 0,
            table: State::Outside,
            parser: Parser::default(),
            expanded: 0,
            carriage_returns: false,
        }
    }

    pub(super) fn done(mut self) -> (Ruleset, Vec<Diagnostic>) {
        if self.unsaid > 0 {
            let end = Span::new(self.file, self.text.len(), self.text.len());
            let count = self.unsaid;
            self.diagnostics.push(Diagnostic::note(
                end,
                say!("iptables/and-more", count = count),
            ));
        }
        self.diagnostics.sort_by_key(|d| d.span.start);
        let ruleset = Ruleset {
            tables: self.tables,
        };
        (ruleset, self.diagnostics)
    }

    /// Reads all lines, as commands of one table where it is given or there is no line `*table`.
    pub(super) fn read(&mut self, table: Option<TableName>) {
        let commands = table.or_else(|| table_of_commands(self.text));
        if let Some(name) = commands {
            self.begin(name, Span::new(self.file, 0, 0));
        }
        let mut words = Vec::new();
        let mut at = 0;
        while let Some(rest) = self.text.get(at..).filter(|r| !r.is_empty()) {
            let (line, closed) = match rest.split_once('\n') {
                Some((line, _)) => (line, true),
                None => (rest, false),
            };
            self.line(line, closed, at, commands.is_some(), &mut words);
            at += line.len() + usize::from(closed);
        }
        let end = Span::new(self.file, self.text.len(), self.text.len());
        if let State::Inside(building) = &self.table
            && commands.is_none()
        {
            let table = building.name;
            self.say(fault(end, say!("iptables/line-no-commit", table = table)));
        }
        self.commit(end);
    }

    fn line(
        &mut self,
        line: &'t str,
        closed: bool,
        at: usize,
        commands: bool,
        words: &mut Vec<Word<'t>>,
    ) {
        let (line, returned) = match line.strip_suffix('\r') {
            Some(line) => (line, true),
            None => (line, false),
        };
        let span = Span::new(self.file, at, at + line.len());
        if returned && !self.carriage_returns {
            self.carriage_returns = true;
            let end = Span::new(self.file, at + line.len(), at + line.len() + 1);
            self.say(fault(end, say!("iptables/carriage-return")));
        }
        let result = match (line.as_bytes().first(), &mut self.table) {
            (None | Some(b'#'), _) => Ok(()),
            (Some(b'*'), State::Outside) => self.table_line(line, span),
            (_, State::Outside) => Err(fault(span, say!("iptables/line-outside"))),
            _ if line == "COMMIT" => {
                self.commit(span);
                match closed {
                    true => Ok(()),
                    false => Err(fault(span, say!("iptables/unfinished-commit"))),
                }
            }
            (_, State::Unknown) => Ok(()),
            (Some(b':'), State::Inside(building)) if !commands => {
                building.chain_line(line, at, span)
            }
            (_, State::Inside(_)) => self.command_line(line, closed, at, span, words),
        };
        if let Err(bad) = result {
            self.say(bad);
        }
    }

    fn say(&mut self, fault: Fault) {
        if self.diagnostics.len() < MOST_DIAGNOSTICS {
            self.diagnostics.push(*fault);
        } else {
            self.unsaid += 1;
        }
    }

    fn table_line(&mut self, line: &str, span: Span) -> Result<(), Fault> {
        let name = line
            .get(1..)
            .unwrap_or("")
            .split([' ', '\t'])
            .find(|w| !w.is_empty());
        self.table = State::Unknown;
        let Some(name) = name else {
            return Err(fault(span, say!("iptables/no-table-name")));
        };
        match TableName::from_name(name) {
            Some(name) => {
                self.begin(name, span);
                Ok(())
            }
            None => {
                let mut bad = fault(span, say!("iptables/unknown-table", name = name));
                bad.help = names::nearest(name, TableName::ALL.iter().map(|t| t.name()));
                Err(bad)
            }
        }
    }

    /// Begins a table: empty, with its built-in chains and their policies as they were.
    fn begin(&mut self, name: TableName, span: Span) {
        let before = self.tables.iter().find(|t| t.name == name);
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
        self.table = State::Inside(Box::new(Building {
            name,
            span,
            chains,
            names,
            gone: Vec::new(),
            run: (0, Vec::new()),
        }));
    }

    /// Ends the table, and says what the kernel would not take.
    fn commit(&mut self, span: Span) {
        if let State::Inside(building) = std::mem::replace(&mut self.table, State::Outside) {
            let table = building.done(span);
            for fault in commit::check(&table) {
                self.say(Box::new(fault));
            }
            match self.tables.iter_mut().find(|t| t.name == table.name) {
                Some(before) => *before = table,
                None => self.tables.push(table),
            }
        }
    }

    fn command_line(
        &mut self,
        line: &'t str,
        closed: bool,
        at: usize,
        span: Span,
        words: &mut Vec<Word<'t>>,
    ) -> Result<(), Fault> {
        let State::Inside(building) = &mut self.table else {
            return Ok(());
        };
        let (counters, skip) = leading_counters(line, span)?;
        let rest = line.get(skip..).unwrap_or("");
        words::split(rest, closed, at + skip, self.file, words)?;
        let is_chain = |name: &str| building.names.find(name, &building.chains).is_some();
        let mut notes = Vec::new();
        let command = self
            .parser
            .parse(words, building.name, &is_chain, &mut notes)
            .map_err(|mut bad| {
                if bad.span == Span::default() {
                    bad.span = span;
                }
                bad
            })?;
        let Some(command) = command else {
            return Ok(());
        };
        let offers = self.diagnostics.len() < MOST_OFFERS;
        let count = command.sources.len().max(1) * command.destinations.len().max(1);
        if count > 1 {
            self.expanded = self.expanded.saturating_add(count);
            if count > MOST_EXPANDED || self.expanded > MOST_EXPANDED_TOGETHER {
                return Err(fault(span, say!("iptables/many-addresses", count = count)));
            }
        }
        let last = words.last().map_or(span, |w| w.span);
        building.apply(command, counters, span.to(last), offers)?;
        for note in notes {
            self.say(Box::new(note));
        }
        Ok(())
    }
}

/// The table whose `iptables -S` this is, if it is that: text that begins with a command and has no line `*table`. Tables
/// are told apart by their built-in chains.
fn table_of_commands(text: &str) -> Option<TableName> {
    let first = text
        .lines()
        .find(|l| !l.is_empty() && !l.starts_with('#'))?;
    if !first.starts_with('-') || text.lines().any(|l| l.starts_with('*')) {
        return None;
    }
    let mut seen: Vec<Hook> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        if let (Some("-P" | "-A" | "-I"), Some(chain)) = (words.next(), words.next())
            && let Some(hook) = Hook::ALL.iter().find(|h| h.name() == chain)
            && !seen.contains(hook)
        {
            seen.push(*hook);
        }
    }
    let likely = [
        TableName::Filter,
        TableName::Nat,
        TableName::Mangle,
        TableName::Raw,
    ];
    let has_all = |t: &TableName| seen.iter().all(|h| t.hooks().contains(h));
    let exact = likely
        .iter()
        .find(|t| has_all(t) && t.hooks().len() == seen.len());
    exact
        .or_else(|| likely.iter().find(|t| has_all(t)))
        .copied()
}

/// `[packets:bytes]` before a rule, and how many bytes it takes.
fn leading_counters(line: &str, span: Span) -> Result<(Counters, usize), Fault> {
    if !line.starts_with('[') {
        return Ok((Counters::default(), 0));
    }
    let end = line.find(']');
    let inside = end.and_then(|end| line.get(1..end)?.split_once(':'));
    match (end, inside) {
        (Some(end), Some((packets, bytes))) => {
            let counters = Counters {
                packets: packets.parse().unwrap_or(0),
                bytes: bytes.parse().unwrap_or(0),
            };
            Ok((counters, end + 1))
        }
        _ => Err(fault(span, say!("iptables/bad-counters"))),
    }
}

impl Building {
    fn find(&self, name: &str) -> Option<u32> {
        self.names.find(name, &self.chains)
    }

    fn chain_mut(&mut self, id: u32) -> Option<&mut Chain> {
        self.chains.get_mut(id as usize)
    }

    /// `:NAME POLICY [packets:bytes]`.
    fn chain_line(&mut self, line: &str, at: usize, span: Span) -> Result<(), Fault> {
        let mut fields = line
            .get(1..)
            .unwrap_or("")
            .split([' ', '\t'])
            .filter(|w| !w.is_empty());
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
    fn settle(&mut self) {
        let (id, rules) = &mut self.run;
        if !rules.is_empty()
            && let Some(chain) = self.chains.get_mut(*id as usize)
        {
            chain.rules.reserve_exact(rules.len());
            chain.rules.append(rules);
        }
    }

    fn apply(
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
            List => Ok(()),
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
        let (arg, goto) = match jump {
            Jump::Target(target) => return Ok(target),
            Jump::Chain(arg) => (arg, false),
            Jump::Goto(arg) => (arg, true),
        };
        let Some(id) = self.find(arg.text) else {
            let mut bad = match goto {
                true => fault(arg.span, say!("iptables/goto-no-chain", name = arg.text)),
                false => fault(arg.span, say!("iptables/unknown-target", name = arg.text)),
            };
            if offers {
                let targets = (syntax::TARGETS.iter().chain(known::TARGETS)).map(|s| s.name);
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

    fn done(mut self: Box<Self>, end: Span) -> Table {
        self.settle();
        self.gone.resize(self.chains.len(), false);
        if self.gone.contains(&true) {
            self.close_gaps();
        }
        self.chains.shrink_to_fit();
        Table {
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
