//! A rule of a policy: what it permits, and whom. Source: `pilot/pkg/security/authz/model/model.go`.

use super::Action;
use super::condition::{Ask as What, Generated, Side};
use crate::control::istiod::message::{Ask, Message};
use crate::control::istiod::object::Object;
use crate::control::istiod::world::World;
use crate::text::Span;
use crate::yaml::Node;

/// Alternatives, in each of which all has to hold.
pub(super) struct Rule<'p> {
    permissions: Vec<Vec<Asked<'p>>>,
    principals: Vec<Vec<Asked<'p>>>,
    world: &'p World,
    /// The policy's.
    namespace: &'p str,
    span: Span,
}

/// What is asked, with the values of which one has to fit, and those of which none may.
struct Asked<'p> {
    what: What<'p>,
    values: &'p [Node],
    not_values: &'p [Node],
}

/// The fields of a source, in the order in which they are asked.
const SOURCE: [(What, &str, &str); 7] = [
    (What::Principal, "principals", "notPrincipals"),
    (
        What::RequestPrincipal,
        "requestPrincipals",
        "notRequestPrincipals",
    ),
    (
        What::ServiceAccount,
        "serviceAccounts",
        "notServiceAccounts",
    ),
    (What::TrustDomain, "trustDomains", "notTrustDomains"),
    (What::Namespace, "namespaces", "notNamespaces"),
    (What::RemoteIp, "remoteIpBlocks", "notRemoteIpBlocks"),
    (What::SourceIp, "ipBlocks", "notIpBlocks"),
];

const OPERATION: [(What, &str, &str); 4] = [
    (What::Host, "hosts", "notHosts"),
    (What::Method, "methods", "notMethods"),
    (What::Path, "paths", "notPaths"),
    (What::DestinationPort, "ports", "notPorts"),
];

impl<'p> Rule<'p> {
    /// None where it asks for what there is not, so that istiod leaves it out.
    pub(super) fn read(rule: &'p Node, policy: &'p Object, world: &'p World) -> Option<Self> {
        let mut of_permissions = Vec::new();
        let mut of_principals = Vec::new();
        for when in rule.each("when") {
            let what = What::of_key(when.text("key"))?;
            let (values, not_values) = (when.each("values"), when.each("notValues"));
            if values.is_empty() && not_values.is_empty() {
                continue;
            }
            let to = match what.side() {
                Side::Permission => &mut of_permissions,
                Side::Principal => &mut of_principals,
            };
            to.push((what, values, not_values));
        }
        let alternatives =
            |list: &str, field: &str, fields: &[(What<'p>, &str, &str)], rest: &[_]| {
                let each = rule.each(list);
                let of = |item: Option<&'p Node>| {
                    let node = item.and_then(|i| i.get(field));
                    let asked = fields.iter().filter_map(|(what, values, not_values)| {
                        let node = node?;
                        let (values, not_values) = (node.each(values), node.each(not_values));
                        let empty = values.is_empty() && not_values.is_empty();
                        (!empty).then_some((*what, values, not_values))
                    });
                    let all = asked.chain(rest.iter().copied());
                    all.map(|(what, values, not_values)| Asked {
                        what,
                        values,
                        not_values,
                    })
                    .collect()
                };
                match each {
                    [] => vec![of(None)],
                    each => each.iter().map(|item| of(Some(item))).collect(),
                }
            };
        Some(Self {
            principals: alternatives("from", "source", &SOURCE, &of_principals),
            permissions: alternatives("to", "operation", &OPERATION, &of_permissions),
            world,
            namespace: &policy.namespace,
            span: rule.span,
        })
    }

    /// Envoy's policy. What is of HTTP has no meaning on a connection: an ALLOW rule with it is left out, a DENY rule is made
    /// without it, so that either errs on the side of denying.
    pub(super) fn generate(&self, tcp: bool, action: Action) -> Option<Node> {
        let permissions = self.side(&self.permissions, Side::Permission, tcp, action)?;
        let principals = self.side(&self.principals, Side::Principal, tcp, action)?;
        let policy = Message::new(self.span)
            .list("permissions", permissions)
            .list("principals", principals);
        Some(policy.end())
    }

    fn side(
        &self,
        alternatives: &[Vec<Asked>],
        side: Side,
        tcp: bool,
        action: Action,
    ) -> Option<Vec<Node>> {
        let made = alternatives.iter().map(|all| {
            let mut and = Vec::new();
            for asked in all {
                and.extend(self.asked(asked, side, tcp, action)?);
            }
            if and.is_empty() {
                and.push(Message::new(self.span).bool("any", true).end());
            }
            let span = and.first().map_or(self.span, |n| n.span);
            Some(side.all(and, span))
        });
        made.collect()
    }

    /// None where the whole rule is left out.
    fn asked(&self, asked: &Asked, side: Side, tcp: bool, action: Action) -> Option<Vec<Node>> {
        let mut all = Vec::new();
        for (values, negated) in [(asked.values, false), (asked.not_values, true)] {
            let mut any = Vec::new();
            let size = if asked.what.takes_all() {
                values.len()
            } else {
                1
            };
            for value in values.chunks(size.max(1)) {
                let made = asked.what.generate(value, tcp, self.namespace, self.world);
                match made {
                    Generated::Made(made) => any.extend(made),
                    Generated::Impossible if action == Action::Allow => return None,
                    Generated::Impossible => {}
                }
            }
            let Some(span) = any.first().map(|n| n.span) else {
                continue;
            };
            let any = match asked.what.takes_all() {
                true => any.swap_remove(0),
                false => side.any(any, span),
            };
            all.push(match negated {
                true => side.not(any, span),
                false => any,
            });
        }
        Some(all)
    }
}
