//! Tables written as blocks, and their chains, sets and maps.

use super::cursor::{Parse, wrong};
use super::lex::{Kind, Token};
use super::{Draft, Reader};
use crate::netfilter::nft::{Base, BaseKind, Chain, Family, Set, Table};
use crate::netfilter::{ChainId, Hook, Policy};
use crate::say;
use crate::text::{Diagnostic, Span};

/// Names in a block, found before anything in it is read.
enum Item {
    Chain(ChainId, usize),
    /// Name, where its body begins, and whether it is a map.
    Set(Box<str>, usize, bool, Span),
}

impl Reader<'_> {
    /// Makes a table, or goes on in it.
    pub(super) fn open_table(&mut self, family: Family, name: &str, span: Span) {
        let known = self
            .tables
            .iter()
            .position(|d| !d.deleted && d.table.family == family && &*d.table.name == name);
        self.here = known.unwrap_or(self.tables.len());
        self.family = family;
        if known.is_none() {
            self.tables.push(Draft::new(Table {
                family,
                name: name.into(),
                dormant: false,
                of_iptables: self.is_of_iptables(span),
                comment: None,
                sets: Vec::new(),
                chains: Vec::new(),
                objects: Vec::new(),
                span,
            }));
        }
    }

    /// Whether the line above says so (nftables `src/cache.c`, `src/rule.c`, `table_print`).
    fn is_of_iptables(&self, table: Span) -> bool {
        let before = self.text.get(..table.start as usize).unwrap_or("");
        let mut lines = before.rsplit('\n').skip(1);
        lines.next().is_some_and(|line| {
            line.starts_with("# Warning: table ") && line.contains(" is managed by iptables-nft")
        })
    }

    /// `{ … }` of a table, the brace already read: first what it declares, then sets, then chains.
    pub(super) async fn table_body(&mut self) {
        let mut items = Vec::new();
        loop {
            self.cursor.skip_ends();
            if self.cursor.eat_sign("}") {
                break;
            }
            if self.cursor.done() {
                let span = self.cursor.peek().span;
                self.say(Diagnostic::error(
                    span,
                    say!("nft/ends-early", wanted = "}"),
                ));
                break;
            }
            self.pace.went(32).await;
            match self.table_item() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => {}
                Err(fault) => {
                    self.fault(fault);
                    // Always goes on, also where the text stands on a brace.
                    let stuck = self.cursor.at;
                    self.cursor.skip_statement();
                    if self.cursor.at == stuck && !self.cursor.is_sign("}") {
                        self.cursor.at += 1;
                    }
                }
            }
        }
        let after = self.cursor.at;
        for item in &items {
            if let Item::Set(name, body, is_map, span) = item {
                self.cursor.at = *body;
                self.make_set(name, *is_map, *span).await;
            }
        }
        for rules in [false, true] {
            for item in &items {
                if let Item::Chain(chain, body) = item {
                    self.cursor.at = *body;
                    self.chain_body(*chain, rules).await;
                }
            }
        }
        self.cursor.at = after;
    }

    fn table_item(&mut self) -> Parse<Option<Item>> {
        let word = self.cursor.name("chain, set, map …")?;
        match word.text {
            "chain" | "set" | "map" => {
                let name = self.cursor.name("a name")?;
                let span = word.span.to(name.span);
                self.cursor.skip_ends();
                self.cursor.sign("{")?;
                let body = self.cursor.at;
                let item = if word.text == "chain" {
                    Item::Chain(self.declare_chain(name.text, span), body)
                } else {
                    Item::Set(name.text.into(), body, word.text == "map", span)
                };
                self.skip_body();
                Ok(Some(item))
            }
            "flags" => {
                self.table_flags()?;
                Ok(None)
            }
            "comment" => {
                let comment = self.cursor.quoted()?;
                if let Some(draft) = self.tables.get_mut(self.here) {
                    draft.table.comment = Some(comment);
                }
                Ok(None)
            }
            "counter" | "quota" | "limit" | "ct" | "synproxy" => {
                self.declare_object(&word)?;
                Ok(None)
            }
            "flowtable" | "secmark" | "meter" => {
                while !self.cursor.is_sign("{") && self.cursor.peek().kind != Kind::End {
                    self.cursor.at += 1;
                }
                if self.cursor.eat_sign("{") {
                    self.skip_body();
                }
                self.say(Diagnostic::warning(
                    word.span,
                    say!("nft/object-not-modelled", kind = word.text),
                ));
                Ok(None)
            }
            _ => wrong(
                word.span,
                say!(
                    "nft/unexpected",
                    text = word.text,
                    wanted = "chain, set, map, counter"
                ),
            ),
        }
    }

    /// `flags dormant, owner, persist`: whose process ends takes a table with `owner` along, which no text tells.
    fn table_flags(&mut self) -> Parse<()> {
        loop {
            let flag = self.cursor.name("dormant, owner or persist")?;
            let Some(draft) = self.tables.get_mut(self.here) else {
                return Ok(());
            };
            match flag.text {
                "dormant" => draft.table.dormant = true,
                "owner" | "persist" => {}
                _ => return wrong(flag.span, say!("nft/unknown-flag", flag = flag.text)),
            }
            if !self.cursor.eat_sign(",") {
                return Ok(());
            }
        }
    }

    /// Goes behind the `}` of a block whose `{` was read.
    pub(super) fn skip_body(&mut self) {
        let mut depth = 1_u32;
        while depth > 0 && !self.cursor.done() {
            let token = self.cursor.next();
            match (token.kind, token.text) {
                (Kind::Sign, "{") => depth += 1,
                (Kind::Sign, "}") => depth -= 1,
                _ => {}
            }
        }
    }

    pub(super) fn declare_chain(&mut self, name: &str, span: Span) -> ChainId {
        let Some(draft) = self.tables.get_mut(self.here) else {
            return ChainId(0);
        };
        if let Some(known) = draft.chains.get(name) {
            return *known;
        }
        let id = ChainId(draft.table.chains.len() as u32);
        draft.table.chains.push(Chain {
            name: name.into(),
            base: None,
            comment: None,
            rules: Vec::new(),
            span,
        });
        draft.chains.insert(name.into(), id);
        id
    }

    pub(super) fn chain_mut(&mut self, id: ChainId) -> Option<&mut Chain> {
        self.tables
            .get_mut(self.here)?
            .table
            .chains
            .get_mut(id.0 as usize)
    }

    /// A chain's lines up to its `}`: either what it is, or its rules.
    async fn chain_body(&mut self, chain: ChainId, rules: bool) {
        loop {
            self.cursor.skip_ends();
            if self.cursor.done() || self.cursor.eat_sign("}") {
                return;
            }
            let is_property = matches!(
                self.cursor.peek(),
                Token {
                    kind: Kind::Word,
                    text: "type" | "policy" | "comment" | "flags" | "devices",
                    ..
                }
            );
            if is_property == rules {
                self.cursor.skip_statement();
                continue;
            }
            if !rules {
                self.chain_property(chain);
                continue;
            }
            if let Some(rule) = self.rule()
                && let Some(chain) = self.chain_mut(chain)
            {
                let length = rule.span.range().len();
                chain.rules.push(rule);
                self.pace.read(length).await;
            }
        }
    }

    /// `type … hook …`, `policy …`, `comment …`: true where one was there.
    pub(super) fn chain_property(&mut self, chain: ChainId) -> bool {
        let word = self.cursor.peek().clone();
        let read = match word.text {
            "type" if word.kind == Kind::Word => self.base(chain),
            "policy" if word.kind == Kind::Word => self.policy(chain),
            "comment" if word.kind == Kind::Word => {
                self.cursor.at += 1;
                let comment = self.cursor.quoted();
                comment.map(|comment| {
                    if let Some(chain) = self.chain_mut(chain) {
                        chain.comment = Some(comment);
                    }
                })
            }
            "flags" | "devices" if word.kind == Kind::Word => {
                self.say(Diagnostic::warning(
                    word.span,
                    say!("nft/not-modelled", name = word.text),
                ));
                self.cursor.skip_statement();
                Ok(())
            }
            _ => return false,
        };
        if let Err(fault) = read {
            self.fault(fault);
            self.cursor.skip_statement();
        }
        true
    }

    fn base(&mut self, chain: ChainId) -> Parse<()> {
        self.cursor.at += 1;
        let kind = self.cursor.name("filter, nat or route")?;
        self.cursor.word("hook")?;
        let hook = self.cursor.name("a hook")?;
        if self.cursor.is_word("device") {
            self.cursor.skip_statement();
        }
        let at = match hook.text {
            "prerouting" => Hook::Prerouting,
            "input" => Hook::Input,
            "forward" => Hook::Forward,
            "output" => Hook::Output,
            "postrouting" => Hook::Postrouting,
            "ingress" | "egress" => return super::cursor::not_modelled(&hook),
            _ => return wrong(hook.span, say!("nft/unknown-hook", name = hook.text)),
        };
        let base_kind = match kind.text {
            "filter" => BaseKind::Filter,
            "nat" if at != Hook::Forward => BaseKind::Nat,
            "route" if at == Hook::Output => BaseKind::Route,
            "nat" | "route" => {
                return wrong(
                    hook.span,
                    say!("nft/hook-of-type", kind = kind.text, hook = hook.text),
                );
            }
            _ => return wrong(kind.span, say!("nft/unknown-chain-type", name = kind.text)),
        };
        self.cursor.word("priority")?;
        let span = self.cursor.peek().span;
        let priority = self.priority(at)?;
        if base_kind == BaseKind::Nat && priority <= -200 {
            return wrong(span, say!("nft/nat-priority"));
        }
        let order = self.order;
        self.order += 1;
        if let Some(chain) = self.chain_mut(chain) {
            let kept = chain.base.map_or(order, |b| b.order);
            let policy = chain.base.map_or(Policy::Accept, |b| b.policy);
            chain.base = Some(Base {
                kind: base_kind,
                hook: at,
                priority,
                policy,
                order: kept,
            });
        }
        Ok(())
    }

    fn policy(&mut self, chain: ChainId) -> Parse<()> {
        self.cursor.at += 1;
        let word = self.cursor.name("accept or drop")?;
        let policy = match word.text {
            "accept" => Policy::Accept,
            "drop" => Policy::Drop,
            _ => {
                return wrong(
                    word.span,
                    say!("nft/unexpected", text = word.text, wanted = "accept, drop"),
                );
            }
        };
        match self.chain_mut(chain).and_then(|c| c.base.as_mut()) {
            Some(base) => base.policy = policy,
            None => return wrong(word.span, say!("nft/policy-of-regular")),
        }
        Ok(())
    }

    /// A number, or a name and how far from it.
    fn priority(&mut self, hook: Hook) -> Parse<i32> {
        let number = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
        if self.cursor.eat_sign("-") {
            return Ok(-number(self.cursor.number(i32::MAX as u64)?));
        }
        if let Kind::Number(n) = self.cursor.peek().kind {
            self.cursor.at += 1;
            return Ok(number(n));
        }
        let name = self.cursor.name("a priority")?;
        // Later releases of nft take these for the host's own packets too.
        let opposite = match hook {
            Hook::Output => Hook::Prerouting,
            Hook::Input => Hook::Postrouting,
            other => other,
        };
        let Some((_, base, _)) = PRIORITIES.iter().find(|(n, _, only)| {
            *n == name.text && only.is_none_or(|h| h == hook || h == opposite)
        }) else {
            return wrong(
                name.span,
                say!(
                    "nft/unknown-priority",
                    name = name.text,
                    hook = hook.name().to_lowercase()
                ),
            );
        };
        let sign = if self.cursor.eat_sign("+") {
            1
        } else if self.cursor.eat_sign("-") {
            -1
        } else {
            return Ok(*base);
        };
        let offset = number(self.cursor.number(i32::MAX as u64)?);
        Ok(base.saturating_add(offset.saturating_mul(sign)))
    }

    /// Reads a set or map whose `{` was read, and makes it.
    pub(super) async fn make_set(&mut self, name: &str, is_map: bool, span: Span) {
        let start = self.cursor.at;
        let mut set = Set::new(name, Vec::new(), None);
        set.span = span;
        if let Err(fault) = self.set_body(&mut set, is_map).await {
            self.fault(fault);
            self.cursor.at = start;
            self.skip_body();
        }
        if set.key.is_empty() {
            self.say(Diagnostic::error(
                span,
                say!("nft/set-without-type", name = name),
            ));
            return;
        }
        let Some(draft) = self.tables.get_mut(self.here) else {
            return;
        };
        let problems = match draft
            .sets
            .get(name)
            .and_then(|id| draft.table.sets.get_mut(id.0 as usize))
        {
            Some(known) => {
                known.elements.append(&mut set.elements);
                known.check()
            }
            None => {
                let id = super::SetId(draft.table.sets.len() as u32);
                draft.sets.insert(name.into(), id);
                let problems = set.check();
                draft.table.sets.push(set);
                problems
            }
        };
        self.diagnostics.extend(problems);
    }
}

/// Names of priorities, and the one hook that has them, where it is one (nftables `src/rule.c`, `std_prio_lookup`).
pub(in crate::netfilter::nft) const PRIORITIES: [(&str, i32, Option<Hook>); 6] = [
    ("raw", -300, None),
    ("mangle", -150, None),
    ("dstnat", -100, Some(Hook::Prerouting)),
    ("filter", 0, None),
    ("security", 50, None),
    ("srcnat", 100, Some(Hook::Postrouting)),
];
