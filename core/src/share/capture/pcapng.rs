//! Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian.

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// `LINKTYPE_ETHERNET`
const ETHERNET: u16 = 1;

const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const IF_NAME: u16 = 2;
const EPB_FLAGS: u16 = 2;

#[derive(Default)]
pub struct File {
    bytes: Vec<u8>,
}

impl File {
    pub fn new(comment: &str) -> Self {
        let mut body = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
        // Version 1.0, of unknown length.
        body.extend([1, 0, 0, 0]);
        body.extend(u64::MAX.to_le_bytes());
        option(COMMENT, comment.as_bytes(), &mut body);
        option(APPLICATION, b"Northsouth", &mut body);
        let mut file = File::default();
        file.block(SECTION, body);
        file
    }

    /// They count from 0 in the order in which they are added.
    pub fn interface(&mut self, name: &str) {
        let mut body = ETHERNET.to_le_bytes().to_vec();
        // Reserved; and no limit to what is kept of a packet.
        body.extend([0; 6]);
        option(IF_NAME, name.as_bytes(), &mut body);
        self.block(INTERFACE, body);
    }

    /// A frame at an interface, so many microseconds after the begin.
    pub fn packet(&mut self, interface: u32, at: u64, comes: bool, frame: &[u8]) {
        let mut body = interface.to_le_bytes().to_vec();
        body.extend(((at >> 32) as u32).to_le_bytes());
        body.extend((at as u32).to_le_bytes());
        let length = (frame.len() as u32).to_le_bytes();
        body.extend(length);
        body.extend(length);
        padded(frame, &mut body);
        // Inbound or outbound.
        let way = if comes { 1_u32 } else { 2 };
        option(EPB_FLAGS, &way.to_le_bytes(), &mut body);
        self.block(PACKET, body);
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// All of our blocks have options, which an empty one ends.
    fn block(&mut self, kind: u32, mut body: Vec<u8>) {
        body.extend([0; 4]);
        let length = (body.len() as u32 + 12).to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.extend(length);
    }
}

fn option(code: u16, value: &[u8], out: &mut Vec<u8>) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    padded(value, out);
}

/// Blocks and options are whole words of 32 bits.
fn padded(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
}
