//! Which endpoint of a cluster takes a request: subset, priority, health and panic, locality, policy.
//! Source: `source/common/upstream/load_balancer_base.cc`, Envoy docs "Load balancing".

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::action::Subset;
use super::cluster::{Cluster, Endpoint, Fallback, Health, Policy, Ring, Subsets};
use super::dice::{Dice, gcd};
use super::hash::{murmur2, xxh64};
use crate::say;

/// What a proxy remembers between requests, and what was set by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Seconds since 1970, where that is known.
    pub time: Option<u64>,
    /// How many picks a cluster has made.
    pub rounds: BTreeMap<String, u64>,
    /// Endpoints, as cluster and address, that outlier detection has ejected.
    pub ejected: BTreeSet<(String, String)>,
}

/// An endpoint that was chosen, and all that could have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Index into the cluster's endpoints.
    pub endpoint: usize,
    /// Every endpoint that could be chosen with its share; the shares mean nothing but their proportion. One entry where
    /// nothing is left to chance.
    pub odds: Vec<(usize, u64)>,
    /// Too few hosts are healthy, so that all are used.
    pub panic: bool,
    /// How the policy went about it.
    pub how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum How {
    InTurn,
    ByChance,
    ByHash,
}

/// Why no endpoint can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NoHost {
    /// The cluster has no endpoints at all.
    Empty,
    /// It has endpoints, and none that fits the subset.
    Subset,
    /// None is healthy, and there is no panic mode.
    Unhealthy,
}

/// What is asked of a choice.
#[derive(Clone, Debug, Default)]
pub struct Wish<'a> {
    pub subset: Subset,
    pub hash: Option<u64>,
    /// Endpoints that were tried already and shall be passed over as often as this.
    pub avoid: &'a [usize],
    pub draws: u32,
}

impl Cluster {
    pub fn pick(&self, wish: &Wish, memory: &mut Memory, dice: &mut Dice) -> Result<Pick, NoHost> {
        let all = &self.assignment.endpoints;
        if all.is_empty() {
            return Err(NoHost::Empty);
        }
        let chosen = match &self.subsets {
            None => (0..all.len()).collect(),
            Some(subsets) => subsets.members(all, &wish.subset),
        };
        if chosen.is_empty() {
            return Err(NoHost::Subset);
        }
        let pool = self.pool(&chosen, memory, dice);
        if pool.drawn.is_empty() {
            return Err(NoHost::Unhealthy);
        }
        let mut pick = self.draw(&pool, wish, memory, dice);
        // A coin falls once for all draws.
        let once = dice.is_told() && pick.how == How::ByChance;
        for _ in 0..wish.draws.min(MOST_DRAWS) {
            if once || !wish.avoid.contains(&pick.endpoint) {
                break;
            }
            pick = self.draw(&pool, wish, memory, dice);
        }
        Ok(pick)
    }

    fn health(&self, endpoint: &Endpoint, memory: &Memory) -> Health {
        let ejected = memory
            .ejected
            .contains(&(self.name.clone(), endpoint.address.clone()));
        if ejected {
            Health::Unhealthy
        } else {
            endpoint.health
        }
    }

    /// The hosts of the priority and health that this request falls to.
    fn pool(&self, chosen: &[usize], memory: &Memory, dice: &mut Dice) -> Pool {
        let hosts: Vec<Host> = chosen
            .iter()
            .filter_map(|at| {
                let endpoint = self.assignment.endpoints.get(*at)?;
                let health = self.health(endpoint, memory);
                Some(Host {
                    at: *at,
                    endpoint,
                    health,
                })
            })
            .collect();
        let levels = priorities(
            &hosts,
            self.assignment.overprovisioning,
            self.panic_threshold,
        );
        let loads = levels.iter().map(|l| l.load).collect();
        let name = |at: usize| {
            let priority = levels.get(at).map_or(0, |l| l.priority);
            say!("insight/side-priority", priority = priority)
        };
        let level = dice.side(loads, self.span, name);
        let level = level.and_then(|at| levels.get(at));
        // Rings and tables are of healthy hosts alone: what falls to degraded ones looks there in vain
        // (`ThreadAwareLoadBalancerBase::refresh`).
        let hashes = matches!(self.policy, Policy::RingHash(_) | Policy::Maglev { .. });
        let of = |l: &Level| -> Vec<(usize, u64)> {
            let place = Level {
                health: if hashes { Health::Healthy } else { l.health },
                ..*l
            };
            let members = hosts.iter().filter(|h| place.takes(h));
            self.by_locality(&members.collect::<Vec<_>>())
        };
        // Shares across the priorities that take a part of the load.
        let loaded = levels.iter().filter(|l| l.load > 0);
        let odds = loaded
            .flat_map(|l| {
                let members = of(l);
                let total: u64 = members.iter().map(|(_, w)| *w).sum();
                let share = move |w: u64| (w * l.load * 10_000).checked_div(total).unwrap_or(0);
                members.into_iter().map(move |(at, w)| (at, share(w)))
            })
            .collect();
        Pool {
            odds,
            drawn: level.map(&of).unwrap_or_default(),
            panic: level.is_some_and(|l| l.panic),
        }
    }

    /// Each host's share within a priority: its locality's weight where those count, and its own.
    fn by_locality(&self, hosts: &[&Host]) -> Vec<(usize, u64)> {
        if !self.locality_weighted {
            return hosts.iter().map(|h| (h.at, h.endpoint.weight)).collect();
        }
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for host in hosts {
            *sums.entry(&host.endpoint.locality).or_default() += host.endpoint.weight;
        }
        let share = |h: &Host| {
            let locality = h.endpoint.locality_weight.unwrap_or(0);
            let sum = sums
                .get(h.endpoint.locality.as_str())
                .copied()
                .unwrap_or(1)
                .max(1);
            locality
                .saturating_mul(10_000)
                .saturating_mul(h.endpoint.weight)
                / sum
        };
        hosts
            .iter()
            .map(|h| (h.at, share(h)))
            .filter(|(_, w)| *w > 0)
            .collect()
    }

    fn draw(&self, pool: &Pool, wish: &Wish, memory: &mut Memory, dice: &mut Dice) -> Pick {
        let drawn = &pool.drawn;
        let equal = drawn.windows(2).all(|w| matches!(w, [a, b] if a.1 == b.1));
        let name = |at: usize| {
            let address = drawn.get(at).map_or("", |(at, _)| self.address(*at));
            say!("insight/side", name = address)
        };
        let by_chance = |dice: &mut Dice| {
            let weights = match dice.is_told() {
                true => drawn_again(drawn, wish),
                false => drawn.iter().map(|(_, w)| *w).collect(),
            };
            let found = dice.side(weights, self.span, name);
            let found = found.and_then(|at| drawn.get(at));
            found.or(drawn.first()).map_or(0, |(at, _)| *at)
        };
        let (endpoint, how) = match (self.policy, wish.hash) {
            (Policy::RoundRobin, _) if equal && !self.locality_weighted => {
                // Nobody knows whose turn it was: a coin falls for the first one.
                let mut first = || match dice.is_told() {
                    true => dice.side(vec![1; drawn.len()], self.span, name),
                    false => None,
                };
                let round = memory.rounds.entry(self.name.clone());
                let round = round.or_insert_with(|| first().map_or(0, |at| at as u64));
                let turn = round.checked_rem(drawn.len() as u64).unwrap_or(0);
                *round = round.wrapping_add(1);
                let at = usize::try_from(turn).ok().and_then(|t| drawn.get(t));
                (at.map_or(0, |(at, _)| *at), How::InTurn)
            }
            (Policy::RingHash(ring), Some(hash)) => (self.ring(drawn, ring, hash), How::ByHash),
            (Policy::Maglev { table }, Some(hash)) => {
                (self.maglev(drawn, table, hash), How::ByHash)
            }
            _ => (by_chance(dice), How::ByChance),
        };
        Pick {
            endpoint,
            odds: match how {
                How::ByHash => vec![(endpoint, 1)],
                _ => pool.odds.clone(),
            },
            panic: pool.panic,
            how,
        }
    }

    fn address(&self, at: usize) -> &str {
        self.assignment
            .endpoints
            .get(at)
            .map_or("", |e| e.address.as_str())
    }

    /// Each host stands on a ring as often as its weight asks for, at the hashes of `address_N`; the first at or after
    /// the request's hash takes it (`RingHashLoadBalancer::Ring`).
    fn ring(&self, hosts: &[(usize, u64)], ring: Ring, hash: u64) -> usize {
        let sum = hosts
            .iter()
            .map(|(_, w)| u128::from(*w))
            .sum::<u128>()
            .max(1);
        let least = hosts
            .iter()
            .map(|(_, w)| u128::from(*w))
            .min()
            .unwrap_or(1)
            .max(1);
        // As many copies of the lightest host as fill the ring, and of the others in proportion; no more than fit.
        let copies = (u128::from(ring.minimum) * least).div_ceil(sum);
        let most = u128::from(ring.maximum);
        let (times, of) = match copies * sum > most * least {
            true => (most, sum),
            false => (copies, least),
        };
        let (mut weights, mut placed) = (0u128, 0u128);
        let mut best: Option<(u64, usize)> = None;
        let mut first: Option<(u64, usize)> = None;
        for (at, weight) in hosts {
            weights += u128::from(*weight);
            let count = (times * weights).div_ceil(of).saturating_sub(placed);
            placed += count;
            for copy in 0..count {
                let key = format!("{}_{copy}", self.address(*at));
                let place = match ring.murmur {
                    true => murmur2(key.as_bytes()),
                    false => xxh64(key.as_bytes(), 0),
                };
                if place >= hash && best.is_none_or(|(p, _)| place < p) {
                    best = Some((place, *at));
                }
                if first.is_none_or(|(p, _)| place < p) {
                    first = Some((place, *at));
                }
            }
        }
        best.or(first).map_or(0, |(_, at)| at)
    }

    /// Hosts take the places of a table in turn, each in its own order (Eisenbud et al., "Maglev", 2016).
    fn maglev(&self, hosts: &[(usize, u64)], size: u64, hash: u64) -> usize {
        let size = size.clamp(2, 5_000_011);
        let Ok(places) = usize::try_from(size) else {
            return 0;
        };
        let most = hosts.iter().map(|(_, w)| *w).max().unwrap_or(1).max(1);
        let mut builders: Vec<(usize, u64, u64, u64, u64)> = hosts
            .iter()
            .map(|(at, weight)| {
                let key = self.address(*at).as_bytes();
                (
                    *at,
                    xxh64(key, 0) % size,
                    xxh64(key, 1) % (size - 1) + 1,
                    0,
                    *weight,
                )
            })
            .collect();
        let mut table: Vec<Option<usize>> = vec![None; places];
        let (mut filled, mut round) = (0, 0u64);
        while filled < places && !builders.is_empty() {
            round += 1;
            for (at, offset, skip, next, weight) in &mut builders {
                // A lighter host sits out some of the rounds.
                if round * *weight / most == (round - 1) * *weight / most {
                    continue;
                }
                while filled < places {
                    let place = (*offset + *skip * *next) % size;
                    *next += 1;
                    let slot = usize::try_from(place).ok().and_then(|p| table.get_mut(p));
                    match slot {
                        Some(slot @ None) => {
                            *slot = Some(*at);
                            filled += 1;
                            break;
                        }
                        Some(Some(_)) if *next < 2 * size => {}
                        _ => break,
                    }
                }
            }
            if round > 2 * size {
                break;
            }
        }
        let place = usize::try_from(hash % size).ok();
        place
            .and_then(|p| table.get(p).copied().flatten())
            .unwrap_or(0)
    }
}

/// Envoy draws again where a host was tried before, so many times at most.
const MOST_DRAWS: u32 = 100;

/// What each host weighs after all draws: one that is to be avoided is left only where every draw fell on such.
fn drawn_again(drawn: &[(usize, u64)], wish: &Wish) -> Vec<u64> {
    let step = drawn.iter().fold(0, |step, (_, w)| gcd(step, *w)).max(1);
    let weights: Vec<u64> = drawn.iter().map(|(_, w)| w / step).collect();
    let total: u64 = weights.iter().sum();
    let avoided = |(at, _): &(usize, u64)| wish.avoid.contains(at);
    let shunned = drawn.iter().filter(|d| avoided(d));
    let shunned: u64 = shunned.map(|(_, w)| w / step).sum();
    if shunned == 0 || shunned == total {
        return weights;
    }
    // With s of t shunned and k draws more, in parts of t to the k + 1: another one is its weight times the sum of s^i t^(k-i),
    // a shunned one its weight times s^k. What comes after numbers that do not fit is as good as nothing.
    let (mut other, mut again) = (1u64, 1u64);
    for _ in 0..wish.draws.min(MOST_DRAWS) {
        let next = again.checked_mul(shunned).and_then(|again| {
            let other = other.checked_mul(total)?.checked_add(again)?;
            other.checked_mul(total)?;
            Some((other, again))
        });
        let Some(next) = next else { break };
        (other, again) = next;
    }
    let weighed = drawn.iter().zip(weights);
    weighed
        .map(|(d, w)| w * if avoided(d) { again } else { other })
        .collect()
}

struct Host<'a> {
    at: usize,
    endpoint: &'a Endpoint,
    health: Health,
}

struct Pool {
    odds: Vec<(usize, u64)>,
    drawn: Vec<(usize, u64)>,
    panic: bool,
}

/// A part of the load: the healthy or the degraded hosts of a priority, or all of them in panic.
struct Level {
    priority: u32,
    health: Health,
    panic: bool,
    /// Percent.
    load: u64,
}

impl Level {
    fn takes(&self, host: &Host) -> bool {
        host.endpoint.priority == self.priority && (self.panic || host.health == self.health)
    }
}

/// How the load is spread over priorities (`LoadBalancerBase::recalculatePerPriorityState` and `…Panic`).
fn priorities(hosts: &[Host], overprovisioning: u64, threshold: u64) -> Vec<Level> {
    let numbers: BTreeSet<u32> = hosts.iter().map(|h| h.endpoint.priority).collect();
    let count = |priority: u32, health: Option<Health>| {
        let fits =
            |h: &&Host| h.endpoint.priority == priority && health.is_none_or(|x| x == h.health);
        hosts.iter().filter(fits).count() as u64
    };
    let share = |priority: u32, health: Health| {
        let all = count(priority, None);
        let of = overprovisioning * count(priority, Some(health));
        of.checked_div(all).unwrap_or(0).min(100)
    };
    let available: u64 = numbers
        .iter()
        .map(|p| share(*p, Health::Healthy) + share(*p, Health::Degraded))
        .sum();
    let total = available.min(100);
    let in_panic = |p: u32| {
        let usable = count(p, Some(Health::Healthy)) + count(p, Some(Health::Degraded));
        total < 100 && usable * 100 < threshold * count(p, None)
    };
    let mut levels = Vec::new();
    if threshold == 0 && total == 0 {
        return levels;
    }
    if numbers.iter().all(|p| in_panic(*p)) {
        // All of them: in proportion to their hosts.
        let all = hosts.len() as u64;
        for p in &numbers {
            let load = (100 * count(*p, None)).checked_div(all).unwrap_or(0);
            levels.push(Level {
                priority: *p,
                health: Health::Healthy,
                panic: true,
                load,
            });
        }
    } else {
        let mut left = 100u64;
        for health in [Health::Healthy, Health::Degraded] {
            for p in &numbers {
                let load = (share(*p, health) * 100)
                    .checked_div(total)
                    .unwrap_or(0)
                    .min(left);
                left -= load;
                let panic = in_panic(*p);
                levels.push(Level {
                    priority: *p,
                    health,
                    panic,
                    load,
                });
            }
        }
    }
    // What rounding left over goes to the first that has any.
    let given: u64 = levels.iter().map(|l| l.load).sum();
    if let Some(first) = levels.iter_mut().find(|l| l.load > 0) {
        first.load += 100u64.saturating_sub(given);
    }
    levels
}

impl Subsets {
    /// The endpoints of the subset that a route asks for, or what stands in for it (`SubsetLoadBalancer`).
    fn members(&self, all: &[Endpoint], wanted: &Subset) -> Vec<usize> {
        let keys: BTreeSet<&String> = wanted.keys().collect();
        let known = self
            .selectors
            .iter()
            .any(|s| s.iter().eq(keys.iter().copied()));
        let matching = |subset: &Subset| -> Vec<usize> {
            let fits = |e: &Endpoint| subset.iter().all(|(k, v)| e.metadata.get(k) == Some(v));
            let found = all.iter().enumerate().filter(|(_, e)| fits(e));
            found.map(|(at, _)| at).collect()
        };
        if !wanted.is_empty() && known {
            let found = matching(wanted);
            if !found.is_empty() {
                return found;
            }
        }
        match self.fallback {
            Fallback::None => Vec::new(),
            Fallback::Any => (0..all.len()).collect(),
            Fallback::Default => matching(&self.default),
        }
    }
}
