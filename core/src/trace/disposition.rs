use serde::Serialize;

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
    /// A load balancer had no backend to give it to.
    NoBackend,
    /// It left the machines that the model knows.
    Left,
    /// It met something that is not modelled.
    CannotTell,
}
