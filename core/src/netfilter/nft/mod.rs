//! nftables: tables, chains, sets and maps as `nft` has them.

mod act;
mod after;
mod bytes;
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
mod tcp_option;
mod value;
mod walk;
mod why;

pub use after::after;
pub use expr::{Expr, Op, Relation, Right};
pub use field::{Base as HeaderBase, CtKey, Fib, FibResult, Field, Meta, Raw, RouteKey, SocketKey};
pub use lead::{Endpoint, Lead};
pub use print::rule as print_rule;
pub use read::{read, read_along};
pub use ruleset::{
    Base, BaseKind, BaseRef, Chain, Family, Object, ObjectKind, Rule, Ruleset, Shared, Table,
    TableId,
};
pub use set::{Data, DataType, Element, Set, SetFlags, SetId, SetRef};
pub use state::{Place, State};
pub use statement::{
    Icmpx, Limit, Log, Nat, NatKind, Quota, Reject, Statement, Target, TimeUnit, Tproxy, Update,
    UpdateOp, Verdict,
};
pub use tcp_option::{OptionField, TcpOption};
pub use value::{Datatype, Value};
pub use walk::traverse;
pub(super) use why::why;
