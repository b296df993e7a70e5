use super::{Fib, Flow, Found, NoWay, PolicyRule, Route, RuleAction, TableId};
use crate::net::IpFamily;
use crate::say;
use crate::text::{Outcome, Reason, Say, Why};

impl Fib {
    /// Why a flow was answered so: the rule and line that decided, and of the lines that could have, why they did not.
    pub fn why(&self, flow: &Flow, answer: &Result<Found, NoWay>) -> Why {
        let (pref, route) = match answer {
            Ok(found) => (found.rule, Some(&*found.route)),
            Err(no_way) => (no_way.rule, no_way.route.as_deref()),
        };
        let mut why = Why::default();
        let family = IpFamily::of(flow.dst);
        let custom = self.has_custom_rules(family);
        for rule in self.asked(family, pref) {
            let outcome = if Some(rule.pref) == pref {
                Outcome::Held
            } else {
                Outcome::Failed
            };
            let reason = Reason {
                outcome,
                text: rule.to_string(),
                say: self.rule_said(rule, flow, outcome),
                span: rule.span,
                children: Vec::new(),
            };
            match outcome {
                Outcome::Held => why.decided.push(reason),
                _ => why.passed_over.push(reason),
            }
        }
        let table = match route.map(|r| r.table) {
            Some(TableId::LOCAL) if family == IpFamily::V4 && !custom => TableId::MAIN,
            None if !custom => TableId::MAIN,
            Some(table) => table,
            None => return why,
        };
        for line in self.table(family, table) {
            if route == Some(&**line) {
                let say = say!("route/longest", dst = flow.dst, prefix = line.dst);
                why.decided.push(said(line, Outcome::Held, say));
                continue;
            }
            // What the kernel adds by itself is only worth a word where it could have decided.
            if line.span.is_none() && !line.dst.contains(flow.dst) {
                continue;
            }
            let (outcome, say) = passed(line, route, flow);
            why.passed_over.push(said(line, outcome, say));
        }
        why
    }

    /// The policy rules asked up to the one that decided. Without rules of its own a host is not asked at all.
    fn asked(&self, family: IpFamily, pref: Option<u32>) -> impl Iterator<Item = &PolicyRule> {
        let custom = self.has_custom_rules(family);
        self.rules(family)
            .iter()
            .filter(move |r| custom && pref.is_none_or(|p| r.pref <= p))
    }

    fn rule_said(&self, rule: &PolicyRule, flow: &Flow, outcome: Outcome) -> Say {
        match (outcome, rule.action) {
            (Outcome::Held, _) => say!("route/rule-held", pref = rule.pref),
            (_, _) if !rule.fits(flow) => say!("route/rule-not-for-it", pref = rule.pref),
            (_, RuleAction::Lookup(table)) => {
                say!("route/rule-empty", pref = rule.pref, table = table)
            }
            _ => say!("route/rule-passed", pref = rule.pref),
        }
    }
}

fn said(route: &Route, outcome: Outcome, say: Say) -> Reason {
    Reason {
        outcome,
        text: route.to_string(),
        say,
        span: route.span,
        children: Vec::new(),
    }
}

/// Why a line did not decide.
fn passed(line: &Route, chosen: Option<&Route>, flow: &Flow) -> (Outcome, Say) {
    if !line.dst.contains(flow.dst) {
        let say = say!("route/not-in", dst = flow.dst, prefix = line.dst);
        return (Outcome::Failed, say);
    }
    if let Some(oif) = &flow.oif
        && !line.hops.iter().any(|h| h.dev.as_ref() == Some(oif))
    {
        return (Outcome::Failed, say!("route/other-interface", iface = oif));
    }
    if !line.hops.is_empty() && line.hops.iter().all(|h| h.dead) {
        return (Outcome::Failed, say!("route/link-down"));
    }
    let length = |r: &Route| r.dst.length().unwrap_or(0);
    match chosen {
        Some(chosen) if length(line) < length(chosen) => {
            let say = say!(
                "route/shorter",
                length = length(line),
                chosen = length(chosen)
            );
            (Outcome::NotTried, say)
        }
        Some(chosen) if line.metric > chosen.metric => {
            let say = say!(
                "route/worse-metric",
                metric = line.metric,
                chosen = chosen.metric
            );
            (Outcome::NotTried, say)
        }
        _ => (Outcome::NotTried, say!("route/later")),
    }
}
