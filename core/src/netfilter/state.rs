use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::ipset::{Found, Question, Sets, Wanted};
use super::{ChainId, Context, Counters, RuleId, TableName};
use crate::net::{Coins, IpFamily, Random};

/// What rules keep from packet to packet, apart from the rules themselves: counters, and the memory of stateful matches.
/// Both address families' rules keep it together: lists and sets are known to both by their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// What was counted since the rules were loaded; the rules' own counters are where they began.
    pub rules: BTreeMap<RuleId, Counters>,
    /// The same for the policies of built-in chains.
    pub policies: BTreeMap<(IpFamily, TableName, ChainId), Counters>,
    pub(super) nth: BTreeMap<Criterion, u32>,
    pub(super) buckets: BTreeMap<Criterion, Bucket>,
    /// Bytes left.
    pub(super) quotas: BTreeMap<Criterion, u64>,
    pub(super) hash_buckets: BTreeMap<Box<str>, BTreeMap<HashKey, Bucket>>,
    pub(super) recent: BTreeMap<Box<str>, BTreeMap<IpAddr, Seen>>,
    /// The host's ipsets, once a rule has changed them.
    pub sets: Option<Box<Sets>>,
    pub(super) random: Random,
    /// Chance, where a script takes its place.
    pub coins: Option<Coins>,
}

/// A match by its place: the rule, and which of its matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Criterion {
    pub rule: RuleId,
    pub index: u16,
}

/// A token bucket (kernel `struct xt_rateinfo`): credit, and when it was last filled, in the kernel's jiffies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Bucket {
    pub credit: u64,
    pub filled: u64,
}

/// What hashlimit tells apart, as far as its mode asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct HashKey {
    pub src: Option<IpAddr>,
    pub dst: Option<IpAddr>,
    pub sport: Option<u16>,
    pub dport: Option<u16>,
}

/// An address in a `recent` list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    pub ttl: u8,
    /// When, in milliseconds; the newest last.
    pub stamps: Vec<u64>,
}

impl State {
    /// What a set of the host says about a packet. The first question that changes a member takes a copy of all sets.
    pub(super) fn ask_set(
        &mut self,
        ctx: &Context,
        name: &str,
        asked: &Question,
        wanted: &Wanted,
    ) -> Found {
        let sets = self.sets.as_deref().unwrap_or(ctx.env.sets());
        let found = sets.ask(name, asked, wanted);
        if found.changes() {
            self.sets_to_change(ctx).touch(&found, asked);
        }
        found
    }

    pub(super) fn sets_to_change(&mut self, ctx: &Context) -> &mut Sets {
        let copy = || Box::new(ctx.env.sets().clone());
        self.sets.get_or_insert_with(copy)
    }

    pub fn new(seed: u64) -> Self {
        Self {
            rules: BTreeMap::new(),
            policies: BTreeMap::new(),
            nth: BTreeMap::new(),
            buckets: BTreeMap::new(),
            quotas: BTreeMap::new(),
            hash_buckets: BTreeMap::new(),
            recent: BTreeMap::new(),
            sets: None,
            random: Random::new(seed),
            coins: None,
        }
    }
}

impl Counters {
    pub fn count(&mut self, bytes: u32) {
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::from(bytes));
    }
}
