use std::collections::BTreeMap;

use super::host::HostState;
use super::proxy::{Message, Proxies};
use super::record::Recorder;
use super::skb::Skb;
use super::talk::Ends;
use crate::conntrack::Settings;
use crate::net::{Coins, IfaceName, Random, Time};
use crate::topology::{Host, HostId, World};
use crate::trace::{Action, Disposition, Drop, Journey, Part};

/// Who made an answer: an application, or a proxy of its own accord.
#[derive(Clone, Copy, Debug)]
pub(super) struct Author {
    pub host: HostId,
    pub proxy: bool,
}

/// What came of the probe's request: an answer, or with status 0 the end of the connection.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    pub by: Author,
    pub status: u16,
}

impl Ending {
    pub fn disposition(self) -> Disposition {
        match (self.by.proxy, self.status) {
            (false, _) => Disposition::Delivered,
            (true, 0) => Disposition::Closed,
            (true, _) => Disposition::Answered,
        }
    }
}

/// A run: the world's state, and what is still to happen.
pub struct Sim<'w> {
    pub(super) world: &'w World,
    hosts: Vec<Option<Box<HostState>>>,
    /// Who can take packets; the first that was met and cannot.
    is_ready: fn(&Host) -> bool,
    pub(super) unready: Option<HostId>,
    pub(super) recorder: Recorder,
    queue: BTreeMap<(u64, u64), Event>,
    next: u64,
    /// Milliseconds since the run began.
    pub now: u64,
    /// When it began, where the probe says so.
    pub(super) began: Option<Time>,
    pub(super) random: Random,
    seed: u64,
    /// Lent to whoever takes a chance; `None` where chance is free.
    pub(super) coins: Option<Coins>,
    /// By the journey of the segment that carries it.
    pub(super) messages: BTreeMap<u32, Message>,
    pub(super) proxies: Proxies<'w>,
    /// The probe's own connection, and what came of it.
    pub(super) probed: Option<(HostId, Ends)>,
    pub(super) ending: Option<Ending>,
    /// By the journey of the segment that ends a connection: whose Envoy ended it.
    pub(super) closers: BTreeMap<u32, HostId>,
}

pub(super) enum Event {
    Arrive {
        host: HostId,
        iface: IfaceName,
        skb: Box<Skb>,
    },
    /// The host stops waiting for an answer to its ARP requests.
    NoAnswer { host: HostId, skb: Box<Skb> },
    /// A proxy stops waiting for a connection.
    NoConnection { passage: usize, attempt: usize },
    /// The same where it passes bytes on.
    NoRelay { relay: usize },
    /// A request was held back long enough.
    Resume { passage: usize },
}

impl<'w> Sim<'w> {
    pub fn new(world: &'w World, seed: u64) -> Self {
        Self {
            world,
            hosts: world.hosts.iter().map(|_| None).collect(),
            is_ready: |_| true,
            unready: None,
            recorder: Recorder::default(),
            queue: BTreeMap::new(),
            next: 0,
            now: 0,
            began: None,
            random: Random::new(seed),
            seed,
            coins: None,
            messages: BTreeMap::new(),
            proxies: Proxies::default(),
            probed: None,
            ending: None,
            closers: BTreeMap::new(),
        }
    }

    /// To come to nothing where a packet meets a host that is not ready.
    pub(super) fn where_ready(self, is_ready: fn(&Host) -> bool) -> Self {
        Self { is_ready, ..self }
    }

    pub(super) fn host(&self, id: HostId) -> Option<&'w Host> {
        self.world.host(id)
    }

    /// A host's state, made when it is first needed.
    pub(super) fn state(&mut self, id: HostId) -> Option<&mut HostState> {
        let host = self.world.host(id)?;
        let seed = self.seed ^ (u64::from(id.0) << 32);
        let slot = self.hosts.get_mut(id.index())?;
        if slot.is_none() && !(self.is_ready)(host) {
            self.unready.get_or_insert(id);
            self.queue.clear();
            return None;
        }
        Some(slot.get_or_insert_with(|| Box::new(HostState::new(host, seed))))
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn take_hosts(&mut self) -> Vec<Option<Box<HostState>>> {
        std::mem::take(&mut self.hosts)
    }

    pub(super) fn settings(host: &Host) -> Settings {
        Settings {
            tcp_loose: host.sysctls.tcp_loose,
        }
    }

    pub(super) fn after(&mut self, milliseconds: u64, event: Event) {
        self.next += 1;
        let at = self.now.saturating_add(milliseconds);
        self.queue.insert((at, self.next), event);
    }

    /// Nothing more will happen by itself.
    pub(super) fn still(&mut self) {
        self.queue.clear();
    }

    /// Lets everything happen that is due until a moment.
    pub fn run_until(&mut self, end: u64) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            if let Event::NoConnection { passage, attempt } = event
                && !self.waits(passage, attempt)
            {
                continue;
            }
            self.now = self.now.max(at);
            if self.recorder.is_full() {
                self.give_up(event);
                continue;
            }
            match event {
                Event::Arrive { host, iface, skb } => self.receive(host, &iface, *skb),
                Event::NoAnswer { host, skb } => self.unreachable(host, &skb),
                Event::NoConnection { passage, .. } => self.no_connection(passage),
                Event::NoRelay { relay } => self.no_relay(relay),
                Event::Resume { passage } => self.advance(passage),
            }
        }
    }

    /// Lets something happen before all else goes on, and gives its journeys, which the record does not have.
    pub(super) fn aside(&mut self, happen: impl FnOnce(&mut Self)) -> Vec<Journey> {
        let recorder = std::mem::take(&mut self.recorder);
        let queue = std::mem::take(&mut self.queue);
        happen(self);
        self.queue = queue;
        std::mem::replace(&mut self.recorder, recorder).journeys
    }

    /// The bound on steps is reached.
    fn give_up(&mut self, event: Event) {
        if let Event::Arrive { host, iface, skb } = event {
            let part = Part::Interface(iface);
            self.recorder.step(host, &skb, part, Action::Looped);
        }
    }

    pub(super) fn step(&mut self, at: HostId, skb: &Skb, part: Part, action: Action) {
        self.recorder.step(at, skb, part, action);
    }

    pub(super) fn drop(&mut self, at: HostId, skb: &Skb, part: Part, why: Drop) {
        self.recorder.step(at, skb, part, Action::Dropped(why));
    }
}
