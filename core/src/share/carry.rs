//! Workspaces in files: zips, pictures that carry a link's data, and links by themselves.

use super::crc::crc32;
use super::{FILE_LIMIT, Unpacked, link, record, zip};
use crate::say;
use crate::text::Say;

/// What names a workspace in a picture: the `id` of an SVG's `metadata`, the keyword of a PNG's text.
pub const CARRIED: &str = "northsouth-workspace";

const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The workspace of a file, whatever it is. The error says what is wrong with it.
pub fn open(bytes: &[u8]) -> Result<Unpacked, Say> {
    if bytes.starts_with(b"PK") {
        return zip::read(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let data = if bytes.starts_with(&PNG) {
        of_png(bytes)
    } else if text.contains("<svg") {
        of_svg(&text)
    } else {
        // An address, or only its fragment's value.
        let data = text.rsplit_once("#w=").map_or(&*text, |(_, data)| data);
        Some(data.split('&').next().unwrap_or(data).to_string())
    };
    let data = data.ok_or_else(|| say!("share/carries-nothing"))?;
    record::read(&link::unpack_within(&data, FILE_LIMIT)?, FILE_LIMIT)
}

fn of_svg(text: &str) -> Option<String> {
    let (_, after) = text.split_once(&format!("id=\"{CARRIED}\">"))?;
    let (data, _) = after.split_once('<')?;
    Some(data.to_string())
}

fn of_png(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes.get(PNG.len()..)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let data = after.get(..u32::from_be_bytes(*length) as usize)?;
        rest = after.get(data.len()..)?.get(4..)?;
        // Keyword, two bytes that say it is plain, language and translated keyword, each ended by a zero.
        let text = data.strip_prefix(CARRIED.as_bytes());
        if let (b"iTXt", Some(text)) = (kind, text) {
            return String::from_utf8(text.strip_prefix(&[0; 5])?.to_vec()).ok();
        }
    }
}

/// A PNG that carries a link's data in an `iTXt` chunk behind its header (RFC 2083 and PNG 1.2, 4.2.3.3). What is no PNG
/// stays as it is.
pub fn into_png(png: &[u8], data: &str) -> Vec<u8> {
    /// The signature, and the chunk IHDR with its 13 bytes.
    const HEADER: usize = 8 + 12 + 13;
    let Some((header, rest)) = png
        .split_at_checked(HEADER)
        .filter(|(h, _)| h.starts_with(&PNG))
    else {
        return png.to_vec();
    };
    let body = [CARRIED.as_bytes(), &[0; 5], data.as_bytes()].concat();
    let mut out = header.to_vec();
    out.extend((body.len() as u32).to_be_bytes());
    out.extend(b"iTXt");
    out.extend(&body);
    out.extend(crc32([&b"iTXt"[..], &body]).to_be_bytes());
    out.extend(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Shared, link};
    use super::*;
    use crate::workspace::{DEFAULT, Scenario, Workspace};

    fn article() -> Workspace {
        Scenario::find(DEFAULT).unwrap().workspace().unwrap()
    }

    fn data() -> String {
        let shared = Shared {
            workspace: article(),
            base: None,
            step: 0,
            view: Vec::new(),
        };
        link(&shared, None)
    }

    fn opened(bytes: &[u8]) -> Workspace {
        open(bytes).unwrap().over(None).unwrap().0.workspace
    }

    #[test]
    fn pictures_and_links_open_as_what_they_carry() {
        let data = data();
        // One white pixel.
        let mut png = PNG.to_vec();
        for (kind, body) in [
            (b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0][..]),
            (b"IEND", &[]),
        ] {
            png.extend((body.len() as u32).to_be_bytes());
            png.extend(kind);
            png.extend(body);
            png.extend(crc32([&kind[..], body]).to_be_bytes());
        }
        assert_eq!(open(&png).unwrap_err().key, "share/carries-nothing");
        assert_eq!(opened(&into_png(&png, &data)), article());
        let svg = format!("<svg><metadata id=\"{CARRIED}\">{data}</metadata></svg>");
        assert_eq!(opened(svg.as_bytes()), article());
        let address = format!("https://example.org/a/#w={data}&lang=en\n");
        assert_eq!(opened(address.as_bytes()), article());
        assert_eq!(opened(data.as_bytes()), article());
        assert_eq!(open(b"hello").unwrap_err().key, "share/no-link");
        assert_eq!(into_png(b"hello", &data), b"hello");
    }
}
