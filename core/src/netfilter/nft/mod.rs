//! nftables: tables, chains, sets and maps as `nft` has them.

mod expr;
mod ruleset;
mod set;
mod value;

pub use expr::{
    CtKey, Expr, Fib, FibResult, Field, Icmpx, Limit, Log, Meta, Nat, NatKind, Op, Reject,
    Relation, Right, SocketKey, Statement, Target, TimeUnit, Tproxy, Update, UpdateOp, Verdict,
};
pub use ruleset::{Base, BaseKind, BaseRef, Chain, Family, Rule, Ruleset, Table, TableId};
pub use set::{Data, DataType, Element, Set, SetFlags, SetId, SetRef};
pub use value::{Datatype, Value};
