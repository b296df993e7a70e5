use super::message::Ask;
use crate::yaml::Node;

/// The mesh settings that change what proxies get (`MeshConfig`), with istiod's defaults.
#[derive(Clone, Debug)]
pub struct MeshConfig {
    pub root_namespace: String,
    /// The cluster's DNS domain.
    pub domain: String,
    /// Whether sidecars may call what the mesh does not know.
    pub allow_any: bool,
    pub service_export_to: Vec<String>,
    pub virtual_service_export_to: Vec<String>,
    pub destination_rule_export_to: Vec<String>,
    pub ingress_class: String,
    pub ingress_selector: String,
    pub ingress_service: String,
    pub ingress_mode: IngressMode,
    pub normalization: Normalization,
    /// The mesh's own retry policy, an `HTTPRetry`.
    pub default_retry: Option<Node>,
    pub locality_load_balancing: bool,
    /// Whether istiod reads the parts of Gateway API that are not stable yet (`PILOT_ENABLE_ALPHA_GATEWAY_API`).
    pub alpha_gateway_api: bool,
    /// What the identities of workloads begin with.
    pub trust_domain: String,
    pub trust_domain_aliases: Vec<String>,
    /// `extensionProviders`: servers that others ask.
    pub providers: Vec<Node>,
    /// Proxies in front of gateways that may say whom a request comes from.
    pub trusted_proxies: i64,
    /// Whether hosts of ServiceEntries without addresses are given some, as the proxies' default settings ask for.
    pub allocates_addresses: bool,
    /// Whether sidecars are called with mTLS where nothing else is said (`enableAutoMtls`).
    pub auto_mtls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngressMode {
    Off,
    /// Every Ingress that names no class, or ours.
    Default,
    Strict,
}

/// `pathNormalization.normalization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    None,
    Base,
    MergeSlashes,
    DecodeAndMergeSlashes,
}

impl Default for MeshConfig {
    fn default() -> Self {
        let public = || vec!["*".to_string()];
        Self {
            root_namespace: "istio-system".into(),
            domain: "cluster.local".into(),
            allow_any: true,
            service_export_to: public(),
            virtual_service_export_to: public(),
            destination_rule_export_to: public(),
            ingress_class: "istio".into(),
            ingress_selector: String::new(),
            ingress_service: "istio-ingressgateway".into(),
            ingress_mode: IngressMode::Strict,
            normalization: Normalization::Base,
            default_retry: None,
            locality_load_balancing: true,
            alpha_gateway_api: false,
            trust_domain: "cluster.local".into(),
            trust_domain_aliases: Vec::new(),
            providers: Vec::new(),
            trusted_proxies: 0,
            allocates_addresses: false,
            auto_mtls: true,
        }
    }
}

impl MeshConfig {
    /// What a MeshConfig says, over the defaults. What it says of other things has no effect here.
    pub fn read(node: &Node) -> Self {
        let mut mesh = Self::default();
        let text = |key: &str, to: &mut String| {
            if let Some(value) = node.get(key).and_then(Node::str) {
                *to = value.to_string();
            }
        };
        text("rootNamespace", &mut mesh.root_namespace);
        text("trustDomain", &mut mesh.trust_domain);
        text("ingressClass", &mut mesh.ingress_class);
        text("ingressSelector", &mut mesh.ingress_selector);
        text("ingressService", &mut mesh.ingress_service);
        let names = |key: &str, to: &mut Vec<String>| {
            if node.get(key).is_some() {
                *to = node.texts(key).into_iter().map(str::to_string).collect();
            }
        };
        names("defaultServiceExportTo", &mut mesh.service_export_to);
        names("trustDomainAliases", &mut mesh.trust_domain_aliases);
        names(
            "defaultVirtualServiceExportTo",
            &mut mesh.virtual_service_export_to,
        );
        names(
            "defaultDestinationRuleExportTo",
            &mut mesh.destination_rule_export_to,
        );
        if let Some(policy) = node.get("outboundTrafficPolicy") {
            mesh.allow_any = policy.text("mode") == "ALLOW_ANY";
        }
        match node.text("ingressControllerMode") {
            "OFF" => mesh.ingress_mode = IngressMode::Off,
            "DEFAULT" => mesh.ingress_mode = IngressMode::Default,
            _ => {}
        }
        if let Some(path) = node.get("pathNormalization") {
            mesh.normalization = match path.text("normalization") {
                "NONE" => Normalization::None,
                "MERGE_SLASHES" => Normalization::MergeSlashes,
                "DECODE_AND_MERGE_SLASHES" => Normalization::DecodeAndMergeSlashes,
                _ => Normalization::Base,
            };
        }
        mesh.providers = node.each("extensionProviders").to_vec();
        let defaults = node.get("defaultConfig");
        if let Some(topology) = defaults.and_then(|c| c.get("gatewayTopology")) {
            mesh.trusted_proxies = topology.number("numTrustedProxies");
        }
        let metadata = defaults.and_then(|c| c.get("proxyMetadata"));
        let on = |key| metadata.is_some_and(|m| m.text(key) == "true");
        mesh.allocates_addresses = on("ISTIO_META_DNS_CAPTURE")
            && (on("ISTIO_META_DNS_AUTO_ALLOCATE") || on("PILOT_ENABLE_IP_AUTOALLOCATE"));
        mesh.auto_mtls = node
            .get("enableAutoMtls")
            .is_none_or(|n| n.bool() != Some(false));
        mesh.default_retry = node.get("defaultHttpRetryPolicy").cloned();
        if let Some(locality) = node.get("localityLbSetting") {
            mesh.locality_load_balancing = locality
                .get("enabled")
                .is_none_or(|n| n.bool() != Some(false));
        }
        mesh
    }

    /// The mesh's trust domain, by all of its names.
    pub(super) fn trust_domains(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.trust_domain).chain(&self.trust_domain_aliases)
    }

    /// A trust domain; the mesh's own under all of its names.
    pub(super) fn with_aliases(&self, name: &str) -> Vec<String> {
        match self.trust_domains().any(|n| n == name) {
            true => self.trust_domains().cloned().collect(),
            false => vec![name.to_string()],
        }
    }
}
