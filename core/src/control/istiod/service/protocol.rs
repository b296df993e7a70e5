/// `pkg/config/protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::control::istiod) enum Protocol {
    Http,
    Http2,
    Grpc,
    GrpcWeb,
    HttpProxy,
    Https,
    Tls,
    Tcp,
    Mongo,
    Redis,
    Mysql,
    Udp,
    Hbone,
    /// Not said: told from the bytes.
    Unknown,
}

impl Protocol {
    pub(in crate::control::istiod) fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "grpc" => Protocol::Grpc,
            "grpc-web" => Protocol::GrpcWeb,
            "http" => Protocol::Http,
            "http_proxy" => Protocol::HttpProxy,
            "http2" => Protocol::Http2,
            "https" => Protocol::Https,
            "tls" => Protocol::Tls,
            "mongo" => Protocol::Mongo,
            "redis" => Protocol::Redis,
            "mysql" => Protocol::Mysql,
            "hbone" => Protocol::Hbone,
            _ => Protocol::Unknown,
        }
    }

    pub(in crate::control::istiod) fn is_http(self) -> bool {
        use Protocol::{Grpc, GrpcWeb, Http, Http2, HttpProxy};
        matches!(self, Http | Http2 | Grpc | GrpcWeb | HttpProxy)
    }

    pub(in crate::control::istiod) fn is_http_or_unknown(self) -> bool {
        self.is_http() || self == Protocol::Unknown
    }

    /// Of a Service's port, by what it says, then by its name.
    pub(in crate::control::istiod) fn of_port(
        name: &str,
        port: u16,
        udp: bool,
        app: Option<&str>,
    ) -> Self {
        if udp {
            return Protocol::Udp;
        }
        let word = match app {
            Some("kubernetes.io/h2c") => "http2",
            Some("kubernetes.io/ws" | "kubernetes.io/wss") => "http",
            Some(app) => app,
            None => name,
        };
        let lower = word.to_ascii_lowercase();
        if lower.starts_with("grpc-web") {
            return Protocol::GrpcWeb;
        }
        let word = if app.is_some() {
            lower.as_str()
        } else {
            lower.split('-').next().unwrap_or("")
        };
        let parsed = Protocol::parse(word);
        // Server-first protocols, where waiting for the client's bytes would hang.
        let talks_first = matches!(port, 25 | 53 | 3306 | 27017);
        match parsed {
            Protocol::Unknown if talks_first && app.is_none() => Protocol::Tcp,
            Protocol::HttpProxy | Protocol::Udp => Protocol::Unknown,
            parsed => parsed,
        }
    }
}
