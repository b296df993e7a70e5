//! Routing: tables, policy rules, and the decision where a packet goes next.
//!
//! Follows the kernel's `net/ipv4/fib_*.c` and `net/ipv4/route.c`.

mod fib;
mod line;
mod print;
pub mod read;
mod values;
mod why;

pub use fib::{Fib, Flow, Found, NoWay, RouteError};
pub use line::{NextHop, PolicyRule, Route, RouteKind, RuleAction, Scope, TableId};
