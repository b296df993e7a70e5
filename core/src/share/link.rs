//! From records to a link's data and back.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::{Shared, Unpacked, base64, record};
use crate::say;
use crate::text::Say;
use crate::workspace::Workspace;

/// The form that links are written in: records, in zlib's format (RFC 1950), whose checksum tells a link that was cut.
const VERSION: &str = "1";
const CODEC: &str = "deflate";

/// Characters of a link's data. Longer ones are cut by programs that they pass through (mail, chats, browsers): a file is
/// the better way then. Longer ones do open.
pub const LINK_LIMIT: usize = 16_000;
/// Characters of a link that is opened.
const OPEN_LIMIT: usize = 200_000;
/// Bytes of texts that a link may unpack to.
pub const TEXT_LIMIT: usize = 1_000_000;
/// Files that a link may hold.
pub const FILES_LIMIT: usize = 1_000;

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
    if link.len() > OPEN_LIMIT {
        return Err(say!("share/link-too-long", limit = OPEN_LIMIT));
    }
    let packed = base64::decode(data).ok_or_else(|| say!("share/damaged"))?;
    let unpacked = decompress_to_vec_zlib_with_limit(&packed, TEXT_LIMIT).map_err(|error| {
        match error.status {
            TINFLStatus::HasMoreOutput => say!("share/too-much-text", limit = TEXT_LIMIT / 1000),
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
        let long = format!("1.deflate.{}", "A".repeat(OPEN_LIMIT));
        assert_eq!(refused(&long), "share/link-too-long");
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bomb = packed(&vec![b'a'; 50_000_000]);
        assert!(bomb.len() < OPEN_LIMIT, "{}", bomb.len());
        assert_eq!(refused(&bomb), "share/too-much-text");
    }
}
