use crate::netfilter::Match;
use crate::netfilter::matches::{Bits, RecentAction, Statistic, Tcp};
use crate::say;
use crate::text::Say;

impl Match {
    /// What it asks and why that matters; `None` for what asks nothing.
    pub fn meaning(&self) -> Option<Say> {
        Some(match self {
            Match::Comment(_) => return None,
            // `-m tcp` alone asks for nothing that `-p tcp` did not.
            Match::Tcp(tcp) if *tcp == Tcp::default() => return None,
            Match::Udp {
                sport: None,
                dport: None,
            }
            | Match::Sctp {
                sport: None,
                dport: None,
            } => {
                return None;
            }
            Match::Tcp(tcp) if tcp.flags.is_some() => say!("meaning-match/tcp-flags"),
            Match::Tcp(_) | Match::Udp { .. } | Match::Sctp { .. } => say!("meaning-match/ports"),
            Match::Multiport(_) => say!("meaning-match/multiport"),
            Match::Icmp(_) | Match::Icmp6(_) => say!("meaning-match/icmp"),
            Match::Conntrack(ct) if ct.states.is_some() => say!("meaning-match/ctstate"),
            Match::Conntrack(_) => say!("meaning-match/conntrack"),
            Match::Mark(want) if is_masquerade(want.value) => say!("meaning-match/mark-masquerade"),
            Match::Mark(_) => say!("meaning-match/mark"),
            Match::Connmark(_) => say!("meaning-match/connmark"),
            Match::Addrtype(_) => say!("meaning-match/addrtype"),
            Match::Statistic(Statistic::Random { .. }) => say!("meaning-match/random"),
            Match::Statistic(Statistic::Nth { every, .. }) => {
                say!("meaning-match/nth", every = every)
            }
            Match::Limit(_) | Match::Hashlimit(_) => say!("meaning-match/limit"),
            Match::Recent(recent) if recent.action == RecentAction::Set => {
                say!("meaning-match/recent-set")
            }
            Match::Recent(_) => say!("meaning-match/recent"),
            Match::Set(set) => say!("meaning-match/set", set = set.set),
            Match::Iprange(_) => say!("meaning-match/iprange"),
            Match::Length(_) => say!("meaning-match/length"),
            Match::Ttl(_) | Match::Hl(_) => say!("meaning-match/ttl"),
            Match::Owner(_) => say!("meaning-match/owner"),
            Match::Physdev(_) => say!("meaning-match/physdev"),
            Match::Pkttype(_) => say!("meaning-match/pkttype"),
            Match::Mac(_) => say!("meaning-match/mac"),
            Match::Tos { .. } | Match::Dscp(_) => say!("meaning-match/tos"),
            Match::Socket { .. } => say!("meaning-match/socket"),
            Match::Policy { .. } => say!("meaning-match/policy"),
            Match::Quota(_) => say!("meaning-match/quota"),
            Match::Rpfilter(_) => say!("meaning-match/rpfilter"),
            Match::Unsupported(what) => say!("meaning-match/unsupported", name = what.name),
        })
    }
}

/// kube-proxy's mark for packets that need SNAT.
fn is_masquerade(bits: Bits) -> bool {
    bits.mask == 0x4000
}
