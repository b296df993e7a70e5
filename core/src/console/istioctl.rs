//! `istioctl proxy-config` and what a proxy's own administration and log print: of the host where they are asked.
//! Source: Istio `istioctl/pkg/writer/envoy/configdump`; Envoy `source/server/admin/clusters_handler.cc`.

use std::borrow::Cow;

use super::args::{Arg, Args};
use super::machine::Machine;
use super::{Answer, Output};
use crate::control::istiod::Level;
use crate::control::mesh;
use crate::envoy::{
    Action, Cluster, ClusterChoice, Config, Discovery, FilterChain, Health, Resources, Route,
    Terminal, dump,
};
use crate::say;
use crate::text::Diagnostic;
use crate::trace;

pub(super) const USAGE: &str = "istioctl proxy-config|pc listeners|routes|clusters|endpoints [POD]\nistioctl analyze [-n NAMESPACE | -A]";

pub(super) const AGENT_USAGE: &str =
    "pilot-agent request GET config_dump\npilot-agent request GET clusters";

pub(super) const LOG_USAGE: &str = "kubectl logs POD [-c istio-proxy]";

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool;
    match args.next() {
        Some(word) if word.text == "analyze" => return analyze(machine, args),
        Some(word) if matches!(word.text.as_str(), "proxy-config" | "pc") => {}
        Some(word) => return Err(args.not_taken(word)),
        None => return Err(wants(args, tool)),
    }
    let Some(what) = args.next() else {
        return Err(wants(args, tool));
    };
    // The pod may be named, as there; it is that of the host at hand.
    if let Some(pod) = args.next_plain() {
        is_here(machine, pod, pod.text.split('.').next().unwrap_or(""))?;
    }
    args.end()?;
    let config = config(machine, tool)?;
    let table = match what.text.as_str() {
        "listener" | "listeners" | "l" => listeners(config),
        "route" | "routes" | "r" => routes(config),
        "cluster" | "clusters" | "c" => clusters(config),
        "endpoint" | "endpoints" | "ep" => endpoints(config),
        _ => return Err(args.not_taken(what)),
    };
    Ok(columns(&table).into())
}

/// Commands about a pod are asked on it.
fn is_here(machine: &Machine<'_>, word: &Arg, name: &str) -> Result<(), Diagnostic> {
    let host = &machine.host.name;
    match host.rsplit('/').next() == Some(name) {
        true => Ok(()),
        false => {
            let said = say!("console/other-pod", pod = word.text, host = host);
            Err(Diagnostic::error(word.span, said))
        }
    }
}

/// What is wrong with the cluster's objects, whichever host asks.
fn analyze(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool;
    let mut namespace = Some("default".to_string());
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "-A" | "--all-namespaces" => namespace = None,
            "-n" | "--namespace" => match args.next() {
                Some(name) => namespace = Some(name.text.clone()),
                None => return Err(wants(args, word)),
            },
            _ => return Err(args.not_taken(word)),
        }
    }
    let Some(cluster) = machine.run.cluster else {
        let said = say!("console/no-manifests");
        return Err(Diagnostic::error(tool.span, said));
    };
    let target = match &namespace {
        Some(name) => format!("namespace: {name}"),
        None => "all namespaces".to_string(),
    };
    let mut out = String::new();
    let mut bad = false;
    for message in mesh::analyze(&cluster.objects) {
        let here = |n: &String| match message.namespace.is_empty() {
            true => message.name == *n,
            false => message.namespace == *n,
        };
        if !namespace.as_ref().is_none_or(here) {
            continue;
        }
        bad |= message.level == Level::Error;
        let full = match message.namespace.is_empty() {
            true => message.name.clone(),
            false => format!("{}/{}", message.namespace, message.name),
        };
        out.push_str(&format!(
            "{} [{}] ({} {full}) {}\n",
            message.level.as_str(),
            message.code,
            message.kind,
            message.text
        ));
    }
    if bad {
        out.push_str(&format!(
            "Error: Analyzers found issues when analyzing {target}.\n"
        ));
    } else if out.is_empty() {
        out = format!("✔ No validation issues found when analyzing {target}.\n");
    }
    Ok(out.into())
}

fn wants(args: &Args<'_>, tool: &Arg) -> Diagnostic {
    let said = say!("console/wants-value", word = tool.text);
    Diagnostic::error(tool.span, said).help(say!("console/usage", usage = args.usage))
}

fn config<'m>(machine: &Machine<'m>, tool: &Arg) -> Result<&'m Config, Diagnostic> {
    let config = machine.host.envoy.as_deref();
    config.ok_or_else(|| {
        let said = say!("console/no-envoy", host = machine.host.name);
        Diagnostic::error(tool.span, said)
    })
}

/// What Envoy's administration prints.
pub(super) fn agent(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool;
    for wanted in ["request", "GET"] {
        match args.next() {
            Some(word) if word.text == wanted => {}
            Some(word) => return Err(args.not_taken(word)),
            None => return Err(wants(args, tool)),
        }
    }
    let Some(path) = args.next() else {
        return Err(wants(args, tool));
    };
    args.end()?;
    let config = config(machine, tool)?;
    match path.text.trim_start_matches('/') {
        "config_dump" | "config_dump?include_eds" => {
            let told = told(machine, config);
            let told = told.ok_or_else(|| args.not_taken(path))?;
            let mut text = dump::print(&told);
            text.push('\n');
            Ok(text.into())
        }
        "clusters" => {
            let out = Output::from(hosts(config));
            Ok(out.note(Diagnostic::note(
                tool.span,
                say!("console/clusters-left-out"),
            )))
        }
        _ => Err(args.not_taken(path)),
    }
}

/// What the Envoy of a host was told, as it was told: by a dump, or by istiod, which tells it again.
fn told<'m>(machine: &Machine<'m>, config: &'m Config) -> Option<Cow<'m, Resources>> {
    if let Some(resources) = &config.dumped {
        return Some(Cow::Borrowed(resources));
    }
    let cluster = machine.run.cluster?;
    let mut proxies = cluster.proxies.iter();
    let proxy = proxies.find(|p| std::ptr::eq(&*p.config, config))?;
    mesh::told(&cluster.objects, proxy).map(Cow::Owned)
}

/// Envoy's hosts, a line for each thing that is known of one (`ClustersHandler::writeClustersAsText`).
fn hosts(config: &Config) -> String {
    let mut out = String::new();
    for cluster in config.clusters.values() {
        for endpoint in &cluster.assignment.endpoints {
            let flags = match endpoint.health {
                Health::Healthy => "healthy",
                Health::Unhealthy => "/failed_eds_health",
                Health::Degraded => "/degraded_eds_health",
            };
            let mut place = endpoint.locality.split('/');
            let mut place = || place.next().unwrap_or("").to_string();
            for (what, value) in [
                ("hostname", endpoint.hostname.clone()),
                ("health_flags", flags.into()),
                ("weight", endpoint.weight.to_string()),
                ("region", place()),
                ("zone", place()),
                ("sub_zone", place()),
                ("canary", "false".into()),
                ("priority", endpoint.priority.to_string()),
            ] {
                let (name, address) = (&cluster.name, &endpoint.address);
                out.push_str(&format!("{name}::{address}::{what}::{value}\n"));
            }
        }
    }
    out
}

/// The lines that the proxy of this host wrote.
pub(super) fn logs(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool;
    match args.next() {
        Some(word) if word.text == "logs" => {}
        Some(word) => return Err(args.not_taken(word)),
        None => return Err(wants(args, tool)),
    }
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "-c" | "--container" => {
                let container = args.value(word)?;
                if container.text != "istio-proxy" {
                    return Err(args.not_taken(container));
                }
            }
            "-n" | "--namespace" => {
                args.value(word)?;
            }
            text if text.starts_with('-') => return Err(args.not_taken(word)),
            text => is_here(machine, word, text.strip_prefix("pod/").unwrap_or(text))?,
        }
    }
    config(machine, tool)?;
    let mut out = String::new();
    for step in machine.steps() {
        if let trace::Action::Proxied(said) = &step.action
            && said.stage == trace::Stage::Answer
            && let Some(answer) = said.account.answer.as_ref().filter(|a| !a.log.is_empty())
        {
            out.push_str(&answer.log);
            out.push('\n');
        }
    }
    Ok(out.into())
}

type Table = Vec<Vec<String>>;

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_string).to_vec()
}

fn listeners(config: &Config) -> Table {
    let mut rows = Vec::new();
    for listener in &config.listeners {
        let (address, port) = (listener.address.to_string(), listener.port.to_string());
        for chain in listener.chains.iter().chain(&listener.default_chain) {
            let default = listener
                .default_chain
                .as_ref()
                .is_some_and(|d| std::ptr::eq(d, chain));
            let condition = if default {
                "ALL".into()
            } else {
                condition(chain)
            };
            let new = row([&address, &port, &condition, &destination(chain)]);
            // Of equal chains istioctl prints one.
            if rows.last() != Some(&new) {
                rows.push(new);
            }
        }
    }
    rows.sort_by_key(|r| {
        let port = r.get(1).and_then(|p| p.parse::<u16>().ok());
        (port, r.first().cloned())
    });
    rows.insert(0, row(["ADDRESSES", "PORT", "MATCH", "DESTINATION"]));
    rows
}

/// What a chain asks, as istioctl writes it: `SNI: a.com; Trans: tls; App: http/1.1; Addr: *:80`.
fn condition(chain: &FilterChain) -> String {
    let asked = &chain.condition;
    let mut parts = Vec::new();
    if !asked.server_names.is_empty() {
        parts.push(format!("SNI: {}", asked.server_names.join(",")));
    }
    if !asked.transport.is_empty() {
        parts.push(format!("Trans: {}", asked.transport));
    }
    if !asked.application.is_empty() {
        parts.push(format!("App: {}", asked.application.join(",")));
    }
    let port = asked
        .destination_port
        .map(|p| format!(":{p}"))
        .unwrap_or_default();
    let addresses: Vec<_> = asked.destinations.iter().map(ToString::to_string).collect();
    if !addresses.is_empty() || !port.is_empty() {
        let address = match addresses.is_empty() {
            true => "*".to_string(),
            false => addresses.join(","),
        };
        parts.push(format!("Addr: {address}{port}"));
    }
    match parts.is_empty() {
        true => "ALL".to_string(),
        false => parts.join("; "),
    }
}

fn destination(chain: &FilterChain) -> String {
    match &chain.end {
        Terminal::Http(hcm) => match &hcm.routes {
            crate::envoy::RouteSource::Named(name) => format!("Route: {name}"),
            crate::envoy::RouteSource::Inline(routes) => format!("Inline Route: {}", routes.name),
        },
        Terminal::Tcp(tcp) => {
            let names: Vec<_> = tcp.clusters.iter().map(|(n, _)| n.as_str()).collect();
            match names[..] {
                [one] if !one.contains('|') => one.to_string(),
                _ => format!("Cluster: {}", names.join(", ")),
            }
        }
        Terminal::Other(name) => format!("Non-HTTP/Non-TCP: {name}"),
    }
}

fn routes(config: &Config) -> Table {
    let mut rows = vec![row([
        "NAME",
        "VHOST NAME",
        "DOMAINS",
        "MATCH",
        "VIRTUAL SERVICE",
    ])];
    for routes in config.routes.values() {
        for host in &routes.virtual_hosts {
            let domains = domains(&host.domains);
            let mut add = |asked: &str, made_by: &str| {
                rows.push(row([&routes.name, &host.name, &domains, asked, made_by]));
            };
            if host.routes.is_empty() {
                add("/*", "404");
            }
            for route in host.routes.iter().filter(|r| !passes_on(r)) {
                add(&asked(route), &made_by(route));
            }
        }
    }
    rows
}

/// Names without their ports, and without the longer forms of a name that is there.
fn domains(all: &[String]) -> String {
    if let [one] = all {
        return one.clone();
    }
    let names: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|d| !d.contains(':'))
        .collect();
    let longer = |name: &str| {
        let ends = [".svc.cluster.local", ".svc"];
        let mut short = ends.iter().filter_map(|end| name.strip_suffix(end));
        short.any(|s| names.contains(&s))
    };
    let kept: Vec<&str> = names.iter().copied().filter(|n| !longer(n)).collect();
    match kept[..] {
        [first, second, _, ..] => format!("{first}, {second} + {} more...", kept.len() - 2),
        _ => kept.join(", "),
    }
}

/// Routes to where the connection meant to go anyway are not shown.
fn passes_on(route: &Route) -> bool {
    let Action::Forward(forward) = &route.action else {
        return false;
    };
    matches!(&forward.cluster, ClusterChoice::Name(name) if name == "PassthroughCluster")
}

fn asked(route: &Route) -> String {
    use crate::envoy::PathMatch;
    let mut text = match &route.condition.path {
        PathMatch::Exact(path) => path.clone(),
        PathMatch::Prefix(path) => format!("{path}*"),
        PathMatch::SeparatedPrefix(path) => format!("PathPrefix:{path}"),
        PathMatch::Regex(regex) => format!("regex {}", regex.as_str()),
        PathMatch::Template(template) => template.text.clone(),
        PathMatch::Connect => "CONNECT".to_string(),
    };
    if !route.condition.headers.is_empty() {
        text.push_str(&format!(" + {} headers", route.condition.headers.len()));
    }
    text
}

/// `name.namespace` of the object of Istio's that a route was made of.
fn made_by(route: &Route) -> String {
    let parts: Vec<&str> = route.origin.split('/').collect();
    match parts[..] {
        ["", "apis", "networking.istio.io", _, _, namespace, _, name] => {
            format!("{name}.{namespace}")
        }
        _ if route.origin.is_empty() => String::new(),
        _ => "<unknown>".into(),
    }
}

fn clusters(config: &Config) -> Table {
    let mut rows = vec![row(["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE"])];
    for cluster in config.clusters.values() {
        let parts: Vec<&str> = cluster.name.split('|').collect();
        let (direction, port, subset, host) = match parts[..] {
            [direction, port, subset, host] => (direction, port, subset, host),
            _ => ("-", "-", "-", cluster.name.as_str()),
        };
        let or = |text: &str| if text.is_empty() { "-" } else { text }.to_string();
        let kind = discovery(cluster);
        rows.push(vec![
            or(host),
            or(port),
            or(subset),
            or(direction),
            kind.into(),
        ]);
    }
    rows
}

fn discovery(cluster: &Cluster) -> &'static str {
    match cluster.discovery {
        Discovery::Static => "STATIC",
        Discovery::StrictDns => "STRICT_DNS",
        Discovery::LogicalDns => "LOGICAL_DNS",
        Discovery::Eds => "EDS",
        Discovery::OriginalDst => "ORIGINAL_DST",
    }
}

fn endpoints(config: &Config) -> Table {
    let mut rows = vec![row(["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"])];
    for cluster in config.clusters.values() {
        for endpoint in &cluster.assignment.endpoints {
            let health = match endpoint.health {
                Health::Healthy => "HEALTHY",
                Health::Unhealthy => "UNHEALTHY",
                Health::Degraded => "DEGRADED",
            };
            rows.push(row([&endpoint.address, health, "OK", &cluster.name]));
        }
    }
    rows
}

/// As Go's tabwriter sets them: columns as wide as their widest cell, and five blanks between.
fn columns(rows: &Table) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(at) {
                Some(known) => *known = width.max(*known),
                None => widths.push(width),
            }
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let rest = width.saturating_sub(cell.chars().count()) + 5;
            line.push_str(&" ".repeat(rest));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
