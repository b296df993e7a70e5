/// Response flags. Envoy prints them in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// UH: no healthy upstream.
    NoHealthyUpstream,
    /// UF: no connection to the upstream.
    ConnectFailure,
    /// NR: no route.
    NoRoute,
    /// URX: as many retries as allowed.
    RetryLimit,
    /// UC: the upstream ended the connection.
    UpstreamTermination,
    /// UT: no answer in time.
    UpstreamTimeout,
    /// DI: held back by a fault.
    DelayInjected,
    /// FI: ended by a fault.
    FaultInjected,
    /// DPE: not HTTP as it should be.
    ProtocolError,
    /// NC: no such cluster.
    NoCluster,
    /// UAEX: whom it asked who may pass did not let it.
    Unauthorized,
    /// SI: nothing happened on the stream for too long.
    StreamIdle,
}

impl Flag {
    pub fn as_str(self) -> &'static str {
        match self {
            Flag::NoHealthyUpstream => "UH",
            Flag::ConnectFailure => "UF",
            Flag::NoRoute => "NR",
            Flag::RetryLimit => "URX",
            Flag::UpstreamTermination => "UC",
            Flag::UpstreamTimeout => "UT",
            Flag::DelayInjected => "DI",
            Flag::FaultInjected => "FI",
            Flag::ProtocolError => "DPE",
            Flag::NoCluster => "NC",
            Flag::Unauthorized => "UAEX",
            Flag::StreamIdle => "SI",
        }
    }

    /// As `%RESPONSE_FLAGS_LONG%` has it (`source/common/stream_info/utility.h`).
    pub fn name(self) -> &'static str {
        match self {
            Flag::NoHealthyUpstream => "NoHealthyUpstream",
            Flag::ConnectFailure => "UpstreamConnectionFailure",
            Flag::NoRoute => "NoRouteFound",
            Flag::RetryLimit => "UpstreamRetryLimitExceeded",
            Flag::UpstreamTermination => "UpstreamConnectionTermination",
            Flag::UpstreamTimeout => "UpstreamRequestTimeout",
            Flag::DelayInjected => "DelayInjected",
            Flag::FaultInjected => "FaultInjected",
            Flag::ProtocolError => "DownstreamProtocolError",
            Flag::NoCluster => "NoClusterFound",
            Flag::Unauthorized => "UnauthorizedExternalService",
            Flag::StreamIdle => "StreamIdleTimeout",
        }
    }
}
