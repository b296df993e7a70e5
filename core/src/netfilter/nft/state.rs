use std::collections::BTreeMap;

use serde::Serialize;

use super::{SetId, TableId, Value};
use crate::net::{Coins, Random};
use crate::netfilter::{ChainId, Counters};

/// What nftables keeps from packet to packet, apart from the rules: counters, elements that rules add, limits, turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// What was counted since the rules were loaded.
    pub counters: BTreeMap<Place, Counters>,
    pub named_counters: BTreeMap<(TableId, Box<str>), Counters>,
    pub(super) named_limits: BTreeMap<(TableId, Box<str>), Tokens>,
    pub(super) named_quotas: BTreeMap<(TableId, Box<str>), u64>,
    pub(super) turns: BTreeMap<Place, u32>,
    pub(super) limits: BTreeMap<Place, Tokens>,
    /// Bytes that came to each quota since the rules were loaded.
    pub(super) quotas: BTreeMap<Place, u64>,
    pub(super) elements: BTreeMap<(TableId, SetId), Elements>,
    pub(super) random: Random,
    /// Chance, where a script takes its place.
    pub coins: Option<Coins>,
    /// Stands for the seeds that the kernel draws when rules are loaded.
    pub(super) hash_seed: u32,
}

/// What rules have done to a set, by key.
pub(super) type Elements = BTreeMap<Box<[Value]>, Dynamic>;

/// A statement, or one of several in it that keep something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    pub table: TableId,
    pub chain: ChainId,
    pub rule: u32,
    pub statement: u16,
    pub part: u16,
}

/// A limit's bucket (kernel `struct nft_limit`), in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Tokens {
    pub tokens: u128,
    /// Milliseconds.
    pub last: u64,
}

/// An element of a set that rules change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Dynamic {
    /// Milliseconds on the host's clock; `None`: never.
    pub expires: Option<u64>,
    pub data: Vec<Value>,
    /// Taken out by a rule.
    pub deleted: bool,
    pub limit: Option<Tokens>,
}

impl State {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let hash_seed = random.next_u32();
        Self {
            counters: BTreeMap::new(),
            named_counters: BTreeMap::new(),
            named_limits: BTreeMap::new(),
            named_quotas: BTreeMap::new(),
            turns: BTreeMap::new(),
            limits: BTreeMap::new(),
            quotas: BTreeMap::new(),
            elements: BTreeMap::new(),
            random,
            coins: None,
            hash_seed,
        }
    }
}

impl Dynamic {
    pub(super) fn lives(&self, now: u64) -> bool {
        !self.deleted && self.expires.is_none_or(|at| now < at)
    }
}
