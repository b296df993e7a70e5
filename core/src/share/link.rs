//! From records to a link's data and back.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::{Shared, Unpacked, record};
use crate::say;
use crate::text::{Say, base64};
use crate::workspace::Workspace;

/// The form that links are written in: records, in zlib's format (RFC 1950), whose checksum tells a link that was cut.
const VERSION: &str = "1";
const CODEC: &str = "deflate";

/// Characters of a link's data. Longer ones are cut by programs that they pass through (mail, chats, browsers): a file is
/// the better way then. Longer ones do open.
pub const LINK_LIMIT: usize = 16_000;

/// How much is opened.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Characters of packed data.
    pub data: usize,
    /// Bytes of texts that it may unpack to.
    pub text: usize,
    pub files: usize,
}

/// Of a link, which anyone may have made.
pub const OPEN_LIMIT: Limit = Limit {
    data: 200_000,
    text: 1_000_000,
    files: 1_000,
};

/// Of a file, which its reader has and chose.
pub const FILE_LIMIT: Limit = Limit {
    data: 20_000_000,
    text: 40_000_000,
    files: 10_000,
};

/// A workspace and where one looks at it, as a link's data. `base` is the scenario that it names as its own.
pub fn link(shared: &Shared, base: Option<&Workspace>) -> String {
    pack(&record::write(&Unpacked::of(shared, base)))
}

/// Records as a link's data.
pub fn pack(records: &str) -> String {
    let packed = compress_to_vec_zlib(records.as_bytes(), 9);
    format!("{VERSION}.{CODEC}.{}", base64::encode(&packed))
}

/// The records of a link's data.
pub fn unpack(link: &str) -> Result<String, Say> {
    unpack_within(link, OPEN_LIMIT)
}

pub(super) fn unpack_within(link: &str, limit: Limit) -> Result<String, Say> {
    let link = link.trim();
    let mut parts = link.splitn(3, '.');
    let (Some(version), Some(codec), Some(data)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(say!("share/no-link"));
    };
    if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit()) {
        return Err(say!("share/no-link"));
    }
    if version != VERSION {
        return Err(say!("share/newer-version", version = start(version)));
    }
    if codec != CODEC {
        return Err(say!("share/unknown-codec", codec = start(codec)));
    }
    if link.len() > limit.data {
        return Err(say!("share/link-too-long", limit = limit.data));
    }
    let packed = base64::decode(data).ok_or_else(|| say!("share/damaged"))?;
    let unpacked = decompress_to_vec_zlib_with_limit(&packed, limit.text).map_err(|error| {
        match error.status {
            TINFLStatus::HasMoreOutput => say!("share/too-much-text", limit = limit.text / 1000),
            _ => say!("share/damaged"),
        }
    })?;
    String::from_utf8(unpacked).map_err(|_| say!("share/damaged"))
}

/// Enough of a word to tell it from others.
fn start(word: &str) -> String {
    word.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(link: &str) -> &'static str {
        Unpacked::read(link).unwrap_err().key
    }

    fn packed(records: &[u8]) -> String {
        let packed = compress_to_vec_zlib(records, 9);
        format!("1.deflate.{}", base64::encode(&packed))
    }

    #[test]
    fn each_way_to_be_wrong_has_its_sentence() {
        for (link, key) in [
            ("", "share/no-link"),
            ("1", "share/no-link"),
            ("<script>.a.b", "share/no-link"),
            ("2.deflate.AAAA", "share/newer-version"),
            ("1.brotli.AAAA", "share/unknown-codec"),
            ("1.deflate.", "share/damaged"),
            ("1.deflate.A", "share/damaged"),
            ("1.deflate.<b>", "share/damaged"),
            ("1.deflate.AAAAAAAA", "share/damaged"),
        ] {
            assert_eq!(refused(link), key, "{link}");
        }
        assert_eq!(refused(&packed(b"\xff\xfe")), "share/damaged");
        assert_eq!(refused(&packed(b"")), "share/lacks");
        let long = format!("1.deflate.{}", "A".repeat(OPEN_LIMIT.data));
        assert_eq!(refused(&long), "share/link-too-long");
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bomb = packed(&vec![b'a'; 50_000_000]);
        assert!(bomb.len() < OPEN_LIMIT.data, "{}", bomb.len());
        assert_eq!(refused(&bomb), "share/too-much-text");
    }
}
