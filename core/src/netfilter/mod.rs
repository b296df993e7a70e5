//! netfilter: tables, chains and rules as iptables has them, and what a packet meets in them.
//!
//! As written: [`Ruleset`]. Read by [`save`] and [`listing`], walked by [`walk`]; `nft` stands beside it.

pub mod matches;
mod ruleset;
pub mod targets;

pub use matches::Match;
pub use ruleset::{
    Chain, ChainId, Counters, Header, Hook, Interface, Not, Policy, Rule, RuleId, Ruleset, Table,
    TableName,
};
pub use targets::Target;
