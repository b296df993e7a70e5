//! Which tokens a workload's proxy takes: RequestAuthentication.
//! Source: `convertToEnvoyJwtConfig` of `pilot/pkg/security/authn/policy_applier.go`.

use super::authz::{attaches, for_waypoints};
use super::connection_manager::filter;
use super::message::{Ask, Message};
use super::object::{Object, sort_by_age};
use super::world::{Proxy, ProxyKind, World};
use crate::text::{Diagnostic, Span};
use crate::yaml::Node;

/// All RequestAuthentications, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens(Vec<Object>);

impl Tokens {
    pub(super) fn new(mut objects: Vec<Object>) -> Self {
        sort_by_age(&mut objects);
        Self(objects)
    }

    pub(super) fn log(&self, log: &mut Vec<Diagnostic>) {
        log.extend(for_waypoints(&self.0));
    }

    /// The filter of a workload's proxy. A request without a token passes, one with a token that is not valid does not.
    pub(super) fn filter(&self, world: &World, proxy: &Proxy) -> Option<Node> {
        let root = &world.mesh.root_namespace;
        let near = |p: &&Object| p.namespace == *root || p.namespace == proxy.namespace;
        let policies = self.0.iter().filter(near).filter(|p| attaches(p, proxy));
        let mut rules: Vec<&Node> = policies.flat_map(|p| p.spec.each("jwtRules")).collect();
        rules.sort_by_key(|r| r.text("issuer"));
        let span = rules.first()?.span;
        let mut providers = Message::new(span);
        // Routes of a gateway may ask for claims.
        let anew = proxy.kind == ProxyKind::Router;
        let mut either = Vec::new();
        let mut each = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            let name = format!("origins-{at}");
            providers.set(&name, provider(rule, anew));
            let ours = Message::new(rule.span).str("providerName", &name).end();
            let missing = Message::new(rule.span).message("allowMissing", Message::new(rule.span));
            each.push(requires(
                "requiresAny",
                vec![ours.clone(), missing.end()],
                rule.span,
            ));
            either.push(ours);
        }
        let requires = match each.len() {
            1 => each.swap_remove(0),
            _ => {
                either.push(requires("requiresAll", each, span));
                requires("requiresAny", either, span)
            }
        };
        let rule = Message::new(span)
            .message("match", Message::new(span).str("prefix", "/"))
            .node("requires", requires);
        let config = Message::new(span)
            .str(
                "@type",
                "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            )
            .message("providers", providers)
            .list("rules", vec![rule.end()])
            .bool("bypassCorsPreflight", true);
        Some(filter("envoy.filters.http.jwt_authn", config))
    }
}

fn requires(field: &str, requirements: Vec<Node>, span: Span) -> Node {
    let list = Message::new(span).list("requirements", requirements);
    Message::new(span).message(field, list).end()
}

/// `anew`: what it claims may lead to another route.
fn provider(rule: &Node, anew: bool) -> Node {
    let span = rule.span;
    let headers = rule.each("fromHeaders").iter().map(|h| {
        let header = Message::new(h.span).str("name", h.text("name"));
        header.str("valuePrefix", h.text("prefix")).end()
    });
    let claims = rule.each("outputClaimToHeaders").iter().map(|c| {
        let claim = Message::new(c.span).str("headerName", c.text("header"));
        claim.str("claimName", c.text("claim")).end()
    });
    let mut lists: Vec<String> = ["permission", "scope"].map(String::from).into();
    lists.extend(
        rule.texts("spaceDelimitedClaims")
            .into_iter()
            .map(String::from),
    );
    lists.sort();
    lists.dedup();
    let provider = Message::new(span)
        .str("issuer", rule.text("issuer"))
        .some("audiences", rule.each("audiences").to_vec())
        .bool("forward", rule.flag("forwardOriginalToken"))
        .some("fromHeaders", headers.collect())
        .some("fromParams", rule.each("fromParams").to_vec())
        .some("fromCookies", rule.each("fromCookies").to_vec())
        .str("forwardPayloadHeader", rule.text("outputPayloadToHeader"))
        .some("claimToHeaders", claims.collect())
        .str("payloadInMetadata", "payload")
        .message(
            "normalizePayloadInMetadata",
            Message::new(span).strings("spaceDelimitedClaims", &lists),
        )
        .bool("clearRouteCache", anew);
    let keys = rule.text("jwks");
    let provider = match keys {
        // istiod fetches them, and nobody here knows what it finds: written as if Envoy had to.
        "" => {
            let uri = Message::new(span).str("uri", rule.text("jwksUri"));
            let remote = Message::new(span).message("httpUri", uri);
            provider.message("remoteJwks", remote)
        }
        keys => {
            let at = rule.get("jwks").map_or(span, |n| n.span);
            let inline = Message::new(at).str("inlineString", keys);
            provider.message("localJwks", inline)
        }
    };
    provider.end()
}
