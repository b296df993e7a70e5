//! netfilter: tables, chains and rules as iptables has them, and what a packet meets in them.
//!
//! As written: [`Ruleset`]. Read by [`save`] and [`listing`], walked by [`walk`]; `nft` stands beside it.

mod context;
pub mod hooks;
pub mod ipset;
pub mod listing;
pub mod matches;
pub mod meaning;
pub mod nft;
pub mod print;
mod ruleset;
pub mod save;
mod state;
mod syntax;
pub mod targets;
pub mod walk;
mod why;

pub use context::{AddressType, Context, Env, FibQuery, Socket, SocketOwner, Tracked, Way};
pub use matches::{Match, SetAnswer};
pub use ruleset::{
    Chain, ChainId, Counters, Header, Hook, Interface, Not, Policy, Rule, RuleId, Ruleset, Table,
    TableName,
};
pub use state::{Criterion, State};
pub(crate) use syntax::names;
pub use syntax::{match_names, option_names, target_names};
pub use targets::Target;
pub use why::why;
