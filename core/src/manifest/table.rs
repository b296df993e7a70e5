//! The tables of `kubectl get pods|svc|nodes -o wide`: columns as kubectl prints them
//! (Kubernetes `pkg/printers/internalversion/printers.go`).

use std::net::IpAddr;
use std::sync::Arc;

use crate::say;
use crate::text::{Diagnostic, FileId, Line, Span, Word, lines};

/// A value of a table and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub text: Arc<str>,
    pub span: Span,
}

/// A line of `kubectl get pods -o wide`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodRow {
    /// Only `-A` prints it.
    pub namespace: Option<Cell>,
    pub name: Cell,
    /// Ready containers, and all of them.
    pub ready: Option<(u32, u32)>,
    pub status: Option<Cell>,
    pub ip: Option<(IpAddr, Span)>,
    pub node: Option<Cell>,
    pub span: Span,
}

/// A line of `kubectl get svc -o wide`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    pub namespace: Option<Cell>,
    pub name: Cell,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: Cell,
    pub cluster_ip: Option<(IpAddr, Span)>,
    pub external_ips: Vec<(IpAddr, Span)>,
    pub ports: Vec<ServicePort>,
    /// `key=value` pairs.
    pub selector: Vec<(Cell, Cell)>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    pub port: u16,
    pub node_port: Option<u16>,
    pub protocol: Cell,
    pub span: Span,
}

/// A line of `kubectl get nodes -o wide`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    pub name: Cell,
    pub status: Option<Cell>,
    pub internal_ip: Option<(IpAddr, Span)>,
    pub external_ip: Option<(IpAddr, Span)>,
    pub span: Span,
}

pub fn pods(text: &str, file: FileId) -> (Vec<PodRow>, Vec<Diagnostic>) {
    let mut table = Table::read(
        text,
        file,
        &["NAME", "IP", "NODE"],
        "kubectl get pods -o wide",
    );
    let mut pods = Vec::new();
    for row in std::mem::take(&mut table.rows) {
        let Some(name) = row.name() else {
            continue;
        };
        pods.push(PodRow {
            namespace: row.cell("NAMESPACE").map(Cell::from),
            name: name.into(),
            ready: row.cell("READY").and_then(|w| table.ready(w)),
            status: row.cell("STATUS").map(Cell::from),
            ip: row.cell("IP").and_then(|w| table.address(w)),
            node: row.cell("NODE").map(Cell::from),
            span: row.span,
        });
    }
    (pods, table.diagnostics)
}

pub fn services(text: &str, file: FileId) -> (Vec<ServiceRow>, Vec<Diagnostic>) {
    let mut table = Table::read(
        text,
        file,
        &["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)"],
        "kubectl get svc -o wide",
    );
    let mut services = Vec::new();
    for row in std::mem::take(&mut table.rows) {
        let (Some(name), Some(kind)) = (row.name(), row.cell("TYPE")) else {
            continue;
        };
        services.push(ServiceRow {
            namespace: row.cell("NAMESPACE").map(Cell::from),
            name: name.into(),
            kind: kind.into(),
            cluster_ip: row
                .cell("CLUSTER-IP")
                .filter(|w| w.text != "None")
                .and_then(|w| table.address(w)),
            external_ips: row
                .cell("EXTERNAL-IP")
                .map(|w| commas(w).filter_map(|w| table.external(w)).collect())
                .unwrap_or_default(),
            ports: row
                .cell("PORT(S)")
                .map(|w| commas(w).filter_map(|w| table.port(w)).collect())
                .unwrap_or_default(),
            selector: row
                .cell("SELECTOR")
                .map(|w| commas(w).filter_map(|w| table.pair(w)).collect())
                .unwrap_or_default(),
            span: row.span,
        });
    }
    (services, table.diagnostics)
}

pub fn nodes(text: &str, file: FileId) -> (Vec<NodeRow>, Vec<Diagnostic>) {
    let mut table = Table::read(
        text,
        file,
        &["NAME", "INTERNAL-IP"],
        "kubectl get nodes -o wide",
    );
    let mut nodes = Vec::new();
    for row in std::mem::take(&mut table.rows) {
        let Some(name) = row.name() else {
            continue;
        };
        nodes.push(NodeRow {
            name: name.into(),
            status: row.cell("STATUS").map(Cell::from),
            internal_ip: row.cell("INTERNAL-IP").and_then(|w| table.address(w)),
            external_ip: row.cell("EXTERNAL-IP").and_then(|w| table.address(w)),
            span: row.span,
        });
    }
    (nodes, table.diagnostics)
}

struct Table<'a> {
    rows: Vec<Row<'a>>,
    diagnostics: Vec<Diagnostic>,
}

struct Row<'a> {
    cells: Vec<(&'a str, Word<'a>)>,
    span: Span,
}

impl<'a> Row<'a> {
    /// A cell by its column, `None` also where kubectl prints that there is nothing.
    fn cell(&self, column: &str) -> Option<Word<'a>> {
        self.cells
            .iter()
            .find(|(name, _)| *name == column)
            .map(|(_, word)| *word)
            .filter(|w| !matches!(w.text, "<none>" | "<pending>" | "<unknown>" | "<unset>"))
    }

    /// Where several kinds were asked for, each name has its kind before it: `pod/web-1`.
    fn name(&self) -> Option<Word<'a>> {
        let name = self.cell("NAME")?;
        Some(name.split_once('/').map_or(name, |(_, name)| name))
    }
}

impl<'a> Table<'a> {
    fn read(text: &'a str, file: FileId, wanted: &[&str], tool: &str) -> Table<'a> {
        let mut table = Table {
            rows: Vec::new(),
            diagnostics: Vec::new(),
        };
        let mut columns: Vec<&'a str> = Vec::new();
        for line in lines(text, file).filter(|l| !l.is_aside()) {
            let named = line.words().next().map(|w| w.text);
            if matches!(named, Some("NAME" | "NAMESPACE")) {
                columns = header(&line);
                for missing in wanted.iter().filter(|w| !columns.contains(*w)) {
                    table.diagnostics.push(
                        Diagnostic::error(
                            line.span,
                            say!("texts/missing-column", column = missing),
                        )
                        .help(say!("texts/missing-column-help", tool = tool)),
                    );
                }
            } else if columns.is_empty() {
                table.diagnostics.push(
                    Diagnostic::error(line.span, say!("texts/no-heading"))
                        .help(say!("texts/missing-column-help", tool = tool)),
                );
                break;
            } else if let Some(cells) = cells(&line, columns.len()) {
                table.rows.push(Row {
                    cells: columns.iter().copied().zip(cells).collect(),
                    span: line.span,
                });
            } else {
                table.diagnostics.push(Diagnostic::error(
                    line.span,
                    say!("texts/bad-row", columns = columns.len()),
                ));
            }
        }
        table
    }

    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|d| self.diagnostics.push(d)).ok()
    }

    fn address(&mut self, word: Word<'_>) -> Option<(IpAddr, Span)> {
        let addr = self.keep(word.address())?;
        Some((addr, word.span))
    }

    /// A load balancer may have a name instead of an address, as AWS's have.
    fn external(&mut self, word: Word<'_>) -> Option<(IpAddr, Span)> {
        if word.text.ends_with(|c: char| c.is_ascii_alphabetic()) && word.text.contains('.') {
            let said = say!("texts/external-name", name = word.text);
            self.diagnostics.push(Diagnostic::warning(word.span, said));
            return None;
        }
        self.address(word)
    }

    fn ready(&mut self, word: Word<'_>) -> Option<(u32, u32)> {
        let numbers = word
            .split_once('/')
            .and_then(|(ready, all)| Some((ready.text.parse().ok()?, all.text.parse().ok()?)));
        if numbers.is_none() {
            let said = say!("texts/bad-ready", word = word.text);
            self.diagnostics.push(Diagnostic::error(word.span, said));
        }
        numbers
    }

    /// `80:31061/TCP`, `443/TCP`
    fn port(&mut self, word: Word<'_>) -> Option<ServicePort> {
        let (ports, protocol) = word.split_once('/').or_else(|| {
            let said = say!("texts/bad-service-port", word = word.text);
            self.diagnostics.push(Diagnostic::error(word.span, said));
            None
        })?;
        let (port, node_port) = match ports.split_once(':') {
            Some((port, node)) => (port, Some(self.keep(node.number(65535))? as u16)),
            None => (ports, None),
        };
        Some(ServicePort {
            port: self.keep(port.number(65535))? as u16,
            node_port,
            protocol: protocol.into(),
            span: word.span,
        })
    }

    fn pair(&mut self, word: Word<'_>) -> Option<(Cell, Cell)> {
        let pair = word.split_once('=');
        if pair.is_none() {
            let said = say!("texts/bad-selector", word = word.text);
            self.diagnostics.push(Diagnostic::error(word.span, said));
        }
        pair.map(|(key, value)| (key.into(), value.into()))
    }
}

impl From<Word<'_>> for Cell {
    fn from(word: Word<'_>) -> Self {
        Self {
            text: word.text.into(),
            span: word.span,
        }
    }
}

fn commas(word: Word<'_>) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    word.text.split(',').map(move |piece| {
        let start = at;
        at += piece.len() + 1;
        word.slice(start..start + piece.len())
    })
}

/// The names of the columns. Two of them have two words, which pasting may have brought together with their neighbours.
fn header<'a>(line: &Line<'a>) -> Vec<&'a str> {
    let mut names: Vec<&'a str> = Vec::new();
    let mut words = line.words();
    while let Some(word) = words.next() {
        if !matches!(word.text, "NOMINATED" | "READINESS") {
            names.push(word.text);
            continue;
        }
        let end = words.next().map_or(word.span.end, |w| w.span.end);
        let base = line.span.start;
        let range = (word.span.start - base) as usize..(end - base) as usize;
        names.push(line.text.get(range).unwrap_or(word.text));
    }
    names
}

/// The cells of a row of so many columns: what two spaces part, as kubectl prints it, or single words where pasting ate
/// spaces, with `2 (3d ago)` kept together.
fn cells<'a>(line: &Line<'a>, columns: usize) -> Option<Vec<Word<'a>>> {
    let apart: Vec<_> = line.columns().collect();
    if apart.len() == columns {
        return Some(apart);
    }
    let mut cells: Vec<Word<'a>> = Vec::new();
    let mut open = false;
    for word in line.words() {
        let starts = word.text.starts_with('(');
        match cells.last_mut() {
            Some(last) if open || starts => {
                last.span = last.span.to(word.span);
                let base = line.span.start as usize;
                let range = last.span.range();
                last.text = line.text.get(range.start - base..range.end - base)?;
            }
            _ => cells.push(word),
        }
        open = (open || starts) && !word.text.ends_with(')');
    }
    (cells.len() == columns).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PODS: &str = "\
NAME                                    READY   STATUS    RESTARTS     AGE   IP             NODE                               NOMINATED NODE   READINESS GATES
caf-sample-mesh-tomcat-77ff76b78f-fhgcl 2/2     Running   0            5d    172.20.1.167   cn-beijing.i-2zef83gtte2gddxlpy3q   <none>           <none>
istio-ingressgateway-84b4868f6b-9xnts   1/1     Running   2 (3d ago)   5d    172.20.1.157   cn-beijing.i-2zef83gtte2gddxlpy3q   <none>           <none>
pending-7                               0/1     Pending   0            5d    <none>         <none>                             <none>           <none>
";

    #[test]
    fn pods_have_addresses_and_nodes_when_they_are_placed() {
        let (pods, diagnostics) = pods(PODS, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(pods.len(), 3);
        assert_eq!(pods[0].ready, Some((2, 2)));
        assert_eq!(pods[1].ip.unwrap().0.to_string(), "172.20.1.157");
        assert_eq!(&PODS[pods[1].ip.unwrap().1.range()], "172.20.1.157");
        assert_eq!(
            &*pods[1].node.as_ref().unwrap().text,
            "cn-beijing.i-2zef83gtte2gddxlpy3q"
        );
        assert_eq!(pods[2].ip, None);
    }

    #[test]
    fn names_may_have_their_kind_before_them() {
        let text =
            "NAME READY STATUS RESTARTS AGE IP NODE\npod/web-1 1/1 Running 0 1d 10.0.0.5 n1\n";
        let (pods, diagnostics) = pods(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(&*pods[0].name.text, "web-1");
    }

    #[test]
    fn a_table_that_lost_its_spaces_reads_alike() {
        let squeezed: String = PODS
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect();
        let names = |text: &str| -> Vec<_> {
            pods(text, FileId(0))
                .0
                .iter()
                .map(|p| (p.name.text.clone(), p.ip.map(|i| i.0)))
                .collect()
        };
        assert_eq!(names(&squeezed), names(PODS));
    }

    #[test]
    fn services_have_ports_with_node_ports() {
        let text = "NAME                   TYPE           CLUSTER-IP     EXTERNAL-IP      PORT(S)                      AGE   SELECTOR\n\
                    istio-ingressgateway   LoadBalancer   172.21.10.20   182.92.251.227   80:31061/TCP,443:31380/TCP   5d    app=istio-ingressgateway,istio=ingressgateway\n\
                    kubernetes             ClusterIP      172.21.0.1     <none>           443/TCP                      9d    <none>\n";
        let (services, diagnostics) = services(text, FileId(0));
        assert_eq!(diagnostics, []);
        let gateway = &services[0];
        assert_eq!(gateway.external_ips[0].0.to_string(), "182.92.251.227");
        assert_eq!(
            gateway
                .ports
                .iter()
                .map(|p| (p.port, p.node_port))
                .collect::<Vec<_>>(),
            [(80, Some(31061)), (443, Some(31380))]
        );
        assert_eq!(gateway.selector.len(), 2);
        assert_eq!(services[1].ports[0].node_port, None);
    }

    #[test]
    fn nodes_have_an_internal_address() {
        let text = "NAME   STATUS   ROLES    AGE   VERSION   INTERNAL-IP    EXTERNAL-IP   OS-IMAGE                KERNEL-VERSION   CONTAINER-RUNTIME\n\
                    n1     Ready    <none>   9d    v1.14.8   192.168.0.17   <none>        CentOS Linux 7 (Core)   3.10.0           docker://18.9.2\n";
        let (nodes, diagnostics) = nodes(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(nodes[0].internal_ip.unwrap().0.to_string(), "192.168.0.17");
        assert_eq!(nodes[0].external_ip, None);
    }

    #[test]
    fn what_a_table_lacks_or_has_wrong_is_said() {
        let codes = |(_, d): (Vec<PodRow>, Vec<Diagnostic>)| -> Vec<_> {
            d.iter().map(|d| d.code()).collect()
        };
        assert_eq!(
            codes(pods(
                "NAME   READY   STATUS\nx   1/1   Running\n",
                FileId(0)
            )),
            ["texts/missing-column", "texts/missing-column"]
        );
        assert_eq!(
            codes(pods("x   1/1   Running\n", FileId(0))),
            ["texts/no-heading"]
        );
        assert_eq!(
            codes(pods(
                "NAME   READY   IP   NODE\nx   one   10.0.0   n1\ny   1/1\n",
                FileId(0)
            )),
            ["texts/bad-row", "texts/bad-ready", "texts/bad-address"]
        );
    }
}
