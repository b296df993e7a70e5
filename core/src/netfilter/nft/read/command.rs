//! Commands: `table … { }`, `add`, `delete`, `flush`.

use super::Reader;
use super::cursor::{Parse, not_modelled, wrong};
use super::lex::Kind;
use crate::netfilter::ChainId;
use crate::netfilter::nft::{Family, SetId, UpdateOp};
use crate::say;
use crate::text::Diagnostic;

impl Reader<'_> {
    pub(super) async fn commands(&mut self) {
        loop {
            self.cursor.skip_ends();
            if self.cursor.done() {
                return;
            }
            let start = self.cursor.at;
            if let Err(fault) = self.command().await {
                self.fault(fault);
                self.cursor.skip_statement();
            } else if self.cursor.peek().kind != Kind::End {
                let token = self.cursor.peek().clone();
                self.say(Diagnostic::error(
                    token.span,
                    say!("nft/unexpected", text = token.text, wanted = "newline, ;"),
                ));
                self.cursor.skip_statement();
            }
            // A stray brace is neither read nor skipped.
            if self.cursor.is_sign("}") {
                self.cursor.at += 1;
            }
            self.cursor.at = self.cursor.at.max(start + 1);
            self.pace.went(32).await;
        }
    }

    async fn command(&mut self) -> Parse<()> {
        let start = self.cursor.at;
        let word = self.cursor.name("a command")?;
        match word.text {
            "table" => {
                self.cursor.at = start;
                self.add(false).await
            }
            "add" | "create" => self.add(false).await,
            "insert" => self.add(true).await,
            "delete" | "destroy" => self.delete().await,
            "flush" => self.flush(),
            "include" => wrong(word.span, say!("nft/include")),
            "list" | "replace" | "rename" | "reset" | "monitor" | "export" | "import"
            | "describe" | "undefine" => not_modelled(&word),
            // `add` may be left out.
            "chain" | "set" | "map" | "element" | "rule" => {
                self.cursor.at = start;
                self.add(false).await
            }
            _ => wrong(word.span, say!("nft/unknown-command", name = word.text)),
        }
    }

    fn family_word(&mut self) -> Family {
        let found = Family::ALL
            .into_iter()
            .find(|f| self.cursor.is_word(f.name()));
        // A table may be named as a family is: then a name follows that is none.
        let is_family =
            found.is_some() && matches!(self.cursor.peek_at(1).kind, Kind::Word | Kind::Quoted);
        self.cursor.at += usize::from(is_family);
        found.filter(|_| is_family).unwrap_or(Family::Ip)
    }

    /// `[FAMILY] TABLE`, which must be there.
    pub(super) fn in_table(&mut self) -> Parse<()> {
        let family = self.family_word();
        let name = self.cursor.name("the name of a table")?;
        let known = self
            .tables
            .iter()
            .position(|d| !d.deleted && d.table.family == family && *d.table.name == *name.text);
        match known {
            Some(at) => {
                self.here = at;
                self.family = family;
                Ok(())
            }
            None => wrong(
                name.span,
                say!(
                    "nft/unknown-table",
                    family = family.name(),
                    name = name.text
                ),
            ),
        }
    }

    fn known_chain(&mut self) -> Parse<ChainId> {
        let name = self.cursor.name("the name of a chain")?;
        match self.chain_id(name.text) {
            Some(id) => Ok(id),
            None => wrong(
                name.span,
                say!(
                    "nft/unknown-chain",
                    name = name.text,
                    table = self.table_name()
                ),
            ),
        }
    }

    fn known_set(&mut self) -> Parse<SetId> {
        let name = self.cursor.name("the name of a set")?;
        match self.set_id(name.text) {
            Some(id) => Ok(id),
            None => wrong(
                name.span,
                say!(
                    "nft/unknown-set",
                    name = name.text,
                    table = self.table_name()
                ),
            ),
        }
    }

    async fn add(&mut self, first: bool) -> Parse<()> {
        let what = self
            .cursor
            .name("table, chain, rule, set, map or element")?;
        match what.text {
            "table" => self.add_table().await,
            "chain" => {
                self.in_table()?;
                let name = self.cursor.name("the name of a chain")?;
                let chain = self.declare_chain(name.text, name.span);
                if self.cursor.eat_sign("{") {
                    self.chain_braces(chain)?;
                }
                Ok(())
            }
            "rule" => self.add_rule(first),
            "set" | "map" => {
                self.in_table()?;
                let name = self.cursor.name("a name")?;
                self.cursor.sign("{")?;
                self.make_set(name.text, what.text == "map", name.span)
                    .await;
                Ok(())
            }
            "element" => self.change_elements(UpdateOp::Add).await,
            "counter" | "quota" | "limit" | "ct" | "synproxy" => self.add_object(&what),
            "flowtable" | "secmark" => not_modelled(&what),
            // `add TABLE CHAIN …` is `add rule …`.
            _ => {
                self.cursor.at -= 1;
                self.add_rule(first)
            }
        }
    }

    async fn add_table(&mut self) -> Parse<()> {
        let family = self.family_word();
        let name = self.cursor.name("the name of a table")?;
        if matches!(family, Family::Arp | Family::Bridge | Family::Netdev) {
            self.say(Diagnostic::warning(
                name.span,
                say!("nft/family-not-modelled", family = family.name()),
            ));
        }
        self.open_table(family, name.text, name.span);
        self.skip_to_brace();
        if self.cursor.eat_sign("{") {
            self.table_body().await;
        }
        Ok(())
    }

    /// A brace may stand on a line of its own.
    fn skip_to_brace(&mut self) {
        let start = self.cursor.at;
        self.cursor.skip_ends();
        if !self.cursor.is_sign("{") {
            self.cursor.at = start;
        }
    }

    fn chain_braces(&mut self, chain: ChainId) -> Parse<()> {
        loop {
            self.cursor.skip_ends();
            if self.cursor.eat_sign("}") {
                return Ok(());
            }
            if self.cursor.done() || !self.chain_property(chain) {
                return self.cursor.expected("type, policy, comment, }");
            }
        }
    }

    fn add_rule(&mut self, first: bool) -> Parse<()> {
        self.in_table()?;
        let chain = self.known_chain()?;
        let mut at = None;
        if self.cursor.eat_word("index") {
            at = Some(self.cursor.number32()? as usize);
        } else if self.cursor.is_word("handle") || self.cursor.is_word("position") {
            return wrong(self.cursor.peek().span, say!("nft/handle"));
        }
        let Some(rule) = self.rule() else {
            return Ok(());
        };
        if let Some(chain) = self.chain_mut(chain) {
            let at = match (at, first) {
                (Some(index), true) => index,
                (Some(index), false) => index + 1,
                (None, true) => 0,
                (None, false) => chain.rules.len(),
            };
            chain.rules.insert(at.min(chain.rules.len()), rule);
        }
        Ok(())
    }

    async fn change_elements(&mut self, op: UpdateOp) -> Parse<()> {
        self.in_table()?;
        let id = self.known_set()?;
        let Some(set) = self.table().and_then(|t| t.set(id)) else {
            return Ok(());
        };
        let (key, data) = (
            set.key.clone(),
            set.data.clone().filter(|_| op == UpdateOp::Add),
        );
        let mut found = self.elements(&key, &data).await?;
        let Some(set) = self
            .tables
            .get_mut(self.here)
            .and_then(|d| d.table.sets.get_mut(id.0 as usize))
        else {
            return Ok(());
        };
        let problems = if op == UpdateOp::Add {
            set.elements.append(&mut found);
            set.check()
        } else {
            let gone = |key: &_| found.iter().any(|e| e.key == *key);
            set.elements.retain(|e| !gone(&e.key));
            Vec::new()
        };
        self.diagnostics.extend(problems);
        Ok(())
    }

    async fn delete(&mut self) -> Parse<()> {
        let what = self.cursor.name("table, chain, set, map or element")?;
        match what.text {
            "table" => {
                self.in_table()?;
                if let Some(draft) = self.tables.get_mut(self.here) {
                    draft.deleted = true;
                }
                Ok(())
            }
            "chain" => {
                self.in_table()?;
                let name = self.cursor.peek().text;
                self.known_chain()?;
                if let Some(draft) = self.tables.get_mut(self.here) {
                    draft.chains.remove(name);
                }
                Ok(())
            }
            "set" | "map" => {
                self.in_table()?;
                let name = self.cursor.peek().text;
                self.known_set()?;
                if let Some(draft) = self.tables.get_mut(self.here) {
                    draft.sets.remove(name);
                }
                Ok(())
            }
            "element" => self.change_elements(UpdateOp::Delete).await,
            "rule" => wrong(what.span, say!("nft/handle")),
            _ => not_modelled(&what),
        }
    }

    fn flush(&mut self) -> Parse<()> {
        let what = self.cursor.name("ruleset, table, chain, set or map")?;
        match what.text {
            "ruleset" => {
                let only = (self.cursor.peek().kind == Kind::Word)
                    .then(|| self.family_named())
                    .transpose()?;
                for draft in &mut self.tables {
                    draft.deleted |= only.is_none_or(|family| draft.table.family == family);
                }
            }
            "table" => {
                self.in_table()?;
                if let Some(draft) = self.tables.get_mut(self.here) {
                    draft.table.chains.iter_mut().for_each(|c| c.rules.clear());
                }
            }
            "chain" => {
                self.in_table()?;
                let chain = self.known_chain()?;
                if let Some(chain) = self.chain_mut(chain) {
                    chain.rules.clear();
                }
            }
            "set" | "map" => {
                self.in_table()?;
                let set = self.known_set()?;
                if let Some(draft) = self.tables.get_mut(self.here)
                    && let Some(set) = draft.table.sets.get_mut(set.0 as usize)
                {
                    set.elements.clear();
                }
            }
            _ => return not_modelled(&what),
        }
        Ok(())
    }

    fn family_named(&mut self) -> Parse<Family> {
        let word = self.cursor.next();
        match Family::ALL.into_iter().find(|f| f.name() == word.text) {
            Some(family) => Ok(family),
            None => wrong(
                word.span,
                say!(
                    "nft/unexpected",
                    text = word.text,
                    wanted = "ip, ip6, inet, arp, bridge, netdev"
                ),
            ),
        }
    }
}

impl super::Set {
    /// Sorts the elements and says what nft would refuse.
    pub(super) fn check(&mut self) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        if !self.flags.interval {
            self.elements.retain(|e| {
                let single = e.key.iter().all(|r| r.low == r.high);
                if !single {
                    diagnostics.push(Diagnostic::error(e.span, say!("nft/needs-interval")));
                }
                single
            });
        }
        diagnostics.extend(self.arrange());
        diagnostics
    }
}
