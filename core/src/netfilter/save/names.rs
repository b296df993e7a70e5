//! Chains by name while they are read. A hash table of our own that nothing iterates over, so that its order cannot matter.

use crate::netfilter::Chain;

/// Places of chains in open addressing; [`EMPTY`] where there is none.
#[derive(Debug, Default)]
pub(super) struct Names {
    slots: Vec<u32>,
    used: usize,
}

const EMPTY: u32 = u32::MAX;

impl Names {
    pub(super) fn find(&self, name: &str, chains: &[Chain]) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash(name) as usize & mask;
        loop {
            let id = *self.slots.get(at)?;
            if id == EMPTY {
                return None;
            }
            if chains.get(id as usize).is_some_and(|c| &*c.name == name) {
                return Some(id);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a chain that is not there yet.
    pub(super) fn add(&mut self, id: u32, chains: &[Chain]) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.rebuild((self.slots.len() * 2).max(16), chains, id);
        }
        if let Some(chain) = chains.get(id as usize) {
            self.put(&chain.name, id);
        }
    }

    /// Forgets all and adds the chains anew, as names have changed.
    pub(super) fn reset(&mut self, chains: &[Chain]) {
        let room = (chains.len() * 2 + 2).next_power_of_two().max(16);
        self.rebuild(room, chains, chains.len() as u32);
    }

    fn rebuild(&mut self, room: usize, chains: &[Chain], count: u32) {
        self.slots = vec![EMPTY; room];
        self.used = 0;
        for (id, chain) in chains.iter().enumerate().take(count as usize) {
            self.put(&chain.name, id as u32);
        }
    }

    fn put(&mut self, name: &str, id: u32) {
        let mask = self.slots.len().saturating_sub(1);
        let mut at = hash(name) as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == EMPTY {
                *slot = id;
                self.used += 1;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

/// FNV-1a, eight bytes at a time.
fn hash(name: &str) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mix = |hash: u64, word: u64| {
        let hash = (hash ^ word).wrapping_mul(PRIME);
        hash ^ hash >> 29
    };
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let start = 0xcbf2_9ce4_8422_2325 ^ name.len() as u64;
    let hash = words
        .iter()
        .fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let last = rest.iter().fold(0, |word, b| word << 8 | u64::from(*b));
    mix(hash, last)
}
