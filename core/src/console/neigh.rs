use std::collections::BTreeMap;
use std::fmt::Write;

use super::Answer;
use super::args::Args;
use super::machine::Machine;
use super::route::{iface, shows};
use crate::net::IpFamily;
use crate::trace::Action;

/// `ip neigh`: those that were written down, those learnt in the run, and those that did not answer.
pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>, family: Option<IpFamily>) -> Answer {
    shows(args)?;
    let mut dev = None;
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "dev" => dev = Some(iface(machine, args.value(word)?)?),
            _ => return Err(args.not_taken(word)),
        }
    }
    let mut all = BTreeMap::new();
    for step in machine.steps() {
        if let Action::Resolved(neighbour) = &step.action
            && neighbour.mac.is_none()
        {
            all.insert(
                (neighbour.dev.clone(), neighbour.addr),
                "FAILED".to_string(),
            );
        }
    }
    for ((dev, addr), entry) in &machine.state.neighbours {
        let (mac, state) = (entry.mac, entry.name(machine.run.after.now));
        all.insert((dev.clone(), *addr), format!("lladdr {mac} {state}"));
    }
    let mut out = String::new();
    all.retain(|(_, addr), _| family.is_none_or(|f| IpFamily::of(*addr) == f));
    for ((on, addr), rest) in all {
        match &dev {
            Some(dev) if *dev != on => {}
            // What was asked for is not printed again.
            Some(_) => {
                let _ = writeln!(out, "{addr} {rest} ");
            }
            None => {
                let _ = writeln!(out, "{addr} dev {on} {rest} ");
            }
        }
    }
    Ok(out.into())
}
