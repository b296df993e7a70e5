//! Why a connection is not a filter chain's.

use super::{ChainMiss, Connection, FilterChain};
use crate::net::IpNetwork;
use crate::say;
use crate::text::Say;

impl ChainMiss {
    pub fn say(self, chain: &FilterChain, connection: &Connection) -> Say {
        let condition = &chain.condition;
        let list = |networks: &[IpNetwork]| {
            networks
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let hello = connection.tls.as_ref();
        match self {
            ChainMiss::DestinationPort => match condition.destination_port {
                Some(wanted) => {
                    say!(
                        "envoy/chain-port",
                        port = connection.destination.1,
                        wanted = wanted
                    )
                }
                None => say!(
                    "envoy/chain-port-less-exact",
                    port = connection.destination.1
                ),
            },
            ChainMiss::Destination => say!(
                "envoy/chain-destination",
                address = connection.destination.0,
                wanted = list(&condition.destinations)
            ),
            ChainMiss::ServerName => {
                match (hello.map(|h| h.sni.as_str()), &condition.server_names[..]) {
                    (_, []) => say!("envoy/chain-name-less-exact"),
                    (None | Some(""), names) => {
                        say!("envoy/chain-no-name", wanted = names.join(", "))
                    }
                    (Some(sni), names) => {
                        say!("envoy/chain-name", sni = sni, wanted = names.join(", "))
                    }
                }
            }
            ChainMiss::Transport => match condition.transport.as_str() {
                "" => say!("envoy/chain-transport-less-exact"),
                "tls" => say!("envoy/chain-wants-tls"),
                other => say!("envoy/chain-wants-transport", wanted = other),
            },
            ChainMiss::Application => {
                say!(
                    "envoy/chain-application",
                    wanted = condition.application.join(", ")
                )
            }
            ChainMiss::DirectSource => say!(
                "envoy/chain-source",
                address = connection.direct_source,
                wanted = list(&condition.direct_sources)
            ),
            ChainMiss::SourceType => say!("envoy/chain-source-type"),
            ChainMiss::Source => say!(
                "envoy/chain-source",
                address = connection.source.0,
                wanted = list(&condition.sources)
            ),
            ChainMiss::SourcePort => say!("envoy/chain-source-port", port = connection.source.1),
        }
    }
}
