//! `tcpdump -n`: the packets of the trace that an interface saw.

mod filter;
mod line;

use std::fmt::Write;

use super::args::Args;
use super::machine::Machine;
use super::{Answer, Output, route};
use crate::net::IfaceName;
use crate::say;
use crate::text::Diagnostic;
use crate::trace::sightings;

use filter::Filter;

pub(super) const USAGE: &str = "\
tcpdump -i IFACE|any [-n] [-c COUNT] [EXPRESSION]
EXPRESSION: [src|dst] host ADDRESS, [src|dst] net PREFIX, [src|dst] port PORT, tcp, udp, icmp, with and, or, not, ( )";

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool.span;
    let mut only: Option<IfaceName> = None;
    let (mut any, mut most, mut words) = (false, usize::MAX, Vec::new());
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "-i" | "--interface" => {
                let value = args.value(word)?;
                any = value.text == "any";
                only = match any {
                    true => None,
                    false => Some(route::iface(machine, value)?),
                };
            }
            "-c" => most = args.parse(word)?,
            text => match text.strip_prefix('-').filter(|l| !l.is_empty()) {
                // Names, times and buffering: the model has none of them to leave out.
                Some(letters) if letters.chars().all(|c| matches!(c, 'n' | 't' | 'l')) => {}
                Some(letters) if letters.ends_with('i') && letters.len() <= 4 => {
                    let value = args.value(word)?;
                    any = value.text == "any";
                    only = match any {
                        true => None,
                        false => Some(route::iface(machine, value)?),
                    };
                }
                Some(_) => return Err(args.not_taken(word)),
                None => words.push(word),
            },
        }
    }
    // As tcpdump does, the first interface that is up.
    if only.is_none() && !any {
        let first = machine
            .host
            .interfaces
            .iter()
            .find(|i| i.up && !i.is_loopback());
        only = first.map(|i| i.name.clone());
    }
    let filter = Filter::parse(&words, args)?;
    let mut text = String::new();
    let mut count = 0;
    for journey in &machine.run.trace.journeys {
        for seen in sightings(journey) {
            let wanted = only.as_ref().is_none_or(|o| o == seen.iface);
            if seen.host != machine.id || count == most || !wanted || !filter.takes(seen.packet) {
                continue;
            }
            count += 1;
            if any {
                let way = if seen.comes { "In" } else { "Out" };
                let _ = write!(text, "{:<5} {way:<3} ", seen.iface.as_str());
            }
            line::write(seen.packet, seen.wrapped, &mut text);
        }
    }
    let note = Diagnostic::note(tool, say!("console/tcpdump-left-out"));
    Ok(Output::from(text).note(note))
}
