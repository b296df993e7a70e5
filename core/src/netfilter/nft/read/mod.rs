//! Reads `nft list ruleset` and what `nft -f` takes (nftables 1.0.6).
//!
//! A text is commands (`add rule …`) and tables written as blocks. As nft does, a block's chains and sets are made before
//! its rules are read, so that rules may name what stands below them. What is wrong is said and left out; the rest stands.

mod amount;
mod command;
mod constant;
mod cursor;
mod define;
mod element;
mod expr;
mod lex;
mod loops;
mod names;
mod nat;
mod object;
mod renumber;
mod statement;
mod table;

use std::collections::BTreeMap;

pub(super) use constant::{bits_of, name_value};
use cursor::{Cursor, Fault};
pub(super) use expr::shifted;
pub(super) use names::{FIELDS, QUALIFIED, UNQUALIFIED};
pub(super) use statement::LEVELS;
pub(super) use table::PRIORITIES;

use super::{
    Expr, Family, Meta, Op, Reject, Relation, Right, Rule, Ruleset, Set, SetId, Shared, Statement,
    Table,
};
use crate::net::Protocol;
use crate::netfilter::ChainId;
use crate::netfilter::matches::Unsupported;
use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Span, at_once};

/// Reads a text into tables; what could not be read is said, and is not in them.
pub fn read(text: &str, file: FileId) -> (Ruleset, Vec<Diagnostic>) {
    at_once(read_along(text, file, &Pace::AT_ONCE))
}

/// The same, pausing on the way. It goes over the text twice.
pub async fn read_along(text: &str, file: FileId, pace: &Pace) -> (Ruleset, Vec<Diagnostic>) {
    let (tokens, mut diagnostics) = lex::tokens(text, file, pace).await;
    let tokens = define::expand(tokens, &mut diagnostics);
    let end = Span::new(file, text.len(), text.len());
    let mut reader = Reader {
        text,
        cursor: Cursor::new(tokens, end),
        pace,
        diagnostics,
        tables: Vec::new(),
        here: 0,
        family: Family::Ip,
        order: 0,
        depth: 0,
        transport_known: false,
        transport: None,
    };
    reader.commands().await;
    let (ruleset, more) = renumber::finish(reader.tables);
    let mut diagnostics = reader.diagnostics;
    diagnostics.extend(more);
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    (ruleset, diagnostics)
}

struct Reader<'t> {
    text: &'t str,
    cursor: Cursor<'t>,
    pace: &'t Pace,
    diagnostics: Vec<Diagnostic>,
    tables: Vec<Draft>,
    /// The table at hand, by its position, and its family.
    here: usize,
    family: Family,
    /// Counts base chains.
    order: u32,
    depth: u32,
    /// A statement before in this rule has asked for the transport protocol.
    transport_known: bool,
    /// Which, where it asked for one.
    transport: Option<Protocol>,
}

/// A table in the making. Chains and sets keep their numbers while the text is read, also when they are deleted.
struct Draft {
    table: Table,
    chains: BTreeMap<Box<str>, ChainId>,
    sets: BTreeMap<Box<str>, SetId>,
    deleted: bool,
}

impl Draft {
    fn new(table: Table) -> Self {
        Self {
            table,
            chains: BTreeMap::new(),
            sets: BTreeMap::new(),
            deleted: false,
        }
    }
}

impl Reader<'_> {
    fn table(&self) -> Option<&Table> {
        self.tables.get(self.here).map(|d| &d.table)
    }

    fn table_name(&self) -> String {
        self.table()
            .map_or_else(String::new, |t| format!("{} {}", t.family.name(), t.name))
    }

    fn chain_id(&self, name: &str) -> Option<ChainId> {
        self.tables.get(self.here)?.chains.get(name).copied()
    }

    fn set_id(&self, name: &str) -> Option<SetId> {
        self.tables.get(self.here)?.sets.get(name).copied()
    }

    fn has_object(&self, shared: Shared, name: &str) -> bool {
        self.table()
            .is_some_and(|t| t.object(shared, name).is_some())
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn fault(&mut self, fault: Fault) {
        self.say(match fault {
            Fault::Wrong(diagnostic) => *diagnostic,
            Fault::NotModelled(what) => {
                Diagnostic::warning(what.span, say!("nft/not-modelled", name = what.name))
            }
        });
    }

    /// A rule to the end of its line. What is not modelled stays in it as text, from there to its end.
    fn rule(&mut self) -> Option<Rule> {
        let start = self.cursor.at;
        let mut rule = Rule {
            statements: Vec::new(),
            comment: None,
            span: Span::default(),
        };
        self.transport_known = false;
        self.transport = None;
        self.depth = 0;
        while !self.cursor.ends_rule() {
            if self.cursor.is_word("comment") {
                self.cursor.at += 1;
                match self.cursor.quoted() {
                    Ok(comment) => rule.comment = Some(comment),
                    Err(fault) => {
                        self.fault(fault);
                        self.cursor.skip_statement();
                        return None;
                    }
                }
                continue;
            }
            let began = self.cursor.at;
            match self.statement() {
                Ok(mut statement) => {
                    if let Some(transport) = self.transport {
                        statement.settle(transport);
                    }
                    self.transport = self.transport.or(statement.transport());
                    self.transport_known |= statement.asks_transport();
                    rule.statements.push(statement);
                }
                Err(Fault::NotModelled(what)) => {
                    let name = what.name.clone();
                    self.fault(Fault::NotModelled(what));
                    self.cursor.at = began;
                    self.cursor.skip_statement();
                    let span = self.cursor.since(began);
                    let text = self.text.get(span.range()).unwrap_or("").trim_end().into();
                    rule.statements
                        .push(Statement::Unsupported(Box::new(Unsupported {
                            name,
                            text,
                            span,
                        })));
                }
                Err(fault) => {
                    self.fault(fault);
                    self.cursor.skip_statement();
                    return None;
                }
            }
        }
        if let Some(question) = before_reject(&rule.statements, self.family) {
            rule.statements.insert(0, question);
        }
        rule.span = self.cursor.since(start);
        Some(rule)
    }
}

/// A rule that refuses in a way that only some packets can be refused in asks for those, first of all: what it logs or counts
/// on the way is then what it refuses (nftables `src/evaluate.c`, `stmt_reject_gen_dependency`).
fn before_reject(statements: &[Statement], family: Family) -> Option<Statement> {
    let at = statements
        .iter()
        .position(|s| matches!(s, Statement::Reject(_)))?;
    let (reject, before) = (statements.get(at)?, statements.get(..at)?);
    let (left, value) = match reject {
        Statement::Reject(Reject::TcpReset)
            if before.iter().all(|s| s.transport() != Some(Protocol::TCP)) =>
        {
            (Meta::L4proto, Protocol::TCP.0)
        }
        Statement::Reject(Reject::Icmp(_))
            if family == Family::Inet && before.iter().all(|s| s.ipv6() != Some(false)) =>
        {
            (Meta::Nfproto, 2)
        }
        Statement::Reject(Reject::Icmpv6(_))
            if family == Family::Inet && before.iter().all(|s| s.ipv6() != Some(true)) =>
        {
            (Meta::Nfproto, 10)
        }
        _ => return None,
    };
    let right = Right::Value(vec![u128::from(value)]);
    Some(Statement::Match(Box::new(Relation {
        left: Expr::Meta(left),
        op: Op::Eq,
        right,
    })))
}
