//! What the filters that let in or not considered: each policy, and which of its conditions failed.

use super::considered::{Considered, Told, one};
use crate::envoy::{
    Access, Asker, Authn, Doubt, Effect, HttpFilter, Looked, NetworkFilter, Own, Rbac, Rules,
    Terminal, Told as Holds,
};
use crate::say;
use crate::text::{Outcome, Say, Span};

use super::Tls;

impl<'a> Told<'a> {
    /// The filters that were asked, with what each said.
    fn rbacs(&self) -> Vec<(Access, &'a Rbac)> {
        let Some(chain) = self.chain() else {
            return Vec::new();
        };
        let filter = |access: &Access| {
            let at = access.filter as usize;
            match (access.network, &chain.end) {
                (true, _) => match chain.filters.get(at)? {
                    NetworkFilter::Rbac(rbac) => Some(rbac),
                    NetworkFilter::ExtAuthz(_) | NetworkFilter::NotModelled(..) => None,
                },
                (false, Terminal::Http(hcm)) => {
                    let filter = hcm.filters.get(at)?;
                    let Some(level) = access.level else {
                        return match &filter.does {
                            HttpFilter::Rbac(rbac) => Some(rbac),
                            _ => None,
                        };
                    };
                    match &level.of(self.route_config()?)?.of(&filter.name)?.own {
                        Own::Rbac(rbac) => Some(rbac),
                        _ => None,
                    }
                }
                _ => None,
            }
        };
        let all = self.account.access.iter();
        all.filter_map(|a| Some((*a, filter(a)?))).collect()
    }

    /// What the filters that look at tokens said, but for those that did not have to.
    fn tokens_asked(&self) -> impl DoubleEndedIterator<Item = &'a Looked> {
        let all = self.account.authn.iter();
        all.filter(|looked| looked.authn != Authn::Pass)
    }

    pub(super) fn deciding_token(&self) -> Option<Span> {
        let last = self.tokens_asked().next_back()?;
        Some(match last.authn {
            Authn::Unknown(_, span) => span,
            _ => last.span,
        })
    }

    pub(super) fn token_in_short(&self) -> Say {
        let last = self.tokens_asked().next_back();
        let name = last.and_then(|l| l.requirement.as_deref()).unwrap_or("");
        match last.map(|l| &l.authn) {
            None | Some(Authn::Pass) => say!("trace/proxied-unknown"),
            Some(Authn::Valid { .. }) => say!("trace/envoy-token"),
            Some(Authn::Refused(why)) => say!("trace/envoy-token-refused", reason = why),
            Some(Authn::NoRequirement(_)) => say!("trace/envoy-no-requirement", name = name),
            Some(Authn::Unknown(..)) => say!("trace/envoy-token-unknown"),
        }
    }

    pub(super) fn tokens(&self) -> Vec<Considered> {
        let said = self.tokens_asked().filter_map(|looked| {
            let (outcome, say) = match &looked.authn {
                Authn::Pass => return None,
                Authn::Valid { claims, .. } => {
                    (Outcome::Held, say!("envoy/token-valid", claims = claims))
                }
                Authn::Refused(why) => (Outcome::Failed, say!("envoy/details", details = why)),
                Authn::NoRequirement(why) => {
                    (Outcome::Failed, say!("envoy/details", details = why))
                }
                Authn::Unknown(doubt, _) => {
                    let say = match doubt {
                        Doubt::Time => say!("envoy/token-time"),
                        Doubt::Keys => say!("envoy/token-keys"),
                        Doubt::Algorithm => say!("envoy/token-algorithm"),
                        Doubt::Provider => say!("envoy/token-provider"),
                        Doubt::Requirement => say!("envoy/token-requirement"),
                    };
                    (Outcome::CannotTell, say)
                }
            };
            let name = match &looked.requirement {
                Some(name) => format!("requirement_name: {name}"),
                None => "envoy.filters.http.jwt_authn".to_string(),
            };
            Some(one(&name, outcome, say, looked.span))
        });
        said.collect()
    }

    /// The policy that decided, or the filter whose policies all failed.
    pub(super) fn deciding_policy(&self) -> Option<Span> {
        let (access, rbac) = self.rbacs().into_iter().next_back()?;
        let rules = rbac.rules.as_ref()?;
        let at = access.policy.or(access.unknown);
        let policy = at.and_then(|at| rules.policies.get(at as usize));
        let first = rules.policies.first();
        policy.or(first).map(|p| p.span)
    }

    /// What the stage came to.
    pub(super) fn access_in_short(&self) -> Say {
        let Some((access, rbac)) = self.rbacs().into_iter().next_back() else {
            return say!("trace/proxied-unknown");
        };
        let name = |at: Option<u32>| {
            let mut policies = rbac.rules.iter().flat_map(|r| &r.policies);
            let policy = policies.nth(at.unwrap_or(u32::MAX) as usize);
            policy.map_or("", |p| p.name.as_str())
        };
        match (access.allowed, access.policy) {
            (Some(true), Some(_)) => say!("trace/envoy-access-by", name = name(access.policy)),
            (Some(true), None) => say!("trace/envoy-access"),
            (Some(false), Some(_)) => say!("trace/envoy-denied-by", name = name(access.policy)),
            (Some(false), None) => say!("trace/envoy-denied"),
            (None, _) => say!("trace/envoy-access-unknown", name = name(access.unknown)),
        }
    }

    pub(super) fn access(&self) -> Vec<Considered> {
        let metadata = Authn::noted(&self.account.authn);
        let mut all = Vec::new();
        for (access, rbac) in self.rbacs() {
            let asker = Asker {
                connection: &self.account.connection,
                ends_tls: matches!(self.account.tls, Tls::Ended { .. }),
                client: self.account.client,
                request: self.account.request.as_ref().filter(|_| !access.network),
                metadata: &metadata,
            };
            if let Some(rules) = &rbac.rules {
                policies(rules, &asker, Some(access), &mut all);
            }
            if let Some(shadow) = &rbac.shadow {
                policies(shadow, &asker, None, &mut all);
            }
            let nobody = access.allowed == Some(false) && access.policy.is_none();
            if nobody {
                let say = say!("envoy/rbac-nobody");
                all.push(one("ALLOW", Outcome::Held, say, rbac.span));
            }
        }
        all
    }
}

/// A row a policy. `said`: what goes; without, nothing follows from it.
fn policies(rules: &Rules, asker: &Asker, said: Option<Access>, all: &mut Vec<Considered>) {
    let decided = match said {
        Some(access) => access.policy.map(|at| at as usize),
        None => rules.ask(asker).policy,
    };
    for (at, policy) in rules.policies.iter().enumerate() {
        let why = policy.why(asker);
        let told = policy.told(asker);
        let (outcome, say) = match (told, said) {
            _ if decided.is_some_and(|d| d < at) => {
                (Outcome::NotTried, say!("envoy/not-looked-at"))
            }
            (Holds::Holds, None) => (Outcome::NotTried, say!("envoy/rbac-shadow", what => why)),
            (Holds::Holds, Some(_)) => match rules.action {
                Effect::Deny => (Outcome::Held, say!("envoy/rbac-denies", what => why)),
                Effect::Allow => (Outcome::Held, say!("envoy/rbac-allows", what => why)),
                Effect::Log => (Outcome::NotTried, say!("envoy/rbac-logs", what => why)),
            },
            (Holds::Fails, _) => (Outcome::Failed, why),
            (Holds::Unknown, _) => (Outcome::CannotTell, why),
        };
        let name = format!("{} {}", rules.action.name(), policy.name);
        all.push(one(&name, outcome, say, policy.span));
    }
}
