use serde::Serialize;

use super::Direction;
use crate::net::TcpFlags;

/// A TCP connection as a bystander sees it (kernel `enum tcp_conntrack`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum TcpState {
    None,
    SynSent,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
    /// A SYN was seen from both sides.
    SynSent2,
}

impl TcpState {
    /// As `conntrack -L` prints it.
    pub fn name(self) -> &'static str {
        match self {
            TcpState::None => "NONE",
            TcpState::SynSent => "SYN_SENT",
            TcpState::SynRecv => "SYN_RECV",
            TcpState::Established => "ESTABLISHED",
            TcpState::FinWait => "FIN_WAIT",
            TcpState::CloseWait => "CLOSE_WAIT",
            TcpState::LastAck => "LAST_ACK",
            TcpState::TimeWait => "TIME_WAIT",
            TcpState::Close => "CLOSE",
            TcpState::SynSent2 => "SYN_SENT2",
        }
    }

    /// Seconds that an entry lives in this state (kernel `tcp_timeouts`).
    pub(super) fn timeout(self) -> u64 {
        match self {
            TcpState::None | TcpState::SynSent | TcpState::SynSent2 => 120,
            TcpState::SynRecv | TcpState::CloseWait => 60,
            TcpState::Established => 432_000,
            TcpState::FinWait | TcpState::TimeWait => 120,
            TcpState::LastAck => 30,
            TcpState::Close => 10,
        }
    }
}

/// What a segment's flags make it for the state machine (kernel `enum tcp_bit_set`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Segment {
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
    None,
}

impl Segment {
    fn of(flags: TcpFlags) -> Self {
        if flags.has(TcpFlags::RST) {
            Segment::Rst
        } else if flags.has(TcpFlags::SYN_ACK) {
            Segment::SynAck
        } else if flags.has(TcpFlags::SYN) {
            Segment::Syn
        } else if flags.has(TcpFlags::FIN) {
            Segment::Fin
        } else if flags.has(TcpFlags::ACK) {
            Segment::Ack
        } else {
            Segment::None
        }
    }
}

/// What conntrack keeps of a TCP connection (kernel `struct ip_ct_tcp`, without sequence numbers: the model's segments are
/// always in the window).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TcpTrack {
    pub state: TcpState,
    last: Option<(Direction, Segment)>,
    /// A FIN was seen, so a SYN may open the connection anew.
    close_began: bool,
    simultaneous: bool,
    expects_challenge: bool,
}

/// What the state machine says of a segment.
pub(super) enum TcpVerdict {
    Invalid,
    /// The entry's history is over: forget it and look again.
    Reopen,
    /// Part of the connection; the entry stays as it is.
    Ignored,
    /// Part of the connection; the entry lives so many more seconds.
    Moved {
        seconds: u64,
        assured: bool,
    },
    /// Part of the connection, which ends here: forget it.
    Last,
}

/// A row of the state table: what each state becomes, in the order of [`TcpState`]. `-` ignored, `!` invalid.
const ORIGINAL: [&[u8; 10]; 6] = [
    b"ss-----ss2",
    b"!!-------r",
    b"!!ffllltc!",
    b"e!eewwttc!",
    b"!ccccccccc",
    b"!!!!!!!!!!",
];
const REPLY: [&[u8; 10]; 6] = [
    b"!2!!!!!s!2",
    b"!r-------r",
    b"!!ffllltc!",
    b"!-rewwttc-",
    b"!ccccccccc",
    b"!!!!!!!!!!",
];

enum Next {
    Ignore,
    Invalid,
    State(TcpState),
}

/// The state table (kernel `tcp_conntracks` in `net/netfilter/nf_conntrack_proto_tcp.c`).
fn next(direction: Direction, segment: Segment, state: TcpState) -> Next {
    let table = match direction {
        Direction::Original => &ORIGINAL,
        Direction::Reply => &REPLY,
    };
    Next::State(match table[segment as usize][state as usize] {
        b's' => TcpState::SynSent,
        b'r' => TcpState::SynRecv,
        b'e' => TcpState::Established,
        b'f' => TcpState::FinWait,
        b'w' => TcpState::CloseWait,
        b'l' => TcpState::LastAck,
        b't' => TcpState::TimeWait,
        b'c' => TcpState::Close,
        b'2' => TcpState::SynSent2,
        b'-' => return Next::Ignore,
        _ => return Next::Invalid,
    })
}

/// Whether flags go together at all (kernel `tcp_valid_flags`).
pub(super) fn flags_are_valid(flags: TcpFlags) -> bool {
    let known = TcpFlags::FIN | TcpFlags::SYN | TcpFlags::RST | TcpFlags::ACK | TcpFlags::URG;
    let without_urg = TcpFlags(flags.0 & known.0 & !TcpFlags::URG.0);
    let urg = flags.has(TcpFlags::URG);
    match without_urg {
        TcpFlags::SYN | TcpFlags::ACK => true,
        f if f == TcpFlags::FIN | TcpFlags::ACK => true,
        TcpFlags::SYN_ACK | TcpFlags::RST => !urg,
        f if f == TcpFlags::RST | TcpFlags::ACK => !urg,
        _ => false,
    }
}

impl TcpTrack {
    /// The start of an entry; `None` where this segment may not start one.
    pub(super) fn new(flags: TcpFlags, loose: bool) -> Option<Self> {
        match next(Direction::Original, Segment::of(flags), TcpState::None) {
            Next::State(TcpState::SynSent) => {}
            Next::State(_) if loose => {}
            _ => return None,
        }
        Some(Self {
            state: TcpState::None,
            last: None,
            close_began: false,
            simultaneous: false,
            expects_challenge: false,
        })
    }

    /// Takes a segment (kernel `nf_conntrack_tcp_packet`).
    pub(super) fn take(
        &mut self,
        flags: TcpFlags,
        direction: Direction,
        seen_reply: bool,
        assured: bool,
    ) -> TcpVerdict {
        let segment = Segment::of(flags);
        let mut old = self.state;
        let mut new = match next(direction, segment, old) {
            Next::Invalid => return TcpVerdict::Invalid,
            Next::Ignore => None,
            Next::State(new) => Some(new),
        };
        if new == Some(TcpState::SynSent) && old >= TcpState::TimeWait {
            if self.close_began || self.last == Some((direction, Segment::Rst)) {
                return TcpVerdict::Reopen;
            }
            new = None;
        }
        let Some(mut new) = new.or_else(|| self.resynchronized(segment, direction)) else {
            self.last = Some((direction, segment));
            if segment == Segment::Syn && direction == Direction::Original {
                self.expects_challenge = old == TcpState::LastAck;
            }
            return TcpVerdict::Ignored;
        };
        if new == TcpState::SynRecv && segment == Segment::SynAck && old != TcpState::SynSent2 {
            old = TcpState::SynSent;
        }
        match new {
            TcpState::TimeWait
                if old == TcpState::LastAck
                    && segment == Segment::Ack
                    && self.expects_challenge
                    && self.last == Some((direction.other(), Segment::Syn)) =>
            {
                self.expects_challenge = false;
                return TcpVerdict::Ignored;
            }
            TcpState::SynSent2 => self.simultaneous = true,
            TcpState::SynRecv
                if direction == Direction::Reply
                    && segment == Segment::Ack
                    && self.simultaneous =>
            {
                new = TcpState::Established;
            }
            _ => {}
        }
        self.last = Some((direction, segment));
        self.state = new;
        if old != new && new == TcpState::FinWait {
            self.close_began = true;
        }
        let mut seconds = match segment {
            Segment::Rst => TcpState::Close.timeout(),
            _ => new.timeout(),
        };
        let mut becomes_assured = false;
        if !seen_reply {
            if segment == Segment::Rst {
                return TcpVerdict::Last;
            }
            if segment == Segment::Syn && old == TcpState::SynSent {
                return TcpVerdict::Ignored;
            }
            // A connection picked up in its middle is not trusted for days.
            if new == TcpState::Established {
                seconds = 300;
            }
        } else if !assured
            && matches!(old, TcpState::SynRecv | TcpState::Established)
            && new == TcpState::Established
        {
            becomes_assured = true;
        }
        TcpVerdict::Moved {
            seconds,
            assured: becomes_assured,
        }
    }

    /// A SYN-ACK for a SYN that was ignored: both ends agree, so the entry follows them.
    fn resynchronized(&self, segment: Segment, direction: Direction) -> Option<TcpState> {
        (segment == Segment::SynAck && self.last == Some((direction.other(), Segment::Syn)))
            .then_some(TcpState::SynRecv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(segments: &str, end: TcpState) {
        let mut track: Option<TcpTrack> = None;
        for word in segments.split_whitespace() {
            let (side, flags) = word.split_at(1);
            let direction = if side == ">" {
                Direction::Original
            } else {
                Direction::Reply
            };
            let flags = flags.bytes().fold(TcpFlags(0), |all, c| {
                all | match c {
                    b'S' => TcpFlags::SYN,
                    b'A' => TcpFlags::ACK,
                    b'F' => TcpFlags::FIN,
                    _ => TcpFlags::RST,
                }
            });
            let t = track.get_or_insert_with(|| TcpTrack::new(flags, true).unwrap());
            t.take(flags, direction, true, true);
        }
        assert_eq!(track.unwrap().state, end, "{segments}");
    }

    #[test]
    fn a_connection_opens_and_closes() {
        check(">S", TcpState::SynSent);
        check(">S <SA", TcpState::SynRecv);
        check(">S <SA >A", TcpState::Established);
        check(">S <SA >A >FA", TcpState::FinWait);
        check(">S <SA >A >FA <A", TcpState::CloseWait);
        check(">S <SA >A >FA <A <FA", TcpState::LastAck);
        check(">S <SA >A >FA <A <FA >A", TcpState::TimeWait);
        check(">S <RA", TcpState::Close);
        check(">A", TcpState::Established);
    }

    #[test]
    fn an_ack_before_the_syn_ack_is_invalid() {
        let mut t = TcpTrack::new(TcpFlags::SYN, true).unwrap();
        t.take(TcpFlags::SYN, Direction::Original, false, false);
        let verdict = t.take(TcpFlags::ACK, Direction::Original, false, false);
        assert!(matches!(verdict, TcpVerdict::Invalid));
    }

    #[test]
    fn strict_pick_up_wants_a_syn() {
        assert!(TcpTrack::new(TcpFlags::ACK, false).is_none());
        assert!(TcpTrack::new(TcpFlags::ACK, true).is_some());
        assert!(TcpTrack::new(TcpFlags::SYN_ACK, true).is_none());
        assert!(!flags_are_valid(TcpFlags::FIN));
        assert!(flags_are_valid(TcpFlags::ACK | TcpFlags::PSH));
    }
}
