//! Goals: what must hold of the probes' walks, however it is brought about.

use std::net::IpAddr;

use super::Question;
use crate::net::Chance;
use crate::say;
use crate::text::{Say, Span};
use crate::trace::{Detail, Disposition, Query};

#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    pub wanted: Wanted,
    /// The probes that it is about, by their positions; empty for what is not about probes.
    pub probes: Vec<u32>,
    /// The student is told of it only once it fails an answer.
    pub hidden: bool,
    /// It holds at the start already, and must stay so.
    pub holds_at_start: bool,
    /// The author's own words for it.
    pub said: Option<String>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A process of such a machine takes the request.
    Reaches(String),
    /// The sender gets an answer.
    Answered,
    Status(u16),
    /// Who takes the request (at such a machine, where one is told) sees it come from this address.
    Source {
        addr: IpAddr,
        at: Option<String>,
    },
    /// How the walk ends.
    Ends(Disposition),
    /// No packet comes to such a machine.
    Avoids(String),
    /// Some step is like this.
    Passes(Query),
    /// No step is like this.
    Never(Query),
    /// The first such step has this value.
    Value {
        at: Query,
        detail: Detail,
        is: String,
    },
    /// Of new requests a process of such a machine takes exactly this share, whatever chance does.
    Share {
        of: String,
        is: Chance,
    },
    /// The probe ends as it did at the start: the same machines, the same status.
    Unchanged,
    /// At most so many lines are edited.
    Edits(u32),
    Asked(Question),
}

impl Goal {
    /// The author's words, or the model's. `probes`: the texts of those that it is about.
    pub fn say(&self, probes: &str) -> Say {
        if let Some(said) = &self.said {
            return say!("exercise/own-words", text = said);
        }
        match &self.wanted {
            Wanted::Reaches(host) => say!("exercise/reaches", host = host, probe = probes),
            Wanted::Answered => say!("exercise/answered", probe = probes),
            Wanted::Status(status) => say!("exercise/status", status = status, probe = probes),
            Wanted::Source { addr, at: None } => {
                say!("exercise/source", addr = addr, probe = probes)
            }
            Wanted::Source {
                addr,
                at: Some(host),
            } => {
                say!(
                    "exercise/source-at",
                    addr = addr,
                    host = host,
                    probe = probes
                )
            }
            Wanted::Ends(end) => say!("exercise/ends", end => end.say(), probe = probes),
            Wanted::Avoids(host) => say!("exercise/avoids", host = host, probe = probes),
            Wanted::Passes(query) => say!("exercise/passes", query = query.text, probe = probes),
            Wanted::Never(query) => say!("exercise/never", query = query.text, probe = probes),
            Wanted::Value { at, is, .. } => {
                say!(
                    "exercise/value",
                    query = at.text,
                    value = is,
                    probe = probes
                )
            }
            Wanted::Share { of, is } => say!(
                "exercise/share",
                host = of,
                share = is.told(),
                probe = probes
            ),
            Wanted::Unchanged => say!("exercise/unchanged", probe = probes),
            Wanted::Edits(most) => say!("exercise/edits", most = most),
            Wanted::Asked(question) => say!("exercise/own-words", text = question.ask),
        }
    }

    /// Whether it is the same goal, told in another language.
    pub(super) fn same(&self, other: &Goal) -> bool {
        let wanted = match (&self.wanted, &other.wanted) {
            (Wanted::Asked(a), Wanted::Asked(b)) => {
                let computed = |q: &Question| matches!(q.answer, super::Answer::Found { .. });
                a.name == b.name
                    && computed(a) == computed(b)
                    && (!computed(a) || a.answer == b.answer)
                    && a.choices.len() == b.choices.len()
            }
            (a, b) => a == b,
        };
        wanted
            && (&self.probes, self.hidden, self.holds_at_start)
                == (&other.probes, other.hidden, other.holds_at_start)
    }
}
