//! Routing: tables, policy rules, and the decision where a packet goes next.
//!
//! Follows the kernel's `net/ipv4/fib_*.c` and `net/ipv4/route.c`.

mod line;
mod print;
pub mod read;

pub use line::{NextHop, PolicyRule, Route, RouteKind, RuleAction, Scope, TableId};
