//! mTLS between the mesh's own. Source: `pilot/pkg/networking/core/cluster_tls.go`.

use super::{Made, Policy};
use crate::control::istiod::message::{Ask, Message};
use crate::control::istiod::service::{Endpoint, Resolution};
use crate::yaml::Node;

pub(super) const UPSTREAM_TLS: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
const RAW_BUFFER: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

impl Made<'_> {
    /// Whether auto mTLS is for the service (`BestEffortInferServiceMTLSMode`): not where the mesh ends, nor where its
    /// namespace takes none; and where its endpoints are not told to proxies, only if all of them have a sidecar.
    pub(super) fn is_mutual(&self, policy: &Policy) -> bool {
        let (service, mesh) = (self.service, &self.world.mesh);
        let peers = &self.world.peers;
        if service.external
            || !mesh.auto_mtls
            || peers.disabled_in(&mesh.root_namespace, &service.namespace)
        {
            return false;
        }
        let balancer = policy.level.and_then(|l| l.get("loadBalancer"));
        let untold = balancer.is_some_and(|l| l.text("simple") == "PASSTHROUGH");
        if !untold && service.resolution != Resolution::Passthrough {
            return true;
        }
        let all = service.called().iter();
        let mut all = all.filter(|e| e.ports.contains_key(&self.port.name));
        all.next().is_some_and(|e| !e.has_none()) && !all.any(Endpoint::has_none)
    }

    pub(super) fn knows_sidecars(&self) -> bool {
        self.service.called().iter().any(Endpoint::has_sidecar)
    }

    /// mTLS with the mesh's own certificates (`buildUpstreamClusterTLSContext`).
    pub(super) fn mutual(&self) -> Message {
        let secrets = vec![Message::new(self.span).str("name", "default").end()];
        let common = Message::new(self.span)
            .list("tlsCertificateSdsSecretConfigs", secrets)
            .strings(
                "alpnProtocols",
                &["istio-peer-exchange".into(), "istio".into()],
            );
        let config = Message::new(self.span)
            .str("@type", UPSTREAM_TLS)
            .message("commonTlsContext", common)
            // The cluster's name as SNI spells it (`BuildDNSSrvSubsetKey`).
            .str("sni", self.name.replace('|', "_."));
        Message::new(self.span)
            .str("name", "envoy.transport_sockets.tls")
            .message("typedConfig", config)
    }

    pub(super) fn auto_mutual(&self) -> Vec<Node> {
        let labels = Message::new(self.span).str("tlsMode", "istio");
        let plain = Message::new(self.span)
            .str("name", "envoy.transport_sockets.raw_buffer")
            .message(
                "typedConfig",
                Message::new(self.span).str("@type", RAW_BUFFER),
            );
        [
            ("tlsMode-istio", labels, self.mutual()),
            ("tlsMode-disabled", Message::new(self.span), plain),
        ]
        .map(|(name, labels, socket)| {
            Message::new(self.span)
                .str("name", name)
                .message("match", labels)
                .message("transportSocket", socket)
                .end()
        })
        .to_vec()
    }
}
