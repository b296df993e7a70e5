use std::fmt::Write;

use super::Answer;
use super::args::Args;
use super::machine::Machine;

pub(super) const USAGE: &str = "\
sysctl [-n] NAME…
sysctl -a";

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let (mut bare, mut all, mut names) = (false, false, Vec::new());
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "-n" | "--values" => bare = true,
            "-a" | "-A" | "--all" => all = true,
            "-w" | "--write" | "-p" => return Err(args.only_looks(word)),
            text if text.starts_with('-') => return Err(args.not_taken(word)),
            text if text.contains('=') => return Err(args.only_looks(word)),
            text => names.push(text.to_string()),
        }
    }
    if all {
        names = self::names(machine);
    } else if names.is_empty() {
        return Err(args.not_taken(args.tool));
    }
    let sysctls = &machine.host.sysctls;
    let mut out = String::new();
    for name in &names {
        let name = name.replace('/', ".");
        let _ = match sysctls.value(&name).filter(|_| exists(machine, &name)) {
            Some(value) if bare => writeln!(out, "{value}"),
            Some(value) => writeln!(out, "{name} = {value}"),
            None => writeln!(
                out,
                "sysctl: cannot stat /proc/sys/{}: No such file or directory",
                name.replace('.', "/")
            ),
        };
    }
    Ok(out.into())
}

/// An interface's settings are there while it is.
fn exists(machine: &Machine<'_>, name: &str) -> bool {
    let iface = name
        .strip_prefix("net.ipv4.conf.")
        .and_then(|rest| rest.rsplit_once('.'));
    iface.is_none_or(|(iface, _)| {
        matches!(iface, "all" | "default") || machine.host.interface(iface).is_some()
    })
}

/// All settings that the model knows of, by name.
pub(super) fn names(machine: &Machine<'_>) -> Vec<String> {
    let ifaces = machine.host.interfaces.iter().map(|i| i.name.as_str());
    let mut names = machine.host.sysctls.names(ifaces);
    names.sort_unstable();
    names
}
