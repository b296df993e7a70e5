//! A trace as text: journey by journey, machine by machine, step by step.

use std::fmt::Write;

use super::{Action, Field, Hop, Journey, Part, Role, Step, Trace, tell, why};
use crate::net::{Packet, TcpFlags, Transport};
use crate::say;
use crate::text::{Lang, Outcome, Reason, Say, Why};
use crate::topology::{HostId, World};

/// How much of a trace to print.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    pub lang: Lang,
    /// Every journey step by step, and the packets that asked for neighbours in a line each. Otherwise the first one and the first answer are; the others take a line each.
    pub all: bool,
    /// Below each step why it happened: what held (`+`), and of rules and routes passed over, what did not (`-`).
    pub why: bool,
}

pub fn print(world: &World, trace: &Trace, style: Style) -> String {
    let mut printer = Printer {
        world,
        lang: style.lang,
        all: style.all,
        why: style.why,
        out: String::new(),
    };
    let mut answered = false;
    for (at, journey) in trace.journeys.iter().enumerate() {
        let first_answer = journey.role != Role::Request && !answered;
        answered |= first_answer;
        if style.all || at == 0 || first_answer || journey.opens() {
            printer.journey(at, journey);
        } else {
            printer.brief(at, journey);
        }
    }
    let end = printer.text(trace.ending(world));
    let _ = writeln!(printer.out, "{end}");
    printer.out
}

/// `tcp 203.0.113.9:40000 > 182.92.251.227:80 SYN`
pub fn summary(packet: &Packet) -> String {
    let end = |addr: std::net::IpAddr, port: Option<u16>| match port {
        Some(port) => std::net::SocketAddr::new(addr, port).to_string(),
        None => addr.to_string(),
    };
    let mut text = format!(
        "{} {} > {}",
        packet.protocol(),
        end(packet.src, packet.sport()),
        end(packet.dst, packet.dport())
    );
    match &packet.transport {
        Transport::Tcp { flags, .. } => {
            let _ = write!(text, " {flags}");
        }
        Transport::Icmp(icmp) => {
            let _ = write!(text, " {}/{}", icmp.kind, icmp.code);
            if let Some(about) = &icmp.about {
                let _ = write!(text, " ({})", summary(about));
            }
        }
        _ => {}
    }
    text
}

impl Journey {
    /// The first packet of a connection, or one of a protocol that opens none.
    pub fn opens(&self) -> bool {
        match self.packet.packet.transport {
            Transport::Tcp { flags, .. } => flags == TcpFlags::SYN,
            _ => self.role == Role::Request,
        }
    }
}

struct Printer<'a> {
    world: &'a World,
    lang: Lang,
    all: bool,
    why: bool,
    out: String,
}

impl Printer<'_> {
    fn text(&self, say: Say) -> String {
        say.text(self.lang)
    }

    fn heading(&mut self, at: usize, journey: &Journey) {
        let role = self.text(match journey.role {
            Role::Request => say!("trace/role-request"),
            Role::Reply => say!("trace/role-reply"),
            Role::Error => say!("trace/role-error"),
        });
        // The sender's kernel chooses the source in the first step.
        let made = journey.hops.iter().find_map(|h| h.steps.first());
        let packet = made.map_or(&journey.packet.packet, |s| &s.after.packet);
        let _ = writeln!(self.out, "{} {role}  {}", at + 1, summary(packet));
    }

    fn brief(&mut self, at: usize, journey: &Journey) {
        self.heading(at, journey);
        let way = self.way(journey);
        let _ = writeln!(self.out, "  {way}");
        for hop in &journey.hops {
            let by_envoy = |s: &&Step| matches!(s.part, Part::Envoy(_));
            if hop.steps.iter().any(|s| by_envoy(&s)) {
                self.steps(hop, hop.steps.iter().filter(by_envoy));
            }
        }
        self.out.push('\n');
    }

    /// The machines that it came to, and how it ended.
    fn way(&self, journey: &Journey) -> String {
        let names: Vec<_> = journey.hops.iter().map(|h| self.name(h.host)).collect();
        let end = self.text(journey.disposition.say());
        format!("{}: {end}", names.join(" → "))
    }

    fn journey(&mut self, at: usize, journey: &Journey) {
        self.heading(at, journey);
        for hop in &journey.hops {
            self.hop(hop);
        }
        let end = self.text(journey.disposition.say());
        let _ = writeln!(self.out, "  {end}\n");
    }

    fn name(&self, host: HostId) -> String {
        self.world
            .host(host)
            .map_or_else(String::new, |h| h.name.to_string())
    }

    fn hop(&mut self, hop: &Hop) {
        self.steps(hop, hop.steps.iter());
    }

    fn steps<'s>(&mut self, hop: &Hop, steps: impl Iterator<Item = &'s Step>) {
        let name = self.name(hop.host);
        let _ = writeln!(self.out, "  {name}");
        let mut last = String::new();
        for step in steps {
            // The label of a hook's steps tells as much.
            if matches!(step.action, Action::Hook(_)) {
                continue;
            }
            let label = self.label(&step.part, &step.action);
            let shown = if label == last { "" } else { &label };
            let indent = "  ".repeat(step.depth().saturating_sub(1));
            let told = self.text(tell(self.world, hop.host, step));
            let changes = self.changes(step);
            let _ = writeln!(self.out, "    {}{indent}{told}{changes}", pad(shown, LABEL));
            if self.why {
                self.reasons(step, &why(self.world, hop.host, step), &indent);
            }
            if self.all
                && let Action::Resolved(neighbour) = &step.action
            {
                neighbour.asked.iter().for_each(|j| self.question(j));
            }
            last = label;
        }
    }

    /// A packet that asked for a neighbour, or answered.
    fn question(&mut self, journey: &Journey) {
        let packet = summary(&journey.packet.packet);
        let way = self.way(journey);
        let _ = writeln!(self.out, "    {}{packet}  {way}", pad("", LABEL));
    }

    fn label(&self, part: &Part, action: &Action) -> String {
        match (part, action) {
            (_, Action::Tracked(_) | Action::Confirmed(_)) => "conntrack".to_string(),
            (Part::Process, _) => self.text(say!("trace/part-process")),
            (Part::Interface(name) | Part::Bridge(name), _) => name.to_string(),
            (Part::Hook(hook), _) => hook.to_string(),
            (Part::Conntrack, _) => "conntrack".to_string(),
            (Part::Routing, _) => self.text(say!("trace/part-routing")),
            (Part::Neighbour, _) => self.text(say!("trace/part-neighbour")),
            (Part::Balancer, _) => self.text(say!("trace/part-balancer")),
            (Part::Envoy(_), _) => self.text(say!("trace/part-envoy")),
        }
    }

    /// What changed, but for what the labels and sentences tell already.
    fn changes(&self, step: &Step) -> String {
        let ipv6 = step.after.packet.dst.is_ipv6();
        let told: Vec<_> = step
            .changes
            .iter()
            .filter_map(|change| {
                let field = match change.field {
                    Field::Source => say!("trace/field-source"),
                    Field::SourcePort => say!("trace/field-source-port"),
                    Field::Destination => say!("trace/field-destination"),
                    Field::DestinationPort => say!("trace/field-destination-port"),
                    Field::Tos if ipv6 => say!("trace/field-traffic-class"),
                    Field::Tos => say!("trace/field-tos"),
                    Field::Mark => say!("trace/field-mark"),
                    Field::ConntrackState if !change.after.is_empty() => {
                        return Some(change.after.clone());
                    }
                    Field::Ttl
                    | Field::InInterface
                    | Field::OutInterface
                    | Field::ConntrackState => return None,
                };
                let field = self.text(field);
                Some(format!("{field} {} → {}", change.before, change.after))
            })
            .collect();
        if told.is_empty() {
            String::new()
        } else {
            format!("  [{}]", told.join(", "))
        }
    }

    fn reasons(&mut self, step: &Step, why: &Why, indent: &str) {
        // Rules passed over are told by their number, the one that acted was printed above.
        let first = match &step.action {
            Action::Rule(rule) => rule.step().map(|s| u64::from(s.passed_from) + 1),
            _ => None,
        };
        for (at, reason) in (0..).zip(&why.passed_over) {
            let named = first.map(|first| format!("{}: ", first + at));
            self.reason(reason, named.as_deref(), indent, 0);
        }
        for reason in &why.decided {
            self.reason(reason, None, indent, 0);
        }
    }

    fn reason(&mut self, reason: &Reason, named: Option<&str>, indent: &str, depth: usize) {
        let mark = match reason.outcome {
            Outcome::Held => '+',
            Outcome::Failed => '-',
            Outcome::NotTried => '.',
            Outcome::CannotTell => '?',
        };
        let told = self.text(reason.say.clone());
        let text = match (named, &*reason.text) {
            (Some(named), _) => named.to_string(),
            (None, "") => String::new(),
            (None, text) => format!("{text}: "),
        };
        let _ = writeln!(
            self.out,
            "    {}{indent}  {}{mark} {text}{told}",
            pad("", LABEL),
            "  ".repeat(depth)
        );
        // A rule passed over says by itself which criterion failed.
        if depth == 0 && reason.outcome == Outcome::Failed {
            return;
        }
        for child in &reason.children {
            self.reason(child, None, indent, depth + 1);
        }
    }
}

/// Columns for the part of a machine.
const LABEL: usize = 13;

/// Padded to columns, where a character of East Asian scripts takes two.
fn pad(text: &str, columns: usize) -> String {
    let width: usize = text
        .chars()
        .map(|c| if c >= '\u{1100}' { 2 } else { 1 })
        .sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(width).max(1)))
}
