//! nftables: tables, chains, sets and maps as `nft` has them.

mod act;
mod after;
mod eval;
mod expr;
mod field;
mod icmp;
mod jhash;
mod lead;
mod lookup;
mod print;
mod read;
mod ruleset;
mod set;
mod state;
mod statement;
mod symbols;
mod value;
mod walk;
mod why;

pub use after::after;
pub use expr::{Expr, Op, Relation, Right};
pub use field::{CtKey, Fib, FibResult, Field, Meta, SocketKey};
pub use lead::{Endpoint, Lead};
pub use print::rule as print_rule;
pub use read::read;
pub use ruleset::{
    Base, BaseKind, BaseRef, Chain, Family, NamedCounter, Rule, Ruleset, Table, TableId,
};
pub use set::{Data, DataType, Element, Set, SetFlags, SetId, SetRef};
pub use state::{Place, State};
pub use statement::{
    Icmpx, Limit, Log, Nat, NatKind, Quota, Reject, Statement, Target, TimeUnit, Tproxy, Update,
    UpdateOp, Verdict,
};
pub use value::{Datatype, Value};
pub use walk::traverse;
pub(super) use why::why;
