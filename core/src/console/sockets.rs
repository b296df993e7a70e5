//! `ss -lntup` (iproute2 `misc/ss.c`).

use std::fmt::Write;

use super::Answer;
use super::args::Args;
use super::machine::Machine;
use crate::net::Protocol;
use crate::say;
use crate::text::Diagnostic;
use crate::topology::Socket;

pub(super) const USAGE: &str = "ss -l[n][t][u][p]";

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool;
    let (mut listening, mut tcp, mut udp, mut owners) = (false, false, false, false);
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "--listening" => listening = true,
            "--tcp" => tcp = true,
            "--udp" => udp = true,
            "--processes" => owners = true,
            "--numeric" => {}
            text => {
                let letters = text.strip_prefix('-').filter(|l| !l.is_empty());
                for letter in letters.ok_or_else(|| args.not_taken(word))?.chars() {
                    match letter {
                        'l' => listening = true,
                        't' => tcp = true,
                        'u' => udp = true,
                        'p' => owners = true,
                        'n' | '4' => {}
                        _ => return Err(args.not_taken(word)),
                    }
                }
            }
        }
    }
    if !listening {
        let said = say!("console/only-listening");
        return Err(
            Diagnostic::error(tool.span, said).help(say!("console/usage", usage = args.usage))
        );
    }
    let both = tcp == udp;
    let wanted = |s: &&Socket| match s.protocol {
        Protocol::TCP => tcp || both,
        Protocol::UDP => udp || both,
        _ => both,
    };
    let mut sockets: Vec<_> = machine.host.sockets.iter().filter(wanted).collect();
    sockets.sort_by_key(|s| s.protocol != Protocol::UDP);
    Ok(table(&sockets, both, owners).into())
}

/// In columns as wide as what stands in them. The length of queues is not modelled: they are empty, and the backlog is
/// 128.
fn table(sockets: &[&Socket], protocols: bool, owners: bool) -> String {
    let mut rows = vec![[
        "Netid".to_string(),
        "State".to_string(),
        "Recv-Q".to_string(),
        "Send-Q".to_string(),
        "Local Address:".to_string(),
        "Port".to_string(),
        "Peer Address:".to_string(),
        "Port".to_string(),
        "Process".to_string(),
    ]];
    for s in sockets {
        let (state, backlog) = match s.protocol {
            Protocol::UDP => ("UNCONN", "0"),
            _ => ("LISTEN", "128"),
        };
        let (addr, peer) = match s.addr.is_ipv4() {
            true => (s.addr.to_string(), "0.0.0.0"),
            // It takes IPv4 as well.
            false if s.addr.is_unspecified() => ("*".to_string(), "*"),
            false => (format!("[{}]", s.addr), "[::]"),
        };
        let owner = match &*s.process {
            "-" => String::new(),
            _ if !owners => String::new(),
            name => format!("users:((\"{name}\"))"),
        };
        rows.push([
            s.protocol.to_string(),
            state.to_string(),
            "0".to_string(),
            backlog.to_string(),
            format!("{addr}:"),
            s.port.to_string(),
            format!("{peer}:"),
            "*".to_string(),
            owner,
        ]);
    }
    let mut widths = [0; 9];
    for row in &rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.len().max(*width);
        }
    }
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (at, (text, width)) in row.iter().zip(widths).enumerate() {
            let _ = match at {
                0 if !protocols => Ok(()),
                // An address ends where its port begins.
                4 | 6 => write!(line, "{text:>width$}"),
                _ => write!(line, "{text:<width$}  "),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
