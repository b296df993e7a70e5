use super::View;
use crate::conntrack::Connection;
use crate::net::Protocol;

impl View<'_> {
    /// Whether kube-proxy deletes a connection once it knows these endpoints. UDP tells nobody that it ends, so a client that
    /// goes on sending from the same port would be held to an endpoint that is gone (Kubernetes
    /// `pkg/proxy/conntrack/cleanup.go`, `CleanStaleEntries`).
    pub fn forgets(&self, connection: &Connection) -> bool {
        let (asked, answers) = (&connection.orig, connection.reply.src);
        if asked.protocol != Protocol::UDP {
            return false;
        }
        let by_state = self.proxier.dialect().conntrack_by_state;
        let translated = answers != asked.dst;
        self.ports.iter().any(|port| {
            let mut addresses = port.external_ips.iter().chain(&port.vips);
            let at_address = port.port.port.value == asked.dport
                && (port.cluster_ip == asked.dst || addresses.any(|(_, ip)| *ip == asked.dst));
            let meant =
                port.protocol() == "udp" && (at_address || port.node_port() == Some(asked.dport));
            let mut serving = port.endpoints.all.iter().filter(|e| e.serving).peekable();
            let some = serving.peek().is_some() || !by_state && translated;
            meant && some && serving.all(|e| e.ip != answers)
        })
    }
}
