use std::net::IpAddr;

use super::service::{address, port_number};
use super::{Labels, Meta, Protocol, Spanned};
use crate::text::Span;
use crate::yaml::{Cursor, Fields};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub meta: Meta,
    pub spec: PodSpec,
    /// One of each family at most; none until it runs.
    pub ips: Vec<Spanned<IpAddr>>,
    /// `Running`, `Pending`, …; `None` where the status does not say.
    pub phase: Option<Spanned<Box<str>>>,
    /// The condition Ready; `None` where the status does not say.
    pub ready: Option<Spanned<bool>>,
}

/// What a Pod and a template of Pods have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodSpec {
    pub node_name: Option<Spanned<Box<str>>>,
    /// Labels that its node must have.
    pub node_selector: Labels,
    pub tolerations: Vec<Toleration>,
    /// Where it has wishes for its node that are not modelled: affinities and spreading.
    pub wishes: Option<Span>,
    pub host_network: bool,
    /// Empty: the namespace's own, `default`.
    pub service_account: Box<str>,
    /// Init containers that keep running stand behind them, as sidecars.
    pub containers: Vec<Container>,
}

/// A taint that does not keep a Pod away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    /// `None`: any.
    pub key: Option<Box<str>>,
    /// `None`: any (operator Exists).
    pub value: Option<Box<str>>,
    pub effect: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub name: Box<str>,
    pub args: Vec<Box<str>>,
    pub ports: Vec<ContainerPort>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    pub name: Option<Box<str>>,
    pub port: Spanned<u16>,
    pub protocol: Protocol,
    /// The port of the node that leads to it.
    pub host_port: Option<Spanned<u16>>,
    /// Only at this address of the node; `None`: at all of them.
    pub host_ip: Option<Spanned<IpAddr>>,
    pub span: Span,
}

impl Pod {
    pub(super) fn read(mut fields: Fields<'_>) -> Pod {
        let mut pod = Pod {
            meta: Meta::read(&mut fields, true),
            spec: PodSpec::default(),
            ips: Vec::new(),
            phase: None,
            ready: None,
        };
        if let Some(spec) = fields.required("spec").and_then(|s| s.fields()) {
            pod.spec = PodSpec::read(spec);
        }
        if let Some(status) = fields.get("status").and_then(|s| s.fields()) {
            pod.read_status(status);
        }
        fields.end();
        pod
    }

    fn read_status(&mut self, mut status: Fields<'_>) {
        let one = status.get("podIP");
        let many = status.get("podIPs");
        let all: Vec<_> = match (many, one) {
            (Some(many), _) => many.items().filter_map(|c| c.fields()?.get("ip")).collect(),
            (None, one) => one.into_iter().collect(),
        };
        self.ips = all
            .into_iter()
            .filter_map(|c| match c.str()? {
                "" => None,
                text => address(c, text),
            })
            .collect();
        self.phase = status
            .get("phase")
            .and_then(|c| Some(Spanned::new(c.str()?.into(), c.span())));
        if let Some(conditions) = status.get("conditions") {
            for cursor in conditions.items() {
                let field = |key| cursor.node.field(key).and_then(|n| n.str());
                if field("type") == Some("Ready") {
                    let ready = field("status") == Some("True");
                    self.ready = Some(Spanned::new(ready, cursor.span()));
                }
            }
        }
    }
}

impl PodSpec {
    /// The ports of its node that it takes. On the node's network these are its containers' own.
    pub fn host_ports(&self) -> impl Iterator<Item = (&ContainerPort, Spanned<u16>)> {
        let ports = self.containers.iter().flat_map(|c| &c.ports);
        ports.filter_map(|port| {
            let own = self.host_network.then_some(port.port);
            Some((port, port.host_port.or(own)?))
        })
    }

    /// The fields of a pod that say nothing about the way of a packet are many; they are passed over in silence.
    pub(super) fn read(mut spec: Fields<'_>) -> PodSpec {
        let mut containers = Vec::new();
        if let Some(list) = spec.required("containers") {
            containers.extend(list.items().filter_map(Container::read));
        }
        if let Some(list) = spec.get("initContainers") {
            let sidecar = |c: &Cursor<'_>| {
                c.node.field("restartPolicy").and_then(|p| p.str()) == Some("Always")
            };
            containers.extend(list.items().filter(sidecar).filter_map(Container::read));
        }
        let wishes = ["affinity", "topologySpreadConstraints"].map(|key| spec.get(key));
        let wishes = wishes
            .into_iter()
            .flatten()
            .find(|c| !c.node.items().is_empty() || !c.node.entries().is_empty());
        let tolerations = spec.get("tolerations");
        PodSpec {
            node_name: spec
                .get("nodeName")
                .and_then(|c| Some(Spanned::new(c.str()?.into(), c.span()))),
            node_selector: Labels::read(spec.get("nodeSelector")),
            tolerations: tolerations
                .map(|list| list.items().filter_map(Toleration::read).collect())
                .unwrap_or_default(),
            wishes: wishes.map(|c| c.span()),
            host_network: spec.bool("hostNetwork").unwrap_or(false),
            service_account: spec
                .get("serviceAccountName")
                .and_then(|c| c.str())
                .unwrap_or("")
                .into(),
            containers,
        }
    }
}

impl Toleration {
    fn read(cursor: Cursor<'_>) -> Option<Toleration> {
        let mut fields = cursor.fields()?;
        let mut text = |key| Some(Box::from(fields.str(key).filter(|t| !t.is_empty())?));
        let (key, effect, value) = (text("key"), text("effect"), text("value"));
        let operators = [("Exists", true), ("Equal", false)];
        let exists = fields.get("operator").and_then(|c| c.one_of(&operators));
        fields.no_matter(&["tolerationSeconds"]);
        fields.end();
        Some(Toleration {
            key,
            value: (exists != Some(true)).then(|| value.unwrap_or_default()),
            effect,
        })
    }
}

impl Container {
    fn read(cursor: Cursor<'_>) -> Option<Container> {
        let mut fields = cursor.fields()?;
        let name = fields.required("name").and_then(|c| c.str());
        let ports = match fields.get("ports") {
            Some(ports) => ports.items().filter_map(ContainerPort::read).collect(),
            None => Vec::new(),
        };
        let args = fields.get("args").into_iter().flat_map(|a| a.node.items());
        Some(Container {
            name: name.unwrap_or_default().into(),
            args: args.filter_map(|a| Some(a.str()?.into())).collect(),
            ports,
            span: cursor.span(),
        })
    }
}

impl ContainerPort {
    fn read(cursor: Cursor<'_>) -> Option<ContainerPort> {
        let mut fields = cursor.fields()?;
        let number = fields.required("containerPort");
        let host = fields.get("hostPort").filter(|c| c.node.int() != Some(0));
        let host_ip = fields.get("hostIP").and_then(|c| match c.str()? {
            "" => None,
            text => address(c, text),
        });
        let port = ContainerPort {
            name: fields.str("name").map(Into::into),
            protocol: Protocol::read(fields.get("protocol")),
            host_port: host.and_then(|c| Some(Spanned::new(port_number(c)?, c.span()))),
            // Unspecified, it is all of them.
            host_ip: host_ip.filter(|ip| !ip.value.is_unspecified()),
            port: number.and_then(|c| Some(Spanned::new(port_number(c)?, c.span())))?,
            span: cursor.span(),
        };
        fields.end();
        Some(port)
    }
}
