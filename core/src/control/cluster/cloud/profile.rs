//! How the clouds' load balancers differ, each fact from its public documentation, which [`Profile::sources`] names.

use serde::Serialize;

use crate::control::kube_proxy::Version;
use crate::load_balancer::Forwarding;
use crate::manifest::{Cloud, Node, Taint};
use crate::say;
use crate::text::Say;

/// A load balancer as a cloud has it.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    pub(super) forwarding: Mode,
    /// Of UDP, where that is another.
    pub(super) udp: Option<Mode>,
    /// With no healthy backend, all of them are asked.
    pub(super) fails_open: bool,
    pub(super) pool: Pool,
    nodes: Nodes,
    about: fn() -> Say,
    sources: &'static [Source],
}

/// A page, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub title: &'static str,
    pub url: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Keep,
    Rewrite,
    FullNat,
}

/// What stands behind a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    /// All nodes; under policy Local, kube-proxy's health check tells which are to be asked.
    Nodes,
    /// All nodes; under policy Local, those that have Pods of the Service, by how many.
    NodesWithPods,
    Pods,
    /// The node that answers ARP for the address.
    OneNode,
}

/// Which nodes a controller takes, of those that are not labelled to be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nodes {
    /// Those that the cluster autoscaler is not about to delete. Kubernetes' own controller, before 1.27, wants them ready
    /// too; since then the balancer's check tells (`k8s.io/cloud-provider/controllers/service`, `stableNodeSetPredicates`).
    Kept,
    /// The same, whatever the release: aws-load-balancer-controller, `pkg/backend`, `IsNodeSuitableAsTrafficProxy`.
    KeptAlways,
    /// Those that are ready as well, and no masters: kubernetes/cloud-provider-alibaba-cloud,
    /// `pkg/controller/service/reconcile/backend`, `needExcludeFromLB`.
    ReadyWorkers,
    /// Those whose speaker answers the others.
    Heard,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Keep => Forwarding::KeepDestination.name(),
            Mode::Rewrite => Forwarding::RewriteDestination.name(),
            Mode::FullNat => "full-nat",
        }
    }
}

impl Profile {
    pub fn of(cloud: Cloud) -> &'static Self {
        match cloud {
            Cloud::AlibabaSlb => &ALIBABA_SLB,
            Cloud::AwsNlbInstance => &AWS_NLB_INSTANCE,
            Cloud::AwsNlbIp => &AWS_NLB_IP,
            Cloud::GcpPassthrough => &GCP_PASSTHROUGH,
            Cloud::MetalLbL2 => &METALLB_L2,
            Cloud::FullNat => &FULL_NAT,
        }
    }

    /// Whether a node may be asked.
    pub(super) fn takes(&self, node: &Node, version: Version) -> bool {
        let labelled = |label| node.meta.labels.get(label).is_some();
        if labelled("node.kubernetes.io/exclude-from-external-load-balancers") {
            return false;
        }
        let goes = |t: &Taint| *t.key == *"ToBeDeletedByClusterAutoscaler";
        let goes = node.taints.iter().any(goes);
        let ready = node.ready.is_none_or(|r| r.value);
        match self.nodes {
            Nodes::Kept => !goes && (ready || version > Version::V1_25),
            Nodes::KeptAlways => !goes,
            Nodes::ReadyWorkers => !goes && ready && !labelled("node-role.kubernetes.io/master"),
            Nodes::Heard => node.silent.is_none(),
        }
    }

    /// What it does, in a few sentences.
    pub fn about(&self) -> Say {
        (self.about)()
    }

    /// Where that stands.
    pub fn sources(&self) -> &'static [Source] {
        self.sources
    }
}

const fn source(title: &'static str, url: &'static str) -> Source {
    Source { title, url }
}

/// Beside the pages, `pkg/controller/service/clbv1/vgroups.go` of kubernetes/cloud-provider-alibaba-cloud: which nodes, at
/// their NodePorts, by what weight.
const ALIBABA_SLB: Profile = Profile {
    forwarding: Mode::Rewrite,
    udp: None,
    fails_open: false,
    pool: Pool::NodesWithPods,
    nodes: Nodes::ReadyWorkers,
    about: || say!("cloud/alibaba-slb"),
    sources: &[
        source(
            "Enable Layer 4 listeners to preserve client IP addresses",
            "https://www.alibabacloud.com/help/en/slb/classic-load-balancer/use-cases/enable-proxy-protocol-for-a-layer-4-listener-to-retrieve-client-ip-addresses",
        ),
        source(
            "Use LoadBalancer Services to expose applications: Local and Cluster",
            "https://www.alibabacloud.com/help/en/ack/ack-edge/user-guide/expose-an-application-by-using-a-service-of-the-load-balancing-type",
        ),
        source(
            "CLB health checks",
            "https://www.alibabacloud.com/help/en/slb/classic-load-balancer/user-guide/health-check-overview/",
        ),
    ],
};

const NLB_ATTRIBUTES: Source = source(
    "Edit target group attributes for your Network Load Balancer",
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html",
);
const NLB_FAILS_OPEN: Source = source(
    "Update the target group health settings for your Network Load Balancer",
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/modify-target-group-health-settings.html",
);
const NLB_TROUBLE: Source = source(
    "Troubleshoot your Network Load Balancer",
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html",
);

const AWS_NLB_INSTANCE: Profile = Profile {
    forwarding: Mode::Rewrite,
    udp: None,
    fails_open: true,
    pool: Pool::Nodes,
    nodes: Nodes::KeptAlways,
    about: || say!("cloud/aws-nlb-instance"),
    sources: &[NLB_ATTRIBUTES, NLB_FAILS_OPEN, NLB_TROUBLE],
};

/// Client IP preservation is off for TCP, and on for UDP, where it can't be switched off.
const AWS_NLB_IP: Profile = Profile {
    forwarding: Mode::FullNat,
    udp: Some(Mode::Rewrite),
    fails_open: true,
    pool: Pool::Pods,
    nodes: Nodes::KeptAlways,
    about: || say!("cloud/aws-nlb-ip"),
    sources: &[NLB_ATTRIBUTES, NLB_FAILS_OPEN, NLB_TROUBLE],
};

const GCP_PASSTHROUGH: Profile = Profile {
    forwarding: Mode::Keep,
    udp: None,
    fails_open: true,
    pool: Pool::Nodes,
    nodes: Nodes::Kept,
    about: || say!("cloud/gcp-passthrough"),
    sources: &[
        source(
            "Backend service-based external passthrough Network Load Balancer overview",
            "https://cloud.google.com/load-balancing/docs/network/networklb-backend-service",
        ),
        source(
            "Traffic distribution for external passthrough Network Load Balancers",
            "https://cloud.google.com/load-balancing/docs/network/ext-netlb-traffic-distribution",
        ),
        source(
            "LoadBalancer Service parameters",
            "https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters",
        ),
    ],
};

/// Beside the page, `speaker/layer2_controller.go` of metallb/metallb: who is asked, and which of them it is.
const METALLB_L2: Profile = Profile {
    forwarding: Mode::Keep,
    udp: None,
    fails_open: false,
    pool: Pool::OneNode,
    nodes: Nodes::Heard,
    about: || say!("cloud/metallb-l2"),
    sources: &[
        source(
            "MetalLB in layer 2 mode",
            "https://metallb.universe.tf/concepts/layer2/",
        ),
        source(
            "MetalLB: traffic policies",
            "https://metallb.universe.tf/usage/",
        ),
    ],
};

const FULL_NAT: Profile = Profile {
    forwarding: Mode::FullNat,
    udp: None,
    fails_open: false,
    pool: Pool::Nodes,
    nodes: Nodes::Kept,
    about: || say!("cloud/full-nat"),
    sources: &[],
};
