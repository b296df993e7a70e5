//! The paragraphs in their order, and how each finds its step.

use northsouth::topology::HostKind;
use northsouth::trace::{Action, Field, Part, Role, Step};
use northsouth::workspace::Run;

use super::Stop;
use crate::view_model::balancer::Mode;
use crate::view_model::explain::chains;
use crate::view_model::walk::{Moment, Walk, step as step_at};

macro_rules! stops {
    ($($mode:ident $name:literal $finds:expr;)*) => {
        [$(Stop {
            mode: Mode::$mode,
            finds: $finds,
            name: $name,
        }),*]
    };
}

pub static STOPS: [Stop; 12] = stops! {
    Keep "01-client" |run, walk| first(run, walk, |s| s.kind == HostKind::Client);
    Keep "02-balancer" |run, walk| first(run, walk, |s| matches!(s.step.action, Action::Balanced(_)));
    Keep "03-eth0" |run, walk| first(run, walk, |s| {
        s.kind == HostKind::Node && matches!(s.step.action, Action::Arrived)
    });
    Keep "04-services" |run, walk| first(run, walk, |s| s.jumps("KUBE-SERVICES", "KUBE-FW-"));
    Keep "05-local" |run, walk| first(run, walk, |s| s.jumps("KUBE-XLB-", "KUBE-SEP-"));
    Keep "06-dnat" |run, walk| first(run, walk, |s| {
        s.kind == HostKind::Node && s.changes(Field::Destination)
    });
    Keep "07-routing" |run, walk| first(run, walk, |s| {
        s.kind == HostKind::Node && matches!(s.step.action, Action::Routed(_))
    });
    Keep "08-bridge" |run, walk| first(run, walk, |s| {
        s.kind == HostKind::Node && matches!(s.step.action, Action::Bridged(_))
    });
    Keep "09-pod" |run, walk| first(run, walk, |s| {
        s.kind == HostKind::Pod && matches!(s.step.action, Action::Delivered(_))
    });
    Keep "10-reply" |run, walk| find(run, walk, |s| {
        s.moment.role == Role::Reply && s.kind == HostKind::Node && s.changes(Field::Source)
    });
    RewriteDestination "11-rewrite" |run, walk| first(run, walk, |s| {
        s.kind == HostKind::LoadBalancer && s.changes(Field::Destination)
    });
    RewriteDestination "12-counters" |run, walk| first(run, walk, |s| s.jumps("KUBE-SERVICES", "KUBE-NODEPORTS"));
};

/// A step as the tour looks at it.
struct Seen<'a> {
    run: &'a Run,
    moment: &'a Moment,
    step: &'a Step,
    kind: HostKind,
}

impl Seen<'_> {
    fn changes(&self, field: Field) -> bool {
        self.moment.changed.contains(&field)
    }

    /// A rule of one chain sends the packet to another; both by the beginnings of their names.
    fn jumps(&self, from: &str, to: &str) -> bool {
        let Action::Rule(rule) = &self.step.action else {
            return false;
        };
        let host = self.run.world.host(self.moment.place.host);
        let table = host.and_then(|host| chains::table_of(host, rule));
        let name = |at: usize| {
            let step = rule.visit.traversal.steps.get(at)?;
            Some(table?.chain(step.chain)?.name)
        };
        let at = rule.at as usize;
        name(at).is_some_and(|n| n.starts_with(from))
            && name(at + 1).is_some_and(|n| n.starts_with(to))
            && matches!(self.moment.place.part, Part::Hook(_))
    }
}

/// The first step of a request that is as wanted.
fn first(run: &Run, walk: &Walk, wanted: impl Fn(&Seen) -> bool) -> Option<usize> {
    find(run, walk, |s| s.moment.role == Role::Request && wanted(s))
}

fn find(run: &Run, walk: &Walk, wanted: impl Fn(&Seen) -> bool) -> Option<usize> {
    walk.moments.iter().position(|moment| {
        let step = step_at(&run.trace, moment.position);
        let host = run.world.host(moment.place.host);
        step.zip(host).is_some_and(|(step, host)| {
            wanted(&Seen {
                run,
                moment,
                step,
                kind: host.kind,
            })
        })
    })
}
