use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::service::address;
use super::{IpFamily, Meta, Spanned, parse_cidr};
use crate::say;
use crate::text::Span;
use crate::yaml::{Fields, Value};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub meta: Meta,
    pub internal_ips: Vec<Spanned<IpAddr>>,
    pub external_ips: Vec<Spanned<IpAddr>>,
    pub pod_cidrs: Vec<Spanned<IpNetwork>>,
    /// `None` where the status does not say.
    pub ready: Option<Spanned<bool>>,
    /// Where it says that nothing has been heard of it for long (`Ready` is `Unknown`).
    pub silent: Option<Span>,
    /// Cordoned.
    pub unschedulable: Option<Span>,
    pub taints: Vec<Taint>,
    /// `status.allocatable.cpu`, in billionths of a CPU.
    pub cpu: Option<Spanned<u64>>,
    /// `status.nodeInfo.kubeletVersion`
    pub kubelet: Option<Spanned<Box<str>>>,
}

/// What keeps Pods away that do not tolerate it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    pub key: Box<str>,
    pub value: Box<str>,
    pub effect: Box<str>,
    pub span: Span,
}

impl Node {
    /// The first internal address of a family.
    pub fn ip(&self, family: IpFamily) -> Option<&Spanned<IpAddr>> {
        self.internal_ips
            .iter()
            .find(|ip| IpFamily::of(ip.value) == family)
    }

    /// What kube-proxy takes for the node's own: without an internal address, an external one (`GetNodeHostIPs`,
    /// `pkg/util/node`).
    pub fn host_ip(&self, family: IpFamily) -> Option<&Spanned<IpAddr>> {
        let mut all = self.internal_ips.iter().chain(&self.external_ips);
        all.find(|ip| IpFamily::of(ip.value) == family)
    }

    pub fn pod_cidr(&self, family: IpFamily) -> Option<&Spanned<IpNetwork>> {
        self.pod_cidrs
            .iter()
            .find(|net| IpFamily::of_net(net.value) == family)
    }

    pub fn zone(&self) -> Option<&Spanned<Box<str>>> {
        self.meta.labels.get("topology.kubernetes.io/zone")
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Node {
        let mut node = Node {
            meta: Meta::read(&mut fields, false),
            internal_ips: Vec::new(),
            external_ips: Vec::new(),
            pod_cidrs: Vec::new(),
            ready: None,
            silent: None,
            unschedulable: None,
            taints: Vec::new(),
            cpu: None,
            kubelet: None,
        };
        if let Some(spec) = fields.get("spec").and_then(|s| s.fields()) {
            node.read_spec(spec);
        }
        if let Some(status) = fields.get("status").and_then(|s| s.fields()) {
            node.read_status(status);
        }
        fields.end();
        node
    }

    fn read_spec(&mut self, mut spec: Fields<'_>) {
        let (one, many) = (spec.get("podCIDR"), spec.get("podCIDRs"));
        let all: Vec<_> = match (many, one) {
            (Some(many), _) => many.items().collect(),
            (None, one) => one.into_iter().collect(),
        };
        for cursor in all {
            let Some(text) = cursor.str() else {
                continue;
            };
            match parse_cidr(text) {
                Some(net) => self.pod_cidrs.push(Spanned::new(net, cursor.span())),
                None => cursor.error(say!(
                    "manifest/bad-cidr",
                    path = cursor.path(),
                    found = text
                )),
            }
        }
        self.unschedulable = spec
            .get("unschedulable")
            .filter(|c| c.bool() == Some(true))
            .map(|c| c.span());
        if let Some(taints) = spec.get("taints") {
            for cursor in taints.items() {
                let text = |key| cursor.node.field(key).and_then(|n| n.str());
                let text = |key| Box::from(text(key).unwrap_or_default());
                self.taints.push(Taint {
                    key: text("key"),
                    value: text("value"),
                    effect: text("effect"),
                    span: cursor.span(),
                });
            }
        }
        spec.no_matter(&["configSource", "externalID", "providerID"]);
        spec.end();
    }

    fn read_status(&mut self, mut status: Fields<'_>) {
        if let Some(addresses) = status.get("addresses") {
            for cursor in addresses.items() {
                let Some(mut item) = cursor.fields() else {
                    continue;
                };
                let kind = item.required("type").and_then(|c| c.str());
                let list = match kind {
                    Some("InternalIP") => &mut self.internal_ips,
                    Some("ExternalIP") => &mut self.external_ips,
                    _ => continue,
                };
                let ip = item.required("address").and_then(|c| address(c, c.str()?));
                list.extend(ip);
            }
        }
        if let Some(conditions) = status.get("conditions") {
            for cursor in conditions.items() {
                let field = |key| cursor.node.field(key).and_then(|n| n.str());
                if field("type") == Some("Ready") {
                    let ready = field("status") == Some("True");
                    self.ready = Some(Spanned::new(ready, cursor.span()));
                    self.silent = (field("status") == Some("Unknown")).then(|| cursor.span());
                }
            }
        }
        let version = status
            .get("nodeInfo")
            .and_then(|c| c.fields()?.get("kubeletVersion"));
        self.kubelet = version.and_then(|c| Some(Spanned::new(c.str()?.into(), c.span())));
        let cpu = status.get("allocatable").and_then(|c| {
            let cpu = c.node.field("cpu")?;
            Some(Spanned::new(nano(&cpu.value)?, cpu.span))
        });
        self.cpu = cpu;
        status.no_matter(&[
            "capacity",
            "config",
            "daemonEndpoints",
            "features",
            "images",
            "phase",
            "runtimeHandlers",
            "volumesAttached",
            "volumesInUse",
        ]);
        status.end();
    }
}

/// What a quantity (apimachinery `pkg/api/resource`) is in billionths, rounded up.
fn nano(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Str(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => return None,
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let exponent: i32 = match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        _ => suffix.strip_prefix(['e', 'E'])?.parse().ok()?,
    };
    let digits: u128 = [whole, part].concat().parse().ok()?;
    let exponent = exponent.checked_add(9)? - i32::try_from(part.len()).ok()?;
    let scale = 10_u128.checked_pow(exponent.unsigned_abs())?;
    let nano = match exponent {
        0.. => digits.checked_mul(scale)?,
        _ => digits.div_ceil(scale),
    };
    u64::try_from(nano).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        let text = |text: &str| nano(&Value::Str(text.into()));
        assert_eq!(nano(&Value::Int(4)), Some(4_000_000_000));
        assert_eq!(nano(&Value::Float(0.5)), Some(500_000_000));
        assert_eq!(text("3920m"), Some(3_920_000_000));
        assert_eq!(text("1.5"), Some(1_500_000_000));
        assert_eq!(text("2e3m"), None);
        assert_eq!(text("1e-3"), Some(1_000_000));
        assert_eq!(text("0.1n"), Some(1));
        assert_eq!(text("1k"), Some(1_000_000_000_000));
        assert_eq!(text(""), None);
        assert_eq!(text("four"), None);
        assert_eq!(text("1e99"), None);
    }
}
