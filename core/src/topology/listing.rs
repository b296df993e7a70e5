//! What `ss` and `sysctl` print of a host.

use std::net::{IpAddr, Ipv6Addr};

use super::{Service, Socket, Sysctls};
use crate::net::Protocol;
use crate::netfilter::names;
use crate::say;
use crate::text::{Diagnostic, FileId, Line, Word, lines};

/// The waiting sockets of `ss -lntup`, with or without its first column, and of `netstat -lntup`
/// (iproute2 `misc/ss.c`; net-tools `netstat.c`).
pub fn sockets(text: &str, file: FileId) -> (Vec<Socket>, Vec<Diagnostic>) {
    let mut sockets = Vec::new();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside() && !is_heading(l) && !goes_on(l)) {
        match socket(&line) {
            Ok(socket) => sockets.extend(socket),
            Err(d) => diagnostics.push(d),
        }
    }
    (sockets, diagnostics)
}

fn is_heading(line: &Line<'_>) -> bool {
    let first = line.words().next().map_or("", |w| w.text);
    matches!(first, "Netid" | "State" | "Proto" | "Active")
}

/// `ss -i` and its like say more of a socket in a line below it, behind a tab. A text that was indented as a whole has sockets
/// there.
fn goes_on(line: &Line<'_>) -> bool {
    let first = line.words().next().map_or("", |w| w.text);
    line.text.starts_with('\t') && kind(first).is_none()
}

/// What a line's first word says: the protocol of a socket; `Some(None)` for one that waits for nobody, or that no packet of
/// the model reaches. `None`: it is no socket's.
fn kind(word: &str) -> Option<Option<Protocol>> {
    Some(match word {
        "udp" | "udp6" | "UNCONN" => Some(Protocol::UDP),
        "tcp" | "tcp6" | "LISTEN" => Some(Protocol::TCP),
        "sctp" => Some(Protocol::SCTP),
        // Connections, where `ss` was asked for one protocol and leaves it out.
        "ESTAB" | "SYN-SENT" | "SYN-RECV" | "FIN-WAIT-1" | "FIN-WAIT-2" | "TIME-WAIT"
        | "CLOSE-WAIT" | "LAST-ACK" | "CLOSING" | "CLOSED" => None,
        "nl" | "u_str" | "u_dgr" | "u_seq" | "p_raw" | "p_dgr" | "raw" | "icmp6" | "unix"
        | "raw6" | "mptcp" | "v_str" => None,
        _ => return None,
    })
}

/// `None`: a socket that waits for nobody, such as an open connection.
fn socket(line: &Line<'_>) -> Result<Option<Socket>, Diagnostic> {
    let words: Vec<_> = line.words().collect();
    let first = words.first().map_or("", |w| w.text);
    let not_ss = || {
        let said = say!("texts/not-ss", line = line.text.trim());
        Diagnostic::error(line.span, said).help(say!("texts/not-ss-help"))
    };
    let Some(protocol) = kind(first).ok_or_else(not_ss)? else {
        return Ok(None);
    };
    let state = words.iter().map(|w| w.text).find(|w| {
        w.len() > 3
            && w.bytes()
                .all(|b| b.is_ascii_uppercase() || b == b'-' || b.is_ascii_digit())
            && w.starts_with(|c: char| c.is_ascii_uppercase())
    });
    let waits = match protocol {
        Protocol::TCP => matches!(state, Some("LISTEN" | "UNCONN")),
        // One that is connected gets only what its peer sends.
        _ => !matches!(state, Some("ESTAB" | "ESTABLISHED")),
    };
    if !waits {
        return Ok(None);
    }
    let local = words.iter().find(|w| w.text.contains(':'));
    let local = local.ok_or_else(not_ss)?;
    let (addr, port) = address(*local, first.ends_with('6'))?;
    let process = words.iter().find_map(|w| owner(w.text)).unwrap_or("-");
    Ok(Some(Socket {
        protocol,
        addr,
        port,
        transparent: false,
        process: process.into(),
        service: Service::Answers,
        span: Some(line.span),
    }))
}

/// `0.0.0.0:80`, `*:80`, `[::]:80`, `:::80`, `127.0.0.53%lo:53`
/// A name of the host itself is of the family that the line's first word tells: `tcp6`
fn address(word: Word<'_>, ipv6: bool) -> Result<(IpAddr, u16), Diagnostic> {
    let bad = || Diagnostic::error(word.span, say!("texts/bad-socket", word = word.text));
    let (addr, port) = word.text.rsplit_once(':').ok_or_else(bad)?;
    // Without `-n` both are names.
    let named = || names::port(port, None);
    let port = port.parse().ok().or_else(named).ok_or_else(bad)?;
    let addr = addr.split('%').next().unwrap_or(addr);
    let addr = match addr.trim_start_matches('[').trim_end_matches(']') {
        // `*` is a socket of IPv6 that takes IPv4 as well; `[::]`, one that does not, is taken for such a one.
        "*" | "::" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        addr => (addr.parse().ok())
            .or_else(|| match names::host(addr) {
                Some(a) if ipv6 && a.is_loopback() => Some(Ipv6Addr::LOCALHOST.into()),
                named => named,
            })
            .ok_or_else(bad)?,
    };
    Ok((addr, port))
}

/// `users:(("envoy",pid=23,fd=70))`, or netstat's `23/envoy`.
fn owner(word: &str) -> Option<&str> {
    if let Some(users) = word.strip_prefix("users:((\"") {
        return users.split('"').next();
    }
    let (pid, name) = word.split_once('/')?;
    pid.parse::<u32>().ok()?;
    Some(name.trim_end_matches(':'))
}

/// `KEY = VALUE`, as `sysctl -a` prints it and `sysctl.conf` takes it. Settings that the model does not know change nothing
/// in it; a value that does not fit a known setting is said.
pub fn sysctls(text: &str, file: FileId) -> (Sysctls, Vec<Diagnostic>) {
    let mut sysctls = Sysctls::default();
    let mut diagnostics = Vec::new();
    // What changes all interfaces comes first, as it does when a host starts; an interface's own line then has the last word.
    let mut own = Vec::new();
    for line in lines(text, file).filter(is_setting) {
        let whole = Word {
            text: line.text,
            span: line.span,
        };
        let Some((key, value)) = whole.split_once('=') else {
            diagnostics.push(Diagnostic::error(
                line.span,
                say!("texts/not-sysctl", line = line.text.trim()),
            ));
            continue;
        };
        let name = key.text.trim().trim_start_matches('-').replace('/', ".");
        let of_interface = name
            .strip_prefix("net.ipv4.conf.")
            .is_some_and(|rest| !rest.starts_with("all.") && !rest.starts_with("default."));
        if of_interface {
            own.push((name, value));
        } else {
            set(&mut sysctls, &name, value, &mut diagnostics);
        }
    }
    for (name, value) in own {
        set(&mut sysctls, &name, value, &mut diagnostics);
    }
    (sysctls, diagnostics)
}

/// No comment, nor what it complains of: `sysctl: permission denied on key …`.
fn is_setting(line: &Line<'_>) -> bool {
    !line.is_aside() && !line.text.starts_with(';') && !line.text.starts_with("sysctl: ")
}

fn set(sysctls: &mut Sysctls, name: &str, value: Word<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if sysctls.set(name, value.text.trim()) {
        return;
    }
    // A known setting takes at least one of these.
    let known = ["0", "1", "64", "1024 2048"]
        .iter()
        .any(|v| sysctls.clone().set(name, v));
    if known {
        diagnostics.push(Diagnostic::error(
            value.span,
            say!("texts/bad-sysctl", key = name, value = value.text.trim()),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ss_gives_who_waits_where() {
        let text = "\
Netid  State   Recv-Q  Send-Q   Local Address:Port   Peer Address:Port  Process
tcp    LISTEN  0       128            0.0.0.0:80          0.0.0.0:*      users:((\"envoy\",pid=23,fd=70))
tcp    LISTEN  0       128                  *:15020             *:*
tcp    ESTAB   0       0           172.20.1.157:80       203.0.113.9:40000
udp    UNCONN  0       0      127.0.0.53%lo:53          0.0.0.0:*      users:((\"systemd-resolve\",pid=1,fd=2))
tcp    LISTEN  0       128               [::]:22             [::]:*
";
        let (sockets, diagnostics) = sockets(text, FileId(0));
        assert_eq!(diagnostics, []);
        let told: Vec<_> = sockets
            .iter()
            .map(|s| format!("{} {}:{} {}", s.protocol, s.addr, s.port, s.process))
            .collect();
        assert_eq!(
            told,
            [
                "tcp 0.0.0.0:80 envoy",
                "tcp :::15020 -",
                "udp 127.0.0.53:53 systemd-resolve",
                "tcp :::22 -"
            ]
        );
    }

    #[test]
    fn who_talks_waits_for_nobody() {
        let text = "\
State      Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
LISTEN     0      128          0.0.0.0:2024       0.0.0.0:*    ino:1594 sk:1001 cgroup:/ <->
\t bbr cwnd:10
FIN-WAIT-2 0      0          127.0.0.1:35977    127.0.0.1:54754
ESTAB      0      0          127.0.0.1:35977    127.0.0.1:54756
udp        ESTAB  0 0        10.0.0.1:5353      10.0.0.2:53
";
        let (sockets, diagnostics) = sockets(text, FileId(0));
        assert_eq!(diagnostics, []);
        let ports: Vec<_> = sockets.iter().map(|s| s.port).collect();
        assert_eq!(ports, [2024]);
    }

    #[test]
    fn netstat_reads_alike() {
        let text = "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\ntcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      911/sshd\nudp        0      0 127.0.0.1:323           0.0.0.0:*                           700/chronyd\n";
        let (sockets, diagnostics) = sockets(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(&*sockets[0].process, "sshd");
        assert_eq!((&*sockets[1].process, sockets[1].port), ("chronyd", 323));
    }

    #[test]
    fn names_of_ports_and_of_the_host_itself_are_read() {
        let text = "tcp  LISTEN 0 128 0.0.0.0:ssh 0.0.0.0:*\ntcp6 0 0 localhost:smtp [::]:* LISTEN\nudp UNCONN 0 0 127.0.0.53%lo:domain 0.0.0.0:*\n";
        let (sockets, diagnostics) = sockets(text, FileId(0));
        assert_eq!(diagnostics, []);
        let told: Vec<_> = (sockets.iter())
            .map(|s| format!("{}:{}", s.addr, s.port))
            .collect();
        assert_eq!(told, ["0.0.0.0:22", "::1:25", "127.0.0.53:53"]);
    }

    #[test]
    fn an_indented_text_reads_alike() {
        let text = "\tNetid State Recv-Q Send-Q Local Address:Port\n\ttcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n\t bbr cwnd:10\n\tudp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*\n";
        let (sockets, diagnostics) = sockets(text, FileId(0));
        assert_eq!(diagnostics, []);
        let ports: Vec<_> = sockets.iter().map(|s| s.port).collect();
        assert_eq!(ports, [80, 53]);
    }

    #[test]
    fn a_line_of_something_else_is_said() {
        let (_, diagnostics) = sockets(
            "nginx is running\ntcp LISTEN 0 128 0.0.0.0:what *:*\n",
            FileId(0),
        );
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(codes, ["texts/not-ss", "texts/bad-socket"]);
    }

    #[test]
    fn an_interfaces_own_setting_has_the_last_word() {
        let text = "sysctl: permission denied on key 'fs.protected_fifos'\nnet.ipv4.conf.eth0.forwarding = 0\nnet.ipv4.ip_forward = 1\nkernel.pid_max = 4194304\nnet.bridge.bridge-nf-call-iptables=0\n";
        let (sysctls, diagnostics) = sysctls(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert!(!sysctls.forwarding("eth0") && sysctls.forwarding("cni0"));
        assert!(!sysctls.bridge_nf);
    }

    #[test]
    fn a_value_that_does_not_fit_is_said() {
        let (_, diagnostics) = sysctls("net.ipv4.conf.all.rp_filter = 7\nip_forward\n", FileId(0));
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(
            codes,
            ["texts/not-sysctl", "texts/bad-sysctl"]
                .into_iter()
                .rev()
                .collect::<Vec<_>>()
        );
    }
}
