use serde::Serialize;

/// A constant or a loaded field, as a number of its type's width; names and addresses are their bytes in network order. The
/// widest types (`ipv6_addr`, `ifname`) have 128 bits.
pub type Value = u128;

/// What a value means: how it is written, and how wide it is (nftables `include/datatype.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Datatype {
    /// Plain numbers of so many bits.
    Integer(u8),
    Ipv4Addr,
    Ipv6Addr,
    EtherAddr,
    EtherType,
    InetProto,
    InetService,
    Mark,
    IfName,
    /// Compared by name here, as the model has no numbers for interfaces.
    IfIndex,
    NfProto,
    PacketType,
    Uid,
    Gid,
    CtState,
    CtStatus,
    CtDirection,
    FibAddrType,
    /// `fib … missing` and `exists`, `socket transparent`.
    Boolean,
    TcpFlag,
    IcmpType,
    IcmpCode,
    Icmpv6Type,
    Icmpv6Code,
    Dscp,
    Ecn,
    /// Milliseconds.
    Time,
    /// Bits of a header that nobody named.
    Raw(u8),
}

impl Datatype {
    /// Bits.
    pub fn width(self) -> u8 {
        match self {
            Datatype::Integer(bits) | Datatype::Raw(bits) => bits,
            Datatype::Ipv6Addr | Datatype::IfName | Datatype::IfIndex => 128,
            Datatype::EtherAddr => 48,
            Datatype::Ipv4Addr | Datatype::Mark | Datatype::Uid | Datatype::Gid => 32,
            Datatype::CtState | Datatype::CtStatus | Datatype::FibAddrType | Datatype::Time => 32,
            Datatype::EtherType | Datatype::InetService => 16,
            Datatype::Dscp => 6,
            Datatype::Ecn => 2,
            _ => 8,
        }
    }

    /// All bits of the type.
    pub fn full(self) -> Value {
        u128::MAX
            .checked_shr(128 - u32::from(self.width()))
            .unwrap_or(0)
    }

    /// A comma-separated list of values of this type asks for any of the bits.
    pub fn is_bitmask(self) -> bool {
        matches!(
            self,
            Datatype::CtState | Datatype::CtStatus | Datatype::TcpFlag
        )
    }

    /// Held in the host's byte order, which a hash over it sees.
    pub fn is_host_endian(self) -> bool {
        matches!(
            self,
            Datatype::Mark
                | Datatype::Uid
                | Datatype::Gid
                | Datatype::CtState
                | Datatype::CtStatus
                | Datatype::FibAddrType
                | Datatype::Time
                | Datatype::Integer(32)
        )
    }

    /// Values that share their upper bits may be written `value/length` (`DTYPE_F_PREFIX`).
    pub fn has_prefixes(self) -> bool {
        matches!(
            self,
            Datatype::Ipv4Addr | Datatype::Ipv6Addr | Datatype::Mark
        )
    }

    /// How many upper bits a mask has, where it has nothing else.
    pub fn prefix_length(self, mask: Value) -> Option<u8> {
        let free = self.full() & !mask;
        let whole = free & free.wrapping_add(1) == 0;
        whole.then(|| self.width().saturating_sub(free.count_ones() as u8))
    }

    /// A value as the kernel's registers have it.
    pub fn bytes(self, value: Value) -> Vec<u8> {
        let width = usize::from(self.width().div_ceil(8));
        let mut bytes = value.to_be_bytes()[16 - width..].to_vec();
        if self.is_host_endian() {
            bytes.reverse();
        }
        bytes
    }
}
