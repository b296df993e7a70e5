//! Objects: what rules share by its name (nftables `src/parser_bison.y`, `table_block` and below).

use super::Reader;
use super::cursor::{Parse, not_modelled, wrong};
use super::lex::{Kind, Token};
use crate::netfilter::Counters;
use crate::netfilter::nft::{Limit, Object, ObjectKind, Quota, Shared, TimeUnit};
use crate::say;
use crate::text::Diagnostic;

impl Reader<'_> {
    /// `KIND NAME { … }` in a table, the first word already read.
    pub(super) fn declare_object(&mut self, word: &Token) -> Parse<()> {
        let shared = self.kind_of_object(word)?;
        self.object(shared, word)
    }

    /// `add KIND [FAMILY] TABLE NAME …`, the first word of the kind already read.
    pub(super) fn add_object(&mut self, word: &Token) -> Parse<()> {
        let shared = self.kind_of_object(word)?;
        self.in_table()?;
        self.object(shared, word)
    }

    fn kind_of_object(&mut self, word: &Token) -> Parse<Shared> {
        let mut kind = word.text.to_string();
        if kind == "ct" {
            kind = format!(
                "ct {}",
                self.cursor.name("helper, timeout or expectation")?.text
            );
        }
        match Shared::ALL.into_iter().find(|s| s.name() == kind) {
            Some(shared) => Ok(shared),
            None => not_modelled(word),
        }
    }

    /// `NAME [{ … }]`; commands may leave the braces out.
    fn object(&mut self, shared: Shared, word: &Token) -> Parse<()> {
        let name = self.cursor.name("a name")?;
        let span = word.span.to(name.span);
        let at = self.cursor.at;
        self.cursor.skip_ends();
        let braces = self.cursor.eat_sign("{");
        if !braces {
            self.cursor.at = at;
        }
        let mut object = Object {
            name: name.text.into(),
            kind: match shared {
                Shared::Counter => ObjectKind::Counter(Counters::default()),
                Shared::Quota => ObjectKind::Quota(NO_QUOTA),
                Shared::Limit => ObjectKind::Limit(NO_LIMIT),
                other => ObjectKind::Other(other, Vec::new()),
            },
            comment: None,
        };
        loop {
            if braces {
                self.cursor.skip_ends();
            }
            if braces && self.cursor.eat_sign("}") || !braces && self.cursor.ends_rule() {
                break;
            }
            if self.cursor.done() {
                return self.cursor.expected("}");
            }
            if self.cursor.eat_word("comment") {
                object.comment = Some(self.cursor.quoted()?);
                continue;
            }
            match &mut object.kind {
                ObjectKind::Counter(count) if self.cursor.is_word("packets") => {
                    *count = self.counters()?
                }
                ObjectKind::Quota(quota) => *quota = self.quota()?,
                ObjectKind::Limit(limit) => *limit = self.limit()?,
                ObjectKind::Other(_, lines) => lines.push(self.line()),
                _ => return self.cursor.expected("packets, comment, }"),
            }
        }
        if matches!(&object.kind, ObjectKind::Quota(q) if *q == NO_QUOTA)
            || matches!(&object.kind, ObjectKind::Limit(l) if *l == NO_LIMIT)
        {
            return wrong(span, say!("nft/empty-object", kind = shared.name()));
        }
        if let ObjectKind::Other(..) = object.kind {
            let message = match shared {
                Shared::Helper | Shared::Timeout => {
                    say!("nft/object-not-followed", kind = shared.name())
                }
                _ => say!("nft/object-not-modelled", kind = shared.name()),
            };
            self.say(Diagnostic::warning(span, message));
        }
        let known = self.has_object(shared, name.text);
        if let Some(draft) = self.tables.get_mut(self.here).filter(|_| !known) {
            draft.table.objects.push(object);
        }
        Ok(())
    }

    /// A line as it was written, over the braces in it.
    fn line(&mut self) -> Box<str> {
        let start = self.cursor.at;
        self.cursor.skip_statement();
        let span = self.cursor.since(start);
        let text = self.text.get(span.range()).unwrap_or("");
        // Always goes on.
        self.cursor.at = self
            .cursor
            .at
            .max(start + usize::from(self.cursor.peek().kind != Kind::End));
        text.trim().into()
    }
}

/// Before anything was read.
const NO_QUOTA: Quota = Quota {
    over: false,
    bytes: 0,
    used: 0,
};
const NO_LIMIT: Limit = Limit {
    over: false,
    rate: 0,
    unit: TimeUnit::Second,
    bytes: false,
    burst: 0,
};
