use serde::Serialize;

use crate::say;
use crate::text::Say;

/// How a journey ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Disposition {
    /// A socket took it.
    Delivered,
    /// A rule or policy dropped it.
    Dropped,
    /// A rule refused it and answered.
    Rejected,
    NoRoute,
    /// Refused as its source could not be answered by the way it came (rp_filter), or never may come from outside.
    RefusedSource,
    NoNeighbour,
    TtlExceeded,
    Loop,
    /// It reached its host, and nothing listens there.
    NothingListens,
    /// It was taken, but its sender does not take the answer for one: it comes from a stranger.
    AnswerRefused,
    /// A load balancer had no backend to give it to.
    NoBackend,
    /// It left the machines that the model knows.
    Left,
    /// A proxy answered by itself.
    Answered,
    /// A proxy ended the connection without an answer.
    Closed,
    /// It met something that is not modelled.
    CannotTell,
}

impl Disposition {
    pub fn say(self) -> Say {
        match self {
            Disposition::Delivered => say!("trace/end-delivered"),
            Disposition::Dropped => say!("trace/end-dropped"),
            Disposition::Rejected => say!("trace/end-rejected"),
            Disposition::NoRoute => say!("trace/end-no-route"),
            Disposition::RefusedSource => say!("trace/end-refused-source"),
            Disposition::NoNeighbour => say!("trace/end-no-neighbour"),
            Disposition::TtlExceeded => say!("trace/end-ttl"),
            Disposition::Loop => say!("trace/end-loop"),
            Disposition::NothingListens => say!("trace/end-nothing-listens"),
            Disposition::AnswerRefused => say!("trace/end-answer-refused"),
            Disposition::NoBackend => say!("trace/end-no-backend"),
            Disposition::Left => say!("trace/end-left"),
            Disposition::Answered => say!("trace/end-answered"),
            Disposition::Closed => say!("trace/end-closed"),
            Disposition::CannotTell => say!("trace/end-cannot-tell"),
        }
    }

    pub const ALL: [Disposition; 15] = [
        Disposition::Delivered,
        Disposition::Dropped,
        Disposition::Rejected,
        Disposition::NoRoute,
        Disposition::RefusedSource,
        Disposition::NoNeighbour,
        Disposition::TtlExceeded,
        Disposition::Loop,
        Disposition::NothingListens,
        Disposition::AnswerRefused,
        Disposition::NoBackend,
        Disposition::Left,
        Disposition::Answered,
        Disposition::Closed,
        Disposition::CannotTell,
    ];

    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Disposition::Delivered => "delivered",
            Disposition::Dropped => "dropped",
            Disposition::Rejected => "rejected",
            Disposition::NoRoute => "no-route",
            Disposition::RefusedSource => "refused-source",
            Disposition::NoNeighbour => "no-neighbour",
            Disposition::TtlExceeded => "ttl-exceeded",
            Disposition::Loop => "loop",
            Disposition::NothingListens => "nothing-listens",
            Disposition::AnswerRefused => "answer-refused",
            Disposition::NoBackend => "no-backend",
            Disposition::Left => "left",
            Disposition::Answered => "answered",
            Disposition::Closed => "closed",
            Disposition::CannotTell => "cannot-tell",
        }
    }
}
