//! Other names and addresses for a workspace that is to be shown to others: the same thing gets the same new name everywhere,
//! and networks still hold what they held.

mod emptied;
mod names;
mod networks;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::control::kube_proxy::{endpoint_hash, port_hash};
use crate::manifest::{self, Manifests};
use crate::sim::{Probe, ProbeKind};
use crate::text::{File, FileId};
use crate::workspace::{FileKind, Workspace, expand};

use emptied::emptied;
use names::names;
use networks::{Moved, networks};
use tokens::token;

/// A workspace with other names, and what became of what, sorted.
#[derive(Clone, Debug)]
pub struct Anonymised {
    pub workspace: Workspace,
    pub renamed: Vec<(String, String)>,
}

/// Names of nodes, Pods, Services, workloads, namespaces, containers, of Istio's and the Gateway API's objects, label values and
/// the parts of host names; addresses, also those of hardware; the chains that kube-proxy names after them. Fields that decide
/// nothing and may tell much (annotations, environment, images, commands, managed fields) are emptied. Well-known namespaces
/// and labels stay, and so does a name that is a word of the formats themselves. A token keeps its claims, under other names, and
/// loses its signature: where the keys are at hand, it is not valid any more.
pub fn anonymise(workspace: &Workspace) -> Anonymised {
    let mut renaming = Renaming::of(workspace);
    let files: Vec<File> = workspace
        .files
        .iter()
        .map(|file| {
            let emptied = match FileKind::of(&file.name) {
                FileKind::Manifests => emptied(&file.text),
                _ => file.text.to_string(),
            };
            File::new(&renaming.text(&file.name), &renaming.text(&emptied))
        })
        .collect();
    let probe = Probe {
        from: renaming.text(&workspace.probe.from),
        to: renaming.address(workspace.probe.to),
        kind: asked(&workspace.probe.kind, &mut renaming),
        ..workspace.probe.clone()
    };
    let mut probe = probe;
    if let Some(from) = made_anew(workspace, &files) {
        probe.from = from;
    }
    let mut renamed: Vec<(String, String)> = renaming.used.into_iter().collect();
    renamed.retain(|(a, b)| a != b);
    Anonymised {
        workspace: Workspace {
            files,
            probe,
            seed: workspace.seed,
        },
        renamed,
    }
}

/// What a client asks for, in the words that routes have now.
fn asked(kind: &ProbeKind, renaming: &mut Renaming) -> ProbeKind {
    let ProbeKind::Http(request) = kind else {
        return kind.clone();
    };
    let mut request = request.clone();
    request.host = renaming.text(&request.host);
    request.path = renaming.text(&request.path);
    for (_, value) in &mut request.headers {
        *value = renaming.text(value);
    }
    if let Some(hello) = &mut request.tls {
        hello.sni = renaming.text(&hello.sni);
    }
    ProbeKind::Http(request)
}

/// The new name of a sender that a workload makes: it has the same place among the Pods.
fn made_anew(workspace: &Workspace, files: &[File]) -> Option<String> {
    let name = |pod: &manifest::Pod| match &*pod.meta.namespace {
        "default" => pod.meta.name.to_string(),
        namespace => format!("{namespace}/{}", pod.meta.name),
    };
    let before = expand(&workspace.files).cluster?;
    let at = before
        .objects
        .pods
        .iter()
        .position(|p| name(p) == workspace.probe.from)?;
    expand(files).cluster?.objects.pods.get(at).map(name)
}

struct Renaming {
    names: BTreeMap<String, String>,
    /// The longest name in words, by dashes.
    longest: usize,
    /// Each network and where it goes, the largest first.
    networks: Vec<Moved>,
    macs: BTreeMap<String, String>,
    used: BTreeMap<String, String>,
}

impl Renaming {
    fn of(workspace: &Workspace) -> Self {
        let mut objects = Manifests::default();
        for (at, file) in (0..).zip(&workspace.files) {
            if FileKind::of(&file.name) == FileKind::Manifests {
                manifest::read(&file.text, FileId(at), &mut objects);
            }
        }
        let names = names(&objects, &workspace.files);
        let mut renaming = Self {
            longest: names
                .keys()
                .map(|n| n.split('-').count())
                .max()
                .unwrap_or(0),
            names,
            networks: networks(workspace),
            macs: BTreeMap::new(),
            used: BTreeMap::new(),
        };
        let made = expand(&workspace.files).cluster;
        renaming.chains(made.as_ref().map_or(&objects, |c| &c.objects));
        renaming
    }

    /// The chains that kube-proxy names by a hash of the Service's port, and of an endpoint's address.
    fn chains(&mut self, objects: &Manifests) {
        let mut hashes = Vec::new();
        for service in &objects.services {
            let namespace = &service.meta.namespace;
            let slices = objects.endpoint_slices.iter();
            let of_service = slices.filter(|s| s.is_of(service));
            let endpoints: BTreeSet<_> = of_service
                .flat_map(|s| {
                    let ports = s.ports.iter().filter_map(|p| p.port);
                    ports.flat_map(|port| {
                        s.endpoints
                            .iter()
                            .filter_map(move |e| Some((e.address?.value, port.value)))
                    })
                })
                .collect();
            for port in &service.ports {
                let protocol = port.protocol.name();
                let suffixes = match &*port.name {
                    "" => vec![String::new(), ":".to_string()],
                    name => vec![format!(":{name}")],
                };
                for suffix in suffixes {
                    let before = format!("{namespace}/{}{suffix}", service.meta.name);
                    let after = self.text(&before);
                    hashes.push((port_hash(&before, protocol), port_hash(&after, protocol)));
                    for (ip, number) in &endpoints {
                        let before_end = SocketAddr::new(*ip, *number).to_string();
                        let after_end = self.text(&before_end);
                        hashes.push((
                            endpoint_hash(&before, protocol, &before_end),
                            endpoint_hash(&after, protocol, &after_end),
                        ));
                    }
                }
            }
        }
        self.names.extend(hashes);
    }

    fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        while let Some(first) = rest.chars().next() {
            let address = ipv6(rest).filter(|end| !rest[*end..].starts_with(in_word));
            if !in_word(first) && address.is_none() {
                out.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            if let Some(mac) = rest.get(..17).filter(|t| is_mac(t)) {
                let new = self.mac(mac);
                out.push_str(&new);
                rest = &rest[17..];
                continue;
            }
            let end = address.or_else(|| rest.find(|c| !in_word(c)));
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            out.push_str(&self.word(word));
            rest = after;
        }
        out
    }

    fn word(&mut self, word: &str) -> String {
        if let Some((claims, write)) = token(word) {
            return write(&self.text(&claims));
        }
        let new = self.changed(word);
        if new != word {
            self.used.insert(word.to_string(), new.clone());
        }
        new
    }

    fn changed(&mut self, word: &str) -> String {
        if let Some(new) = self.names.get(word) {
            return new.clone();
        }
        if let Ok(ip) = word.parse() {
            return self.address(ip).to_string();
        }
        // A bridge's id.
        if let Some((id, mac)) = word.split_once('.')
            && id.len() == 4
            && mac.len() == 12
            && mac.bytes().all(|b| b.is_ascii_hexdigit())
        {
            let pairs: Vec<&str> = (0..6)
                .filter_map(|at| mac.get(2 * at..2 * at + 2))
                .collect();
            return format!("{id}.{}", self.mac(&pairs.join(":")).replace(':', ""));
        }
        // `web.shop.svc`: each part by itself, and what follows it may be a name with dots.
        let mut out = String::with_capacity(word.len());
        let mut rest = word;
        while let Some((first, after)) = rest.split_once('.') {
            out += &self.by_dashes(first);
            out.push('.');
            rest = after;
            if let Some(new) = self.names.get(rest) {
                return out + new;
            }
        }
        out + &self.by_dashes(rest)
    }

    fn by_dashes(&self, word: &str) -> String {
        if let Some(new) = self.names.get(word) {
            return new.clone();
        }
        let parts: Vec<&str> = word.split('-').collect();
        let mut out: Vec<String> = Vec::new();
        let mut at = 0;
        while at < parts.len() {
            let most = self.longest.min(parts.len() - at);
            let known = (1..=most).rev().find_map(|n| {
                let name = parts.get(at..at + n)?.join("-");
                Some((n, self.names.get(&name)?.clone()))
            });
            let (n, part) = known
                .unwrap_or_else(|| (1, parts.get(at).copied().unwrap_or_default().to_string()));
            out.push(part);
            at += n;
        }
        out.join("-")
    }

    fn address(&mut self, ip: IpAddr) -> IpAddr {
        // As sockets of both families show IPv4's.
        if let IpAddr::V6(six) = ip
            && let Some(four) = six.to_ipv4_mapped()
            && let IpAddr::V4(four) = self.address(four.into())
        {
            return four.to_ipv6_mapped().into();
        }
        let moved = self.networks.iter().find_map(|net| net.address(ip));
        match moved.unwrap_or(ip) {
            IpAddr::V6(ip) => self.without_mac(ip).into(),
            ip => ip,
        }
    }

    /// An address may hold its interface's (RFC 4291, appendix A), which then is the new one.
    fn without_mac(&mut self, ip: Ipv6Addr) -> Ipv6Addr {
        let mut octets = ip.octets();
        let [.., a, b, c, 0xff, 0xfe, d, e, f] = octets else {
            return ip;
        };
        let pairs = [a ^ 2, b, c, d, e, f].map(|octet| format!("{octet:02x}"));
        let new = self.mac(&pairs.join(":"));
        let mut new = new.split(':').map(|pair| u8::from_str_radix(pair, 16));
        for at in [8, 9, 10, 13, 14, 15] {
            if let (Some(octet), Some(Ok(new))) = (octets.get_mut(at), new.next()) {
                *octet = if at == 8 { new ^ 2 } else { new };
            }
        }
        octets.into()
    }

    /// By the order in which they are met.
    fn mac(&mut self, mac: &str) -> String {
        let plain = [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "ee:ee:ee:ee:ee:ee",
        ];
        if plain.contains(&mac) {
            return mac.to_string();
        }
        let [_, a, b, c] = (self.macs.len() as u32 + 1).to_be_bytes();
        let new = self
            .macs
            .entry(mac.to_string())
            .or_insert(format!("02:00:5e:{a:02x}:{b:02x}:{c:02x}"));
        self.used.insert(mac.to_string(), new.clone());
        new.clone()
    }
}

/// Where the IPv6 address ends that a text begins with.
fn ipv6(text: &str) -> Option<usize> {
    let of_address = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    // The longest has 45, with IPv4's at its end; more is none, however long it goes on.
    let end = text.bytes().take(47).take_while(of_address).count();
    let is_address = |end: &usize| {
        text.get(..*end)
            .is_some_and(|t| t.parse::<Ipv6Addr>().is_ok())
    };
    // A colon or a full stop may follow it.
    [end, end.saturating_sub(1)].into_iter().find(is_address)
}

fn is_mac(text: &str) -> bool {
    let mut parts = text.split(':');
    let pair = |p: &str| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit());
    text.len() == 17 && parts.by_ref().all(pair) && text.matches(':').count() == 5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::base64;
    use crate::workspace::{Scenario, parse_probe, run, scenarios};
    use crate::yaml;

    /// How each packet ends, and over how many machines.
    fn shape(workspace: &Workspace) -> Vec<(crate::trace::Disposition, usize)> {
        let run = run(workspace);
        let all = run.trace.journeys.iter();
        let each = all.map(|j| (j.disposition, j.hops.len()));
        each.chain([(run.trace.disposition, 0)]).collect()
    }

    #[test]
    fn the_walk_of_a_renamed_cluster_is_the_same() {
        for scenario in scenarios() {
            let before = scenario.workspace().unwrap();
            let after = anonymise(&before).workspace;
            assert_eq!(shape(&after), shape(&before), "{}", scenario.name);
        }
    }

    #[test]
    fn hosts_and_routes_have_other_names_that_still_fit() {
        let before = Scenario::find("tls-by-sni").unwrap().workspace().unwrap();
        let after = anonymise(&before).workspace;
        for file in &after.files {
            for word in ["example.com", "shop", "blog"] {
                assert!(
                    !file.text.contains(word),
                    "{word} in {}: {}",
                    file.name,
                    file.text
                );
            }
        }
        let ProbeKind::Http(asked) = &after.probe.kind else {
            panic!("HTTP")
        };
        assert!(asked.host.ends_with(".com") && !asked.host.contains("example"));
        assert_eq!(asked.tls.as_ref().unwrap().sni, asked.host);
    }

    #[test]
    fn tokens_open_nothing_any_more() {
        let mut before = Scenario::find("policy-cluster")
            .unwrap()
            .workspace()
            .unwrap();
        let encode = |text: &str| base64::encode(text.as_bytes());
        let (head, signature) = (encode("{\"alg\":\"RS256\"}"), "c2lnbmVk");
        let token = format!("{head}.{}.{signature}", encode("{\"sub\":\"web-a\"}"));
        before.probe = parse_probe(&format!(
            "client http GET http://182.92.251.227/ \"authorization:Bearer {token}\" x:1.2.3"
        ))
        .unwrap();
        let ProbeKind::Http(asked) = anonymise(&before).workspace.probe.kind else {
            panic!("HTTP")
        };
        let claims = encode("{\"sub\":\"pod-1\"}");
        let expected = format!("Bearer {head}.{claims}.AAAAAAAA");
        assert_eq!(asked.headers[0].1, expected);
        assert_eq!(asked.headers[1].1, "1.2.3");
    }

    #[test]
    fn names_and_addresses_are_gone_and_the_rules_still_fit_their_hashes() {
        let mut before = Scenario::find("policy-cluster")
            .unwrap()
            .workspace()
            .unwrap();
        let made = run(&before);
        let rules = "nodes/work001/iptables-save.txt";
        before.files.push(
            made.files
                .iter()
                .find(|f| &*f.name == rules)
                .unwrap()
                .clone(),
        );
        let found = anonymise(&before);
        for file in &found.workspace.files {
            for word in [
                "work001",
                "web-a",
                "192.168.0.17/",
                "182.92.251.227",
                "172.20.1.157",
            ] {
                assert!(
                    !file.text.contains(word),
                    "{word} in {}: {}",
                    file.name,
                    file.text
                );
            }
        }
        assert_eq!(shape(&found.workspace), shape(&before));
        assert_eq!(super::super::drift(&run(&found.workspace)), []);
        assert!(
            found
                .renamed
                .contains(&("web-a".to_string(), "pod-1".to_string()))
        );
    }

    #[test]
    fn addresses_of_both_families_move_with_their_networks() {
        let mut before = Scenario::find("dual-stack").unwrap().workspace().unwrap();
        let text = "2: eth0: <UP> mtu 1500\n    link/ether 00:16:3e:0a:00:11 brd ff:ff:ff:ff:ff:ff\n    inet6 2400:3200:1:2::17/64 scope global\n    inet6 fe80::216:3eff:fe0a:11/64 scope link\n";
        before
            .files
            .push(File::new("nodes/work001/ip-addr.txt", text));
        let found = anonymise(&before);
        for file in &found.workspace.files {
            for word in [
                "fd00:20:",
                "fd00:168:",
                "2400:3200",
                "3eff:fe0a",
                "00:16:3e",
            ] {
                assert!(!file.text.contains(word), "{word} in {}", file.text);
            }
        }
        let text = &found.workspace.files.last().unwrap().text;
        assert!(text.contains("inet6 3fff::17/64"), "{text}");
        let mac = text.split_once("link/ether 02:00:5e:00:00:").unwrap().1;
        assert!(
            text.contains(&format!(
                "fe80::5eff:fe00:{}/64",
                mac[..2].trim_start_matches('0')
            )),
            "{text}"
        );
    }

    #[test]
    fn an_address_of_ipv4_within_one_of_ipv6_moves_as_it_does_alone() {
        let mut workspace = Scenario::find("policy-cluster")
            .unwrap()
            .workspace()
            .unwrap();
        let text = "LISTEN 0 128 [::ffff:192.168.77.17]:8080 [::ffff:47.99.1.2]:*\nLISTEN 0 128 [::ffff:2f63:304]:80 *:*\nLISTEN 0 128 192.168.77.17:80 *:*\n";
        workspace
            .files
            .push(File::new("nodes/work001/ss.txt", text));
        let after = anonymise(&workspace).workspace;
        let text = &after.files.last().unwrap().text;
        for word in ["192.168.77.17", "47.99.", "2f63"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        let alone = text.rsplit_once("128 ").unwrap().1;
        let alone = alone.split_once(':').unwrap().0;
        assert!(
            text.contains(&format!("[::ffff:{alone}]:8080 [::ffff:198.1")),
            "{text}"
        );
    }

    #[test]
    fn an_address_is_looked_for_in_no_more_than_it_can_have() {
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
        for (text, wanted) in [
            (longest.to_string(), Some(45)),
            (format!("{longest}: x"), Some(45)),
            (format!("{longest}::"), None),
            ("a:".repeat(1 << 18), None),
        ] {
            assert_eq!(ipv6(&text), wanted);
        }
        let long = "zz:".repeat(1 << 17) + &"a:".repeat(1 << 17);
        let workspace = Workspace {
            files: vec![File::new("nodes/n/notes.txt", &long)],
            probe: parse_probe("client tcp 192.0.2.1:80").unwrap(),
            seed: 1,
        };
        let after = anonymise(&workspace).workspace;
        assert_eq!(after.files[0].text.len(), long.len());
    }

    #[test]
    fn what_may_tell_much_is_emptied() {
        let text = "kind: Pod\nmetadata:\n  annotations:\n    a: secret\n  name: x\nspec:\n  containers:\n  - image: secret\n    env:\n    - {name: A, value: secret}\n    name: c\n";
        let out = emptied(text);
        assert!(!out.contains("secret"), "{out}");
        assert_eq!(yaml::read(&out, FileId(0)).1, []);
    }
}
