//! A packet at a hook of a small host: 10.0.0.1 on `eth0`, routes by `eth0`.

use std::net::IpAddr;
use std::sync::LazyLock;

use northsouth::conntrack::{Connection, CtState, Direction, StatusBits, Tuple, ZoneId};
use northsouth::net::{Icmp, Packet, Protocol, TcpFlags, Transport};
use northsouth::netfilter::ipset::{self, Sets};
use northsouth::netfilter::matches::PacketType;
use northsouth::netfilter::{AddressType, Context, Env, FibQuery, Hook, Socket, Tracked, Way};
use northsouth::text::FileId;

pub struct Small;

impl Env for Small {
    fn address_type(&self, addr: IpAddr, _: Option<&str>) -> AddressType {
        match addr.to_string().as_str() {
            "10.0.0.1" | "127.0.0.1" => AddressType::Local,
            "10.0.0.255" => AddressType::Broadcast,
            _ => AddressType::Unicast,
        }
    }

    fn way(&self, query: &FibQuery<'_>) -> Option<Way> {
        (query.dst.to_string() != "192.0.2.1").then(|| Way {
            kind: AddressType::Unicast,
            dev: "eth0".to_string(),
            by_device: query.device == Some("eth0"),
        })
    }

    fn first_address(&self, iface: &str, _: bool) -> Option<IpAddr> {
        (iface == "eth0").then(|| "10.0.0.1".parse().unwrap())
    }

    fn sets(&self) -> &Sets {
        static SETS: LazyLock<Sets> = LazyLock::new(|| {
            let text = "create clients hash:ip\nadd clients 203.0.113.9\ncreate heavy hash:ip counters skbinfo\nadd heavy 203.0.113.9 skbmark 0x5/0xf\n";
            ipset::read(text, FileId(0)).0
        });
        &SETS
    }

    fn socket(&self, _: &Tuple) -> Option<Socket> {
        None
    }

    fn tproxy_socket(&self, _: &Packet, _: IpAddr, port: u16, _: Option<&str>) -> bool {
        port == 15006
    }
}

/// `tcp 203.0.113.9:40000 > 10.0.0.1:80 S`, also with `udp` and without flags, or `icmp SRC > DST 8/0`.
pub fn packet(text: &str) -> Packet {
    let words: Vec<_> = text.split(' ').collect();
    let end = |text: &str| -> (IpAddr, u16) {
        match text.split_once(':') {
            Some((addr, port)) => (addr.parse().unwrap(), port.parse().unwrap()),
            None => (text.parse().unwrap(), 0),
        }
    };
    let ((src, sport), (dst, dport)) = (end(words[1]), end(words[3]));
    let transport = match words[0] {
        "tcp" => {
            let bit = |c| match c {
                'F' => TcpFlags::FIN,
                'S' => TcpFlags::SYN,
                'R' => TcpFlags::RST,
                _ => TcpFlags::ACK,
            };
            let flags = words
                .get(4)
                .unwrap_or(&"S")
                .chars()
                .map(bit)
                .fold(TcpFlags(0), |a, b| a | b);
            Transport::Tcp {
                sport,
                dport,
                flags,
            }
        }
        "udp" => Transport::Udp { sport, dport },
        _ => {
            let (kind, code) = words[4].split_once('/').unwrap();
            Transport::Icmp(Icmp {
                kind: kind.parse().unwrap(),
                code: code.parse().unwrap(),
                id: 7,
                gateway: None,
                target: None,
                about: None,
            })
        }
    };
    Packet {
        src,
        dst,
        ttl: 64,
        tos: 0,
        transport,
        payload: 0,
    }
}

/// The packet as it comes to a hook, by `eth0`, the first of its connection.
pub fn at(hook: Hook, text: &str) -> Context<'static> {
    let packet = packet(text);
    let protocol: Protocol = packet.protocol();
    let (sport, dport) = (packet.sport().unwrap_or(0), packet.dport().unwrap_or(0));
    let orig = Tuple {
        src: packet.src,
        dst: packet.dst,
        protocol,
        sport,
        dport,
    };
    let reply = Tuple {
        src: packet.dst,
        dst: packet.src,
        protocol,
        sport: dport,
        dport: sport,
    };
    Context {
        hook,
        mark: 0,
        tracked: Tracked {
            state: Some(CtState::New),
            direction: Direction::Original,
            connection: Some(Connection {
                orig,
                reply,
                zone: ZoneId::default(),
                status: StatusBits(0),
                mark: 0,
                tcp: None,
                expires: 120_000,
                masquerade: None,
                began: Some(0),
                packets: [0; 2],
                bytes: [0; 2],
            }),
            zone: None,
        },
        packet,
        in_iface: (hook != Hook::Output).then_some("eth0"),
        out_iface: matches!(hook, Hook::Forward | Hook::Output | Hook::Postrouting)
            .then_some("eth1"),
        physin: None,
        physout: None,
        src_mac: None,
        frame: None,
        packet_type: PacketType::Unicast,
        owner: None,
        kernel_socket: false,
        env: &Small,
        now: 0,
    }
}
