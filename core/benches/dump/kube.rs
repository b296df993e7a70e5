//! A node's nat table as kube-proxy fills it: services with a cluster IP and three endpoints each.

use std::fmt::Write;

/// `iptables-save` text with about that many rules, the same each time.
pub fn dump(rules: usize) -> String {
    // A service makes one rule in KUBE-SERVICES, four in its own chain and two for each endpoint.
    let services = rules / 11;
    let mut text = String::from(
        "*nat\n:PREROUTING ACCEPT [16:960]\n:INPUT ACCEPT [16:960]\n:OUTPUT ACCEPT [8:480]\n:POSTROUTING ACCEPT [8:480]\n\
         :KUBE-MARK-MASQ - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:KUBE-POSTROUTING - [0:0]\n",
    );
    let mut endpoints: Vec<_> = (0..services * 3).map(|i| (hash(i as u64), i)).collect();
    endpoints.sort();
    let mut own: Vec<_> = (0..services).map(|i| (hash(!(i as u64)), i)).collect();
    own.sort();
    for (name, _) in &endpoints {
        let _ = writeln!(text, ":KUBE-SEP-{name} - [0:0]");
    }
    text += ":KUBE-SERVICES - [0:0]\n";
    for (name, _) in &own {
        let _ = writeln!(text, ":KUBE-SVC-{name} - [0:0]");
    }
    text += "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
             -A OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
             -A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING\n\
             -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n\
             -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n\
             -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n\
             -A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully\n";
    let ip = |i: usize| format!("10.{}.{}.{}", 64 + (i >> 16), i >> 8 & 255, i & 255);
    for (name, i) in &endpoints {
        let (service, ip) = (i / 3, ip(*i));
        let _ = write!(
            text,
            "-A KUBE-SEP-{name} -s {ip}/32 -m comment --comment \"team-{}/service-{service}:http\" -j KUBE-MARK-MASQ\n\
             -A KUBE-SEP-{name} -p tcp -m comment --comment \"team-{}/service-{service}:http\" -m tcp -j DNAT --to-destination {ip}:8080\n",
            service % 50,
            service % 50
        );
    }
    for i in 0..services {
        let _ = writeln!(
            text,
            "-A KUBE-SERVICES -d 172.{}.{}.{}/32 -p tcp -m comment --comment \"team-{}/service-{i}:http cluster IP\" -m tcp --dport 80 -j KUBE-SVC-{}",
            16 + (i >> 16),
            i >> 8 & 255,
            i & 255,
            i % 50,
            hash(!(i as u64))
        );
    }
    text += "-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n";
    for (name, i) in &own {
        let _ = writeln!(
            text,
            "-A KUBE-SVC-{name} ! -s 10.64.0.0/10 -d 172.{}.{}.{}/32 -p tcp -m comment --comment \"team-{}/service-{i}:http cluster IP\" -m tcp --dport 80 -j KUBE-MARK-MASQ",
            16 + (i >> 16),
            i >> 8 & 255,
            i & 255,
            i % 50
        );
        for (at, chance) in ["0.33333333349", "0.50000000000", ""].iter().enumerate() {
            let _ = write!(
                text,
                "-A KUBE-SVC-{name} -m comment --comment \"team-{}/service-{i}:http -> {}:8080\"",
                i % 50,
                ip(i * 3 + at)
            );
            if !chance.is_empty() {
                let _ = write!(text, " -m statistic --mode random --probability {chance}");
            }
            let _ = writeln!(text, " -j KUBE-SEP-{}", hash((i * 3 + at) as u64));
        }
    }
    text += "COMMIT\n";
    text
}

/// Sixteen letters and digits, as kube-proxy makes of a name.
fn hash(of: u64) -> String {
    let mut bits = of.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..16)
        .map(|_| {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(bits >> 40) as usize & 31] as char
        })
        .collect()
}
