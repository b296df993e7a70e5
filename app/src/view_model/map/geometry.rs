//! Rectangles, lines and the room that text takes. Whole CSS pixels throughout.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub w: i32,
    pub h: i32,
}

impl Rect {
    pub fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    pub fn right(self) -> i32 {
        self.x + self.w
    }

    pub fn bottom(self) -> i32 {
        self.y + self.h
    }

    pub fn middle(self) -> i32 {
        self.x + self.w / 2
    }

    pub fn center(self) -> i32 {
        self.y + self.h / 2
    }

    #[cfg(test)]
    pub fn overlaps(self, other: Rect) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    pub fn contains(self, other: Rect) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }
}

/// The points of an SVG `polyline`, or of its `polygon`.
pub fn points(points: &[Point]) -> String {
    let mut out = String::new();
    for Point { x, y } in points {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&format!("{x},{y}"));
    }
    out
}

/// A typeface as far as fitting text needs it: what a small Latin letter takes, in tenths of a pixel, and whether all
/// letters take the same. Viewers' fonts differ, so these are the widths of wide ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Face {
    letter: i32,
    mono: bool,
}

impl Face {
    /// 15 px bold, what is said below a picture.
    pub const HEADING: Face = Face::sans(88);
    /// 13 px bold, names of machines.
    pub const NAME: Face = Face::sans(76);
    /// 12 px bold.
    pub const TITLE: Face = Face::sans(70);
    /// 12 px, what is said of them.
    pub const SANS: Face = Face::sans(66);
    /// 11.5 px.
    pub const SMALL: Face = Face::sans(62);
    /// 12 px monospaced.
    pub const MONO: Face = Face::mono(73);
    /// 11 px monospaced.
    pub const SMALL_MONO: Face = Face::mono(67);

    const fn sans(letter: i32) -> Face {
        Face {
            letter,
            mono: false,
        }
    }

    const fn mono(letter: i32) -> Face {
        Face { letter, mono: true }
    }

    /// In tenths of a letter.
    fn units(self, c: char) -> i32 {
        match c {
            // Hanzi and their punctuation take a square.
            c if c as u32 >= 0x2e80 => 19,
            _ if self.mono => 10,
            'W' | 'M' => 14,
            'A'..='Z' => 12,
            'i' | 'l' | '.' | ':' | '\'' => 6,
            _ => 10,
        }
    }

    pub fn width(self, text: &str) -> i32 {
        text.chars().map(|c| self.units(c)).sum::<i32>() * self.letter / 100
    }

    /// The text, with its end left out where it does not fit.
    pub fn fit(self, text: &str, width: i32) -> String {
        if self.width(text) <= width {
            return text.to_string();
        }
        let room = width * 100 / self.letter - 10;
        let mut used = 0;
        let kept = text.chars().take_while(|c| {
            used += self.units(*c);
            used <= room
        });
        let mut out: String = kept.collect();
        out.truncate(out.trim_end().len());
        out.push('…');
        out
    }

    /// The text over as many lines as it needs, turned between words where it can be.
    pub fn turn(self, text: &str, width: i32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let mut word = word.to_string();
            while let Some(line) = lines.last_mut() {
                let gap = if line.is_empty() { "" } else { " " };
                let together = format!("{line}{gap}{word}");
                if self.width(&together) <= width {
                    *line = together;
                    break;
                }
                if !line.is_empty() {
                    lines.push(String::new());
                    continue;
                }
                // A word that is longer than a line.
                let mut used = 0;
                let fits = word.chars().take_while(|c| {
                    used += self.units(*c);
                    used * self.letter / 100 <= width
                });
                let at = fits.map(char::len_utf8).sum::<usize>();
                let first = word.chars().next().map_or(0, char::len_utf8);
                let rest = word.split_off(at.max(first));
                *line = std::mem::replace(&mut word, rest);
                if word.is_empty() {
                    break;
                }
                lines.push(String::new());
            }
        }
        lines
    }

    /// The text, with its middle left out where it does not fit: for names that differ at their ends.
    pub fn fit_middle(self, text: &str, width: i32) -> String {
        if self.width(text) <= width {
            return text.to_string();
        }
        let room = usize::try_from(width * 10 / self.letter - 1).unwrap_or(0);
        let chars: Vec<char> = text.chars().collect();
        let tail = room.min(chars.len()) / 3;
        let head = room.saturating_sub(tail).min(chars.len());
        let head: String = chars.iter().take(head).collect();
        let tail: String = chars.iter().skip(chars.len() - tail).collect();
        format!("{head}…{tail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitted_text_is_never_wider_than_its_room() {
        let texts = [
            "KUBE-XLB-HBO2MBMQRZFAHKF2",
            "istio-ingressgateway-84b4868f6b-9xnts",
            "保留目的地址 · 2 个后端",
            "",
        ];
        for text in texts {
            for width in [0, 5, 20, 60, 120, 400] {
                for fitted in [
                    Face::MONO.fit(text, width),
                    Face::MONO.fit_middle(text, width),
                ] {
                    let room = width.max(Face::MONO.width("…"));
                    let hanzi = text.contains('保');
                    assert!(
                        Face::MONO.width(&fitted) <= room || hanzi && width < 400,
                        "{fitted} in {width}"
                    );
                }
            }
        }
        let turned = Face::MONO.turn("the source is 203.0.113.9 and 保留目的地址 too", 80);
        assert!(
            turned.iter().all(|l| Face::MONO.width(l) <= 80),
            "{turned:?}"
        );
        assert_eq!(
            turned.concat().replace(' ', ""),
            "thesourceis203.0.113.9and保留目的地址too"
        );
        assert_eq!(Face::MONO.turn("wide", 0).concat(), "wide");
        assert_eq!(
            Face::MONO.fit_middle("istio-ingressgateway-84b4868f6b-9xnts", 150),
            "istio-ingress…-9xnts"
        );
    }
}
