//! Why a packet did not take a rule, a route, a backend or an Envoy's route, and the smallest change that leads it there.

mod reached;
mod tell;
mod ways;

pub use tell::nothing_here;
pub use ways::Way;

use super::subject::{passed_over, steps, took};
use super::{Run, Subject, Workspace};
use crate::text::Reason;
use crate::trace::{Role, StepAt};

/// The answer to "why not this one?".
#[derive(Clone, Debug, PartialEq)]
pub struct WhyNot {
    pub subject: Subject,
    pub verdict: Verdict,
    /// Changes that lead there: each was tried, and the packet took it. Smallest first, at most `MOST_WAYS` of a kind.
    pub ways: Vec<Way>,
    /// How many changes were tried.
    pub tried: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It did take it, first at this step.
    Taken(StepAt),
    /// It was asked, first at this step, and did not hold.
    PassedOver(StepAt, Reason),
    /// The walk never asked it: where it left before.
    NotReached(Vec<Reason>),
}

/// How many ways of one kind are enough.
pub const MOST_WAYS: usize = 3;

/// Answers for a subject of this run of the workspace. Changes are found among those that the criteria on the way suggest,
/// and tried by walking: at most a few hundred walks, and a few dozen times reading the files.
pub fn why_not(workspace: &Workspace, run: &Run, subject: Subject) -> WhyNot {
    let verdict = verdict(run, &subject);
    let (mut ways, mut tried) = (Vec::new(), 0);
    if !matches!(verdict, Verdict::Taken(_)) {
        (ways, tried) = ways::find(workspace, run, &subject, &verdict);
    }
    WhyNot {
        subject,
        verdict,
        ways,
        tried,
    }
}

fn verdict(run: &Run, subject: &Subject) -> Verdict {
    let host = subject.kind.host();
    let here = || steps(&run.trace).filter(|(_, at, _)| *at == host);
    let taken = here().find(|(_, host, step)| took(&run.world, *host, step, subject.span));
    if let Some((at, ..)) = taken {
        return Verdict::Taken(at);
    }
    // Of the request before its answers.
    let role = |at: StepAt| run.trace.journeys.get(at.journey as usize).map(|j| j.role);
    let asked = |wanted: bool| {
        here()
            .filter(|(at, ..)| (role(*at) == Some(Role::Request)) == wanted)
            .find_map(|(at, host, step)| {
                Some((at, passed_over(&run.world, host, step, subject.span)?))
            })
    };
    match asked(true).or_else(|| asked(false)) {
        Some((at, reason)) => Verdict::PassedOver(at, reason),
        None => Verdict::NotReached(reached::explain(run, subject)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;
    use crate::workspace::{DEFAULT, Scenario, run};

    /// Asks at a text of a file of the article's scenario.
    fn ask(file: &str, text: &str) -> (Workspace, Run, WhyNot) {
        ask_in(DEFAULT, file, text)
    }

    fn ask_in(scenario: &str, file: &str, text: &str) -> (Workspace, Run, WhyNot) {
        let workspace = Scenario::find(scenario).unwrap().workspace().unwrap();
        let run = run(&workspace);
        let at = run.files.iter().position(|f| &*f.name == file).unwrap();
        let offset = run.files[at].text.find(text).unwrap();
        let subject = run.subject_at(FileId::at(at), offset as u32).unwrap();
        let answer = why_not(&workspace, &run, subject);
        (workspace, run, answer)
    }

    const RULES: &str = "nodes/work001/iptables-save.txt";

    #[test]
    fn a_rule_that_was_taken_is_taken() {
        let (.., answer) = ask(RULES, "-A KUBE-SEP-EW7YLHH65NRUVIFQ -p tcp");
        assert!(matches!(answer.verdict, Verdict::Taken(_)), "{answer:?}");
    }

    #[test]
    fn a_rule_that_was_asked_names_the_criterion_and_a_packet_that_fits() {
        let (workspace, before, answer) = ask(RULES, "-A KUBE-SERVICES -d 182.92.251.227/32");
        assert!(
            matches!(answer.verdict, Verdict::PassedOver(..)),
            "{answer:?}"
        );
        assert!(!answer.ways.is_empty());
        for way in &answer.ways {
            let after = run(&way.apply(&workspace, &before));
            let there = after.files.iter().any(|f| f.text.contains("KUBE-SERVICES"));
            assert!(
                there && after.trace != before.trace,
                "{way:?} changes the walk"
            );
        }
    }

    #[test]
    fn a_rule_that_was_not_reached_says_where_the_walk_left() {
        let (.., answer) = ask(RULES, "-A KUBE-MARK-DROP");
        let Verdict::NotReached(reasons) = &answer.verdict else {
            panic!("{answer:?}");
        };
        assert!(!reasons.is_empty());
    }

    #[test]
    fn a_host_that_was_not_visited_says_so() {
        let (.., answer) = ask(
            "nodes/work002/iptables-save.txt",
            "-A KUBE-NODEPORTS -p tcp",
        );
        let Verdict::NotReached(reasons) = &answer.verdict else {
            panic!("{answer:?}");
        };
        assert_eq!(reasons[0].say.key, "why-not/host-not-visited");
        assert!(!answer.ways.is_empty(), "another seed or probe goes there");
    }

    #[test]
    fn a_route_that_was_not_taken_has_a_packet_that_takes_it() {
        let (.., answer) = ask("nodes/work001/ip-route.txt", "169.254.123.0/24");
        let probe = answer.ways.iter().any(|w| matches!(w, Way::Probe(_)));
        assert!(probe, "{answer:?}");
    }

    #[test]
    fn an_element_of_a_map_names_the_rule_that_looks_and_a_packet_that_finds_it() {
        let scenario = "manifests-1-36-nftables";
        let workspace = Scenario::find(scenario).unwrap().workspace().unwrap();
        let run = run(&workspace);
        let elements = run.subjects().into_iter().filter(|s| {
            let subject = matches!(s.kind, crate::workspace::SubjectKind::Element { .. });
            subject && run.subject_text(s).contains("goto")
        });
        let answers: Vec<WhyNot> = elements.map(|s| why_not(&workspace, &run, s)).collect();
        let taken = |a: &&WhyNot| matches!(a.verdict, Verdict::Taken(_));
        assert!(answers.iter().any(|a| taken(&a)));
        let other = answers.iter().find(|a| !taken(a)).unwrap();
        let Verdict::NotReached(reasons) = &other.verdict else {
            panic!("{other:?}");
        };
        assert!(!reasons.is_empty(), "{other:?}");
        let found = answers.iter().filter(|a| !taken(a));
        assert!(found.into_iter().any(|a| !a.ways.is_empty()));
    }

    #[test]
    fn a_route_of_envoys_has_a_request_that_takes_it() {
        let workspace = Scenario::find("canary-header")
            .unwrap()
            .workspace()
            .unwrap();
        let has = |f: &&crate::text::File| f.text.contains("name: everybody");
        let file = workspace.files.iter().find(has).unwrap().name.to_string();
        let (.., answer) = ask_in("canary-header", &file, "name: everybody");
        assert!(!matches!(answer.verdict, Verdict::Taken(_)), "{answer:?}");
        assert!(
            answer.ways.iter().any(|w| matches!(w, Way::Probe(_))),
            "{answer:?}"
        );
    }
}
