//! Statements: what a rule is made of (nftables `src/parser_bison.y`, `stmt`).

use super::Reader;
use super::constant::Constant;
use super::cursor::{Parse, not_modelled, not_modelled_as, wrong};
use super::lex::Kind;
use crate::netfilter::Counters;
use crate::netfilter::nft::symbols::{ICMP_CODES, ICMPV6_CODES};
use crate::netfilter::nft::{
    CtKey, Datatype, Expr, Family, Icmpx, Log, Op, Reject, Relation, Right, SetRef, Shared,
    Statement, Target, Update, UpdateOp, Verdict,
};
use crate::netfilter::targets::RejectWith;
use crate::say;

impl Reader<'_> {
    pub(super) fn statement(&mut self) -> Parse<Statement> {
        let start = self.cursor.at;
        let token = self.cursor.peek().clone();
        if token.kind != Kind::Word {
            return self.relation();
        }
        self.cursor.at += 1;
        match token.text {
            "counter" | "limit" | "quota" | "synproxy" if self.names_object() => {
                self.shared(token.text)
            }
            "ct" if self.cursor.peek_at(1).text == "set"
                && matches!(
                    self.cursor.peek().text,
                    "helper" | "timeout" | "expectation"
                ) =>
            {
                let kind = format!("ct {}", self.cursor.next().text);
                self.shared(&kind)
            }
            "counter" => Ok(Statement::Counter(self.counters()?)),
            "limit" => Ok(Statement::Limit(Box::new(self.limit()?))),
            "quota" => Ok(Statement::Quota(self.quota()?)),
            "log" => self.log(),
            "reject" => self.reject(),
            "snat" | "dnat" | "masquerade" | "redirect" => self.nat(token.text),
            "tproxy" => self.tproxy(),
            "notrack" => Ok(Statement::Notrack),
            "add" | "update" | "delete" => self.update(token.text),
            "accept" | "drop" | "continue" | "return" | "jump" | "goto" => {
                self.cursor.at = start;
                Ok(Statement::Verdict(self.verdict()?))
            }
            "queue" | "dup" | "fwd" | "flow" | "synproxy" | "meter" | "xt" | "secmark" | "set"
            | "last" | "map" | "reset" => not_modelled(&token),
            "comment" => wrong(token.span, say!("nft/comment-last")),
            _ => {
                self.cursor.at = start;
                self.relation()
            }
        }
    }

    fn names_object(&self) -> bool {
        self.cursor.is_word("name") || self.cursor.peek().kind == Kind::Quoted
    }

    /// `counter name "x"` and `ct helper set "x"`, read as far as the kind.
    fn shared(&mut self, kind: &str) -> Parse<Statement> {
        if !self.cursor.eat_word("name") {
            self.cursor.eat_word("set");
        }
        let name = self.cursor.name("a name")?;
        // What chooses among several is an expression.
        if !matches!(self.cursor.peek().kind, Kind::End | Kind::Word) && !self.cursor.ends_rule()
            || name.kind == Kind::Word && self.cursor.peek_at(1).text == "map"
        {
            return not_modelled_as(&format!("{kind} map"), name.span);
        }
        match Shared::ALL.into_iter().find(|s| s.name() == kind) {
            Some(shared) if self.has_object(shared, name.text) => {
                Ok(Statement::Shared(shared, name.text.into()))
            }
            _ => wrong(
                name.span,
                say!(
                    "nft/unknown-object",
                    kind = kind,
                    name = name.text,
                    table = self.table_name()
                ),
            ),
        }
    }

    /// A question, or `FIELD set VALUE`, both of which begin with an expression.
    fn relation(&mut self) -> Parse<Statement> {
        let start = self.cursor.at;
        let left = self.concat(&[])?;
        if self.cursor.eat_word("vmap") {
            let map = self.vmap_ref(&left.types())?;
            return Ok(Statement::Vmap(Box::new(left), map));
        }
        if self.cursor.is_word("set") {
            let target = match left {
                Expr::Meta(meta) => Target::Meta(meta),
                Expr::Ct(CtKey::Mark, None) => Target::CtMark,
                Expr::Ct(CtKey::Zone, direction) => Target::CtZone(direction),
                Expr::Field(field) => Target::Field(field),
                Expr::TcpOption(option) => Target::TcpOption(option),
                _ => return wrong(self.cursor.since(start), say!("nft/not-settable")),
            };
            self.cursor.at += 1;
            let value = self.expr(&[left.datatype()])?;
            return Ok(Statement::Set(target, Box::new(value)));
        }
        let left = if self.cursor.eat_word("map") {
            let set = self.map_ref(&left.types(), &[Datatype::Integer(32)])?;
            Expr::Map(Box::new(left), set)
        } else {
            left
        };
        let (op, written) = self.op();
        let types = left.types();
        if self.cursor.is_sign("@") || self.cursor.is_sign("{") {
            if !matches!(op, Op::Eq | Op::Ne) {
                return wrong(self.cursor.peek().span, say!("nft/set-order"));
            }
            let set = self.set_ref(&types)?;
            if let Some(right) = alone(&set) {
                return Ok(Statement::Match(Box::new(Relation { left, op, right })));
            }
            return Ok(Statement::Match(Box::new(Relation {
                left,
                op,
                right: Right::Set(set),
            })));
        }
        let (left, op, right) = if types.len() > 1 {
            let Expr::Concat(parts) = self.concat(&types)? else {
                return wrong(
                    self.cursor.since(start),
                    say!("nft/parts", has = 1, wants = types.len()),
                );
            };
            if parts.len() != types.len() {
                return wrong(
                    self.cursor.since(start),
                    say!("nft/parts", has = parts.len(), wants = types.len()),
                );
            }
            let values = parts
                .iter()
                .map(|p| if let Expr::Value(v, _) = p { *v } else { 0 });
            (left, op, Right::Value(values.collect()))
        } else {
            self.constant_relation(left, op, written)?
        };
        Ok(Statement::Match(Box::new(Relation { left, op, right })))
    }

    fn constant_relation(&mut self, left: Expr, op: Op, written: bool) -> Parse<(Expr, Op, Right)> {
        let datatype = left.datatype();
        let span = self.cursor.peek().span;
        let (constant, list) = self.flags_or_constant(datatype)?;
        // `tcp flags syn / syn,ack`: under a mask.
        if datatype.is_bitmask() && self.cursor.eat_sign("/") {
            let (Constant::Value(value), (Constant::Value(mask), _)) =
                (constant, self.flags_or_constant(datatype)?)
            else {
                return self.cursor.expected(datatype.name());
            };
            let left = Expr::Bitwise {
                left: Box::new(left),
                mask,
                xor: 0,
            };
            return Ok((left, op, Right::Value(vec![value])));
        }
        let plain_field = !matches!(left, Expr::Bitwise { .. });
        let op = match op {
            Op::Eq if datatype.is_bitmask() && !written && plain_field => Op::Any,
            Op::Eq | Op::Ne | Op::NoneOf => op,
            // Order needs one number.
            _ if list || !matches!(constant, Constant::Value(_)) => {
                return wrong(span, say!("nft/set-order"));
            }
            _ => op,
        };
        let right = match constant {
            Constant::Value(value) => Right::Value(vec![value]),
            Constant::Range(range) => Right::Range(range),
            Constant::Prefix(value, length) => Right::Prefix { value, length },
        };
        Ok((left, op, right))
    }

    /// The operator, `==` where none is written; and whether one was.
    fn op(&mut self) -> (Op, bool) {
        let ops = [
            ("==", "eq", Op::Eq),
            ("!=", "ne", Op::Ne),
            ("<=", "le", Op::Le),
            (">=", "ge", Op::Ge),
            ("<", "lt", Op::Lt),
            (">", "gt", Op::Gt),
            ("!", "not", Op::NoneOf),
        ];
        for (sign, word, op) in ops {
            if self.cursor.eat_either(sign, word) {
                return (op, true);
            }
        }
        (Op::Eq, false)
    }

    pub(super) fn verdict(&mut self) -> Parse<Verdict> {
        let token = self.cursor.name("a verdict")?;
        Ok(match token.text {
            "accept" => Verdict::Accept,
            "drop" => Verdict::Drop,
            "continue" => Verdict::Continue,
            "return" => Verdict::Return,
            "jump" | "goto" => {
                let name = self.cursor.name("the name of a chain")?;
                let Some(chain) = self.chain_id(name.text) else {
                    return wrong(
                        name.span,
                        say!(
                            "nft/unknown-chain",
                            name = name.text,
                            table = self.table_name()
                        ),
                    );
                };
                if self
                    .table()
                    .and_then(|t| t.chain(chain))
                    .is_some_and(|c| c.base.is_some())
                {
                    return wrong(name.span, say!("nft/jump-to-base", name = name.text));
                }
                if token.text == "jump" {
                    Verdict::Jump(chain)
                } else {
                    Verdict::Goto(chain)
                }
            }
            "queue" => return not_modelled(&token),
            _ => return wrong(token.span, say!("nft/unknown-verdict", text = token.text)),
        })
    }

    pub(super) fn counters(&mut self) -> Parse<Counters> {
        let mut counters = Counters::default();
        if self.cursor.eat_word("packets") {
            counters.packets = self.cursor.number(u64::MAX)?;
            self.cursor.word("bytes")?;
            counters.bytes = self.cursor.number(u64::MAX)?;
        }
        Ok(counters)
    }

    fn log(&mut self) -> Parse<Statement> {
        let mut log = Log::default();
        while !self.cursor.ends_rule() {
            let token = self.cursor.peek().clone();
            self.cursor.at += 1;
            match token.text {
                "prefix" => log.prefix = Some(self.cursor.quoted()?),
                "group" => log.group = Some(self.cursor.number(u64::from(u16::MAX))? as u16),
                "snaplen" => log.snaplen = Some(self.cursor.number32()?),
                "queue-threshold" => {
                    log.queue_threshold = Some(self.cursor.number(u64::from(u16::MAX))? as u16)
                }
                "level" => {
                    let level = self.cursor.name("a level")?;
                    match LEVELS.iter().position(|l| *l == level.text) {
                        Some(at) => log.level = Some(at as u8),
                        None => {
                            return wrong(
                                level.span,
                                say!(
                                    "nft/unexpected",
                                    text = level.text,
                                    wanted = LEVELS.join(", ")
                                ),
                            );
                        }
                    }
                }
                "flags" => self.log_flags(&mut log)?,
                _ => {
                    self.cursor.at -= 1;
                    break;
                }
            }
        }
        if log.level.is_some() && log.group.is_some() {
            return wrong(self.cursor.peek().span, say!("nft/level-and-group"));
        }
        Ok(Statement::Log(Box::new(log)))
    }

    fn log_flags(&mut self, log: &mut Log) -> Parse<()> {
        let flag = self.cursor.name("tcp, ip, skuid, ether or all")?;
        if flag.text == "tcp" || flag.text == "ip" {
            loop {
                let what = self.cursor.name("sequence or options")?;
                log.flags |= match (flag.text, what.text) {
                    ("tcp", "sequence") => 1,
                    ("tcp", "options") => 2,
                    ("ip", "options") => 4,
                    _ => {
                        return wrong(
                            what.span,
                            say!(
                                "nft/unexpected",
                                text = what.text,
                                wanted = "sequence, options"
                            ),
                        );
                    }
                };
                if !self.cursor.eat_sign(",") {
                    return Ok(());
                }
            }
        }
        log.flags |= match flag.text {
            "skuid" => 8,
            "ether" => 32,
            "all" => 47,
            _ => return wrong(flag.span, say!("nft/unknown-flag", flag = flag.text)),
        };
        Ok(())
    }

    fn reject(&mut self) -> Parse<Statement> {
        if !self.cursor.eat_word("with") {
            return Ok(Statement::Reject(Reject::Default));
        }
        let kind = self.cursor.name("icmp, icmpv6, icmpx or tcp")?;
        let family_ok = match kind.text {
            "tcp" => {
                self.cursor.word("reset")?;
                return Ok(Statement::Reject(Reject::TcpReset));
            }
            "icmp" => self.family != Family::Ip6,
            "icmpv6" => self.family != Family::Ip,
            "icmpx" => self.family == Family::Inet,
            _ => {
                return wrong(
                    kind.span,
                    say!(
                        "nft/unexpected",
                        text = kind.text,
                        wanted = "icmp, icmpv6, icmpx, tcp"
                    ),
                );
            }
        };
        if !family_ok {
            return wrong(
                kind.span,
                say!(
                    "nft/reject-family",
                    kind = kind.text,
                    family = self.family.name()
                ),
            );
        }
        self.cursor.eat_word("type");
        let name = self.cursor.name("what to answer with")?;
        let code = |names: &[(&str, u128)]| {
            names
                .iter()
                .find(|(n, _)| *n == name.text)
                .map(|(_, code)| *code)
        };
        let found = match kind.text {
            "icmp" => code(ICMP_CODES).and_then(icmp_reject).map(Reject::Icmp),
            "icmpv6" => code(ICMPV6_CODES)
                .and_then(icmpv6_reject)
                .map(Reject::Icmpv6),
            _ => match name.text {
                "no-route" => Some(Reject::Icmpx(Icmpx::NoRoute)),
                "port-unreachable" => Some(Reject::Icmpx(Icmpx::PortUnreachable)),
                "host-unreachable" => Some(Reject::Icmpx(Icmpx::HostUnreachable)),
                "admin-prohibited" => Some(Reject::Icmpx(Icmpx::AdminProhibited)),
                _ => None,
            },
        };
        match found {
            Some(reject) => Ok(Statement::Reject(reject)),
            None => wrong(
                name.span,
                say!("nft/bad-value", text = name.text, kind = kind.text),
            ),
        }
    }

    fn update(&mut self, op: &str) -> Parse<Statement> {
        let op = match op {
            "add" => UpdateOp::Add,
            "update" => UpdateOp::Update,
            _ => UpdateOp::Delete,
        };
        let start = self.cursor.at;
        self.cursor.sign("@")?;
        let name = self.cursor.name("the name of a set")?;
        let span = self.cursor.since(start);
        let Some(set) = self.set_id(name.text) else {
            return wrong(
                span,
                say!(
                    "nft/unknown-set",
                    name = name.text,
                    table = self.table_name()
                ),
            );
        };
        let found = self.table().and_then(|t| t.set(set));
        let types = found.map_or_else(Vec::new, |s| s.key.clone());
        let data_types = found.and_then(|s| s.data.clone());
        self.cursor.sign("{")?;
        let key = self.concat(&types)?;
        if key.types().len() != types.len() {
            return wrong(
                span,
                say!("nft/parts", has = key.types().len(), wants = types.len()),
            );
        }
        let mut update = Update {
            op,
            set,
            key,
            data: None,
            timeout: None,
            statements: Vec::new(),
        };
        while !self.cursor.is_sign("}") && !self.cursor.is_sign(":") {
            if self.cursor.eat_word("timeout") {
                update.timeout = Some(self.cursor.duration()?);
            } else if self.cursor.is_word("counter") || self.cursor.is_word("limit") {
                update.statements.push(self.statement()?);
            } else if self.cursor.is_word("ct") || self.cursor.is_word("quota") {
                return not_modelled(&self.cursor.next());
            } else {
                return self.cursor.expected("}");
            }
        }
        if let Some(crate::netfilter::nft::DataType::Values(types)) = &data_types {
            self.cursor.sign(":")?;
            update.data = Some(self.concat(types)?);
        }
        self.cursor.sign("}")?;
        Ok(Statement::Update(Box::new(update)))
    }
}

pub(in crate::netfilter::nft) const LEVELS: [&str; 9] = [
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit",
];

/// A set of one element in a rule is no set.
fn alone(set: &SetRef) -> Option<Right> {
    let SetRef::Anonymous(set) = set else {
        return None;
    };
    let ([element], [datatype]) = (set.elements.as_slice(), set.key.as_slice()) else {
        return None;
    };
    let range = element.key.first()?;
    if range.low == range.high {
        return Some(Right::Value(vec![range.low]));
    }
    let free = range.low ^ range.high;
    let mask = datatype.full() & !free;
    let network = datatype.has_prefixes() || *datatype == Datatype::IfName;
    match datatype.prefix_length(mask) {
        Some(length) if network && range.low & free == 0 => Some(Right::Prefix {
            value: range.low,
            length,
        }),
        _ => Some(Right::Range(*range)),
    }
}

fn icmp_reject(code: u128) -> Option<RejectWith> {
    Some(match code {
        0 => RejectWith::NetUnreachable,
        1 => RejectWith::HostUnreachable,
        2 => RejectWith::ProtoUnreachable,
        3 => RejectWith::PortUnreachable,
        9 => RejectWith::NetProhibited,
        10 => RejectWith::HostProhibited,
        13 => RejectWith::AdminProhibited,
        _ => return None,
    })
}

fn icmpv6_reject(code: u128) -> Option<RejectWith> {
    Some(match code {
        0 => RejectWith::NoRoute6,
        1 => RejectWith::AdmProhibited6,
        3 => RejectWith::AddrUnreachable6,
        4 => RejectWith::PortUnreachable6,
        5 => RejectWith::PolicyFail6,
        6 => RejectWith::RejectRoute6,
        _ => return None,
    })
}
