use super::{Verdict, Way, WhyNot};
use crate::say;
use crate::text::Say;
use crate::workspace::Run;

impl WhyNot {
    /// The answer in a sentence.
    pub fn say(&self) -> Say {
        match &self.verdict {
            Verdict::Taken(_) => say!("why-not/taken"),
            Verdict::PassedOver(_, reason) => {
                say!("why-not/passed-over", say => reason.say.clone())
            }
            Verdict::NotReached(_) => say!("why-not/not-reached"),
        }
    }

    /// What is to be said where no way was found.
    pub fn no_way(&self) -> Say {
        say!("why-not/no-way", tried = self.tried)
    }
}

impl Way {
    /// `run` is the one that was asked.
    pub fn say(&self, run: &Run) -> Say {
        match self {
            Way::Seed(seed) => say!("why-not/way-seed", seed = seed),
            Way::Probe(probe) => say!("why-not/way-probe", probe = probe),
            Way::Line { span, text } => {
                let file = run.files.get(span.file.index());
                let name = file.map_or("", |f| &*f.name);
                let line = file.map_or(0, |f| f.line_column(span.start).line);
                let before = run.line_of(*span);
                match text.is_empty() {
                    true => say!(
                        "why-not/way-gone",
                        file = name,
                        line = line,
                        before = before
                    ),
                    false => say!(
                        "why-not/way-line",
                        file = name,
                        line = line,
                        before = before,
                        after = text.trim()
                    ),
                }
            }
        }
    }
}

/// Where no subject is.
pub fn nothing_here() -> Say {
    say!("why-not/nothing-here")
}
