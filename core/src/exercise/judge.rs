//! Attempts, played and judged.

use std::sync::Arc;

use super::outcome::{self, Outcome};
use super::{
    Attempt, Exercise, Goal, HandIn, Locked, NamedProbe, Score, Wanted, lines_edited, locked,
    same_answer,
};
use crate::net::Chance;
use crate::say;
use crate::sim;
use crate::text::{File, Say};
use crate::topology::World;
use crate::trace::{StepAt, Trace, alike};
use crate::workspace::healthy_world;

/// An exercise whose start has been played, against which attempts are judged.
#[derive(Clone, Debug)]
pub struct Start {
    exercise: Arc<Exercise>,
    played: Played,
    outcomes: Vec<Vec<Option<Outcome>>>,
    par: u32,
}

/// What is to be said of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// One for each goal, in their order.
    pub findings: Vec<Finding>,
    /// Edits that were not allowed.
    pub locked: Vec<Locked>,
    pub score: Score,
}

/// Whether a goal holds, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub passed: bool,
    /// The probe whose walk shows it, by its position.
    pub probe: Option<u32>,
    /// The seed with which that walk is played.
    pub seed: u64,
    /// Where in the walk to look.
    pub at: Option<StepAt>,
    /// What was found instead, or that it holds.
    pub found: Say,
}

/// The probes of an exercise, played over some files.
#[derive(Clone, Debug)]
struct Played {
    world: World,
    /// By probe, then by try; `None` where no machine has the sender's name.
    walks: Vec<Vec<Option<Trace>>>,
}

impl Played {
    fn of(exercise: &Exercise, files: &[File]) -> Played {
        let seed = exercise.start.seed;
        let (world, _) = healthy_world(files, seed);
        let play = |named: &NamedProbe| -> Vec<Option<Trace>> {
            let tries = 0..u64::from(exercise.tries);
            tries
                .map(|n| sim::run(&world, &named.probe, seed.wrapping_add(n)))
                .collect()
        };
        let walks = exercise.probes.iter().map(play).collect();
        Played { world, walks }
    }
}

impl Start {
    pub fn new(exercise: Arc<Exercise>) -> Start {
        let played = Played::of(&exercise, &exercise.start.files);
        let outcomes = exercise.probes.iter().zip(&played.walks);
        let of = |(named, walks): (&NamedProbe, &Vec<Option<Trace>>)| {
            let outcome = |t: &Trace| Outcome::of(&played.world, &named.probe, t);
            walks.iter().map(|w| w.as_ref().map(outcome)).collect()
        };
        Start {
            outcomes: outcomes.map(of).collect(),
            par: exercise.par(),
            exercise,
            played,
        }
    }

    pub fn exercise(&self) -> &Exercise {
        &self.exercise
    }

    pub fn judge(&self, attempt: &Attempt) -> Judgement {
        let exercise = &*self.exercise;
        let locked = locked(&exercise.editable, &exercise.start.files, &attempt.files);
        let lines = lines_edited(&exercise.start.files, &attempt.files);
        let new;
        let played = match attempt.files == exercise.start.files {
            true => &self.played,
            false => {
                new = Played::of(exercise, &attempt.files);
                &new
            }
        };
        let finder = Finder {
            start: self,
            played,
            attempt,
            lines,
        };
        let findings: Vec<_> = exercise.goals.iter().map(|g| finder.goal(g)).collect();
        let solved = locked.is_empty() && findings.iter().all(|f| f.passed);
        let (mut passed, mut of) = (0, 0);
        for (goal, finding) in exercise.goals.iter().zip(&findings) {
            if !goal.holds_at_start {
                of += 1;
                passed += u32::from(finding.passed);
            }
        }
        let score = Score::new(passed, of, solved, lines, attempt.hints, self.par);
        Judgement {
            findings,
            locked,
            score,
        }
    }
}

/// What a hand-in is worth: it is played, and nothing that it claims is believed. `start`: of the exercise that it names.
/// Errors: there is none, it is of another version, it does not fit, or it edits what is locked.
pub fn mark(hand_in: &HandIn, start: Option<&Start>) -> Result<Score, Say> {
    let start = start.ok_or_else(|| say!("hand-in/no-exercise", name = hand_in.exercise))?;
    let judgement = start.judge(&hand_in.attempt(&start.exercise)?);
    match judgement.locked.first() {
        Some(locked) => Err(say!("hand-in/locked", file = locked.file)),
        None => Ok(judgement.score),
    }
}

struct Finder<'a> {
    start: &'a Start,
    played: &'a Played,
    attempt: &'a Attempt,
    lines: u32,
}

/// Of one walk: whether the goal holds, what was found, where to look.
type Seen = (bool, Say, Option<StepAt>);

impl Finder<'_> {
    fn goal(&self, goal: &Goal) -> Finding {
        let holds = |passed, found| Finding {
            passed,
            probe: None,
            seed: self.start.exercise.start.seed,
            at: None,
            found,
        };
        if let Wanted::Edits(most) = goal.wanted {
            let found = say!("exercise/found-edits", lines = self.lines);
            return holds(self.lines <= most, found);
        }
        if let Wanted::Share { of, is } = &goal.wanted {
            return self.share(goal, of, *is);
        }
        let mut last = holds(true, say!("exercise/found-holds"));
        for &probe in &goal.probes {
            let walks = self.played.walks.get(probe as usize);
            for (n, walk) in walks.into_iter().flatten().enumerate() {
                let seen = match walk {
                    Some(trace) => self.walk(goal, probe as usize, n, trace),
                    None => (false, say!("exercise/found-no-sender"), None),
                };
                last = Finding {
                    passed: seen.0,
                    probe: Some(probe),
                    seed: last.seed,
                    at: seen.2,
                    found: seen.1,
                };
                last.seed = self.start.exercise.start.seed.wrapping_add(n as u64);
                if !last.passed {
                    return last;
                }
            }
        }
        last
    }

    /// Walks every road of the probes. A walk that is played shows the share of one probe only by chance, so none is shown.
    fn share(&self, goal: &Goal, of: &str, is: Chance) -> Finding {
        let exercise = &self.start.exercise;
        let seed = exercise.start.seed;
        let mut finding = Finding {
            passed: true,
            probe: goal.probes.first().copied(),
            seed,
            at: None,
            found: say!("exercise/found-holds"),
        };
        for &probe in &goal.probes {
            let Some(named) = exercise.probes.get(probe as usize) else {
                continue;
            };
            let world = &self.played.world;
            let takes = |trace: &Trace| {
                let outcome = Outcome::of(world, &named.probe, trace);
                outcome.reached.iter().any(|name| alike(of, name))
            };
            finding.probe = Some(probe);
            let Some((ends, rest)) = sim::requests(world, &named.probe, seed, takes) else {
                finding.passed = false;
                finding.found = say!("exercise/found-no-sender");
                return finding;
            };
            let share = ends.iter().find(|(takes, _)| *takes);
            let share = share.map_or(Chance::NEVER, |(_, chance)| *chance);
            finding.passed = rest.is_never() && share == is;
            finding.found = match rest.is_never() {
                true => say!("exercise/found-share", host = of, share = share.told()),
                false => say!("exercise/found-no-share", chance = rest),
            };
            if !finding.passed {
                return finding;
            }
        }
        finding
    }

    fn walk(&self, goal: &Goal, probe: usize, n: usize, trace: &Trace) -> Seen {
        let world = &self.played.world;
        let Some(named) = self.start.exercise.probes.get(probe) else {
            return (false, say!("exercise/found-no-sender"), None);
        };
        let outcome = || Outcome::of(world, &named.probe, trace);
        let trouble = || outcome::trouble(trace);
        match &goal.wanted {
            Wanted::Reaches(host) => {
                let outcome = outcome();
                let reached = outcome.reached.iter().any(|name| alike(host, name));
                (reached, ended(&outcome), trouble())
            }
            Wanted::Answered => {
                let outcome = outcome();
                (outcome.answered, ended(&outcome), trouble())
            }
            Wanted::Status(status) => {
                let outcome = outcome();
                let found = match outcome.status {
                    Some(found) => say!("exercise/found-status", status = found),
                    None => ended(&outcome),
                };
                (outcome.status == Some(*status), found, trouble())
            }
            Wanted::Source { addr, at } => {
                let fits = |name: &str| at.as_ref().is_none_or(|host| alike(host, name));
                match outcome::source(world, trace, fits) {
                    Some((at, found)) => (
                        found == *addr,
                        say!("exercise/found-source", addr = found),
                        Some(at),
                    ),
                    None => (false, ended(&outcome()), trouble()),
                }
            }
            Wanted::Ends(end) => {
                let outcome = outcome();
                (outcome.end == *end, ended(&outcome), trouble())
            }
            Wanted::Avoids(host) => match visit(world, trace, host) {
                Some((name, at)) => (false, say!("exercise/found-visit", host = name), Some(at)),
                None => (true, say!("exercise/found-holds"), None),
            },
            Wanted::Passes(query) => match query.find(world, trace) {
                Some(at) => (true, say!("exercise/found-holds"), Some(at)),
                None => (false, say!("exercise/found-no-step"), trouble()),
            },
            Wanted::Never(query) => match query.find(world, trace) {
                Some(at) => (false, say!("exercise/found-step"), Some(at)),
                None => (true, say!("exercise/found-holds"), None),
            },
            Wanted::Value { at, detail, is } => match at.find(world, trace) {
                Some(at) => match detail.of(world, trace, at) {
                    Some(found) => {
                        let same = same_answer(&found, is);
                        (same, say!("exercise/found-value", value = found), Some(at))
                    }
                    None => (false, say!("exercise/found-no-value"), Some(at)),
                },
                None => (false, say!("exercise/found-no-step"), trouble()),
            },
            Wanted::Unchanged => {
                let outcome = outcome();
                let before = self
                    .start
                    .outcomes
                    .get(probe)
                    .and_then(|o| o.get(n)?.as_ref());
                (before == Some(&outcome), ended(&outcome), trouble())
            }
            Wanted::Edits(_) | Wanted::Share { .. } => (true, say!("exercise/found-holds"), None),
            Wanted::Asked(question) => {
                let mut answers = self.attempt.answers.iter();
                let given = answers.find(|(name, _)| *name == question.name);
                let Some((_, given)) = given.filter(|(_, text)| !text.trim().is_empty()) else {
                    return (false, say!("exercise/found-no-answer"), None);
                };
                let right = question.right(world, trace);
                let same = right.iter().any(|right| same_answer(given, right));
                let found = match same {
                    true => say!("exercise/found-right"),
                    false => say!("exercise/found-wrong", given = given),
                };
                (same, found, None)
            }
        }
    }
}

/// How a walk ended, and where its request came to.
fn ended(outcome: &Outcome) -> Say {
    match outcome.reached.last() {
        Some(host) if outcome.answered => say!("exercise/found-answered", host = host),
        Some(host) => say!("exercise/found-reached", host = host, end => outcome.end.say()),
        None => say!("exercise/found-end", end => outcome.end.say()),
    }
}

/// The first visit of a packet to such a machine.
fn visit(world: &World, trace: &Trace, wanted: &str) -> Option<(std::sync::Arc<str>, StepAt)> {
    for (journey, j) in (0..).zip(&trace.journeys) {
        for (hop, h) in (0..).zip(&j.hops) {
            let host = world.host(h.host)?;
            if alike(wanted, &host.name) {
                let at = StepAt {
                    journey,
                    hop,
                    step: 0,
                };
                return Some((host.name.clone(), at));
            }
        }
    }
    None
}
