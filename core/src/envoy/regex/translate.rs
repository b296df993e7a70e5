//! The grammar: what RE2 takes and refuses, and how `regex-lite` writes it. Source: RE2's `re2/parse.cc`.

use super::BadRegex;

/// How deep groups may stand in groups.
const MAX_DEPTH: usize = 200;

/// Most repetitions that repetitions of repetitions come to (`kMaxRepeat`).
const MAX_REPEAT: u64 = 1000;

/// What was written so far.
#[derive(Default)]
struct Out {
    text: String,
    /// Something in it has no equal: a refusal behind it still counts.
    unmodelled: bool,
}

impl Out {
    fn push(&mut self, c: char) {
        self.text.push(c);
    }

    fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn extend(&mut self, chars: &[char]) {
        self.text.extend(chars);
    }
}

/// How often the parts of an expression are repeated, at most.
#[derive(Default)]
struct Repeats {
    /// Of the groups that are open: the most in them so far.
    open: Vec<u64>,
    /// Of what a repetition would repeat.
    last: u64,
}

impl Repeats {
    fn one(&mut self) {
        self.settle();
        self.last = 1;
    }

    fn settle(&mut self) {
        let last = self.last;
        if let Some(most) = self.open.last_mut() {
            *most = last.max(*most);
        }
    }

    fn begin(&mut self) {
        self.settle();
        self.last = 0;
        self.open.push(1);
    }

    fn end(&mut self) {
        self.settle();
        self.last = self.open.pop().unwrap_or(1);
    }

    /// Whether so many times is not too often (`RepetitionWalker`).
    fn times(&mut self, times: u64) -> bool {
        self.last = self.last.max(1).saturating_mul(times.max(1));
        times < 2 || self.last <= MAX_REPEAT
    }
}

/// An expression of RE2 as `regex-lite` writes it.
pub(super) fn translate(text: &str) -> Result<String, BadRegex> {
    let refused = |what: &str| Err(BadRegex::Refused(what.to_string()));
    let chars: Vec<char> = text.chars().collect();
    let rest = |at: usize| chars.get(at..).unwrap_or(&[]).iter().collect::<String>();
    let mut out = Out::default();
    let mut repeats = Repeats::default();
    // Whether case is folded, which is done for ASCII only.
    let mut folds = false;
    let mut after_flags = false;
    // Whether a repetition may stand here, and where the last one began.
    let (mut repeatable, mut repetition) = (false, None::<usize>);
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if !matches!(c, '(' | '*' | '+' | '?' | '{') {
            after_flags = false;
        }
        match c {
            '\\' if chars.get(at + 1) == Some(&'Q') => {
                at += 2;
                while at < chars.len() && !(chars[at] == '\\' && chars.get(at + 1) == Some(&'E')) {
                    push_literal(&mut out, chars[at]);
                    repeats.one();
                    repeatable = true;
                    at += 1;
                }
                at += 2;
                repetition = None;
                continue;
            }
            '\\' => {
                let taken = escape(&chars, at, false, &mut out)?;
                repeats.one();
                repeatable = true;
                repetition = None;
                at += taken;
                continue;
            }
            '[' => {
                at = class(&chars, at, &mut out)?;
                repeats.one();
                (repeatable, repetition) = (true, None);
                continue;
            }
            '(' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(BadRegex::NotModelled(text.to_string()));
                }
                out.push('(');
                at += 1;
                let before = depth;
                if chars.get(at) == Some(&'?') {
                    let head = group_head(&chars, at, &mut out, &mut depth)?;
                    let flags = chars.get(at..head).unwrap_or(&[]);
                    folds |= flags.contains(&'i') && !flags.contains(&'<');
                    at = head;
                }
                if depth < before {
                    // Flags alone: a repetition behind them is of what stands before.
                    after_flags = true;
                    repetition = None;
                    continue;
                }
                repeats.begin();
                (repeatable, repetition) = (false, None);
                continue;
            }
            ')' => {
                if depth == 0 {
                    return refused(&format!("unexpected ): {text}"));
                }
                depth -= 1;
                out.push(')');
                repeats.end();
                (repeatable, repetition) = (true, None);
            }
            '*' | '+' | '?' | '{' => {
                let Some((end, times)) = repetition_end(&chars, at) else {
                    push_literal(&mut out, c);
                    repeats.one();
                    (repeatable, repetition) = (true, None);
                    at += 1;
                    continue;
                };
                let after_flags = std::mem::take(&mut after_flags);
                if let Some(start) = repetition {
                    let both: String = chars.get(start..end).unwrap_or(&[]).iter().collect();
                    return refused(&format!("bad repetition operator: {both}"));
                }
                let operator: String = chars.get(at..end).unwrap_or(&[]).iter().collect();
                let size = || refused(&format!("invalid repetition size: {operator}"));
                let Some(times) = times else { return size() };
                if !repeatable {
                    return refused(&format!("no argument for repetition operator: {operator}"));
                }
                if !repeats.times(times) {
                    return size();
                }
                if after_flags {
                    out.unmodelled = true;
                } else {
                    out.extend(chars.get(at..end).unwrap_or(&[]));
                }
                repetition = Some(at);
                at = end;
                continue;
            }
            '|' => {
                out.push(c);
                (repeatable, repetition) = (false, None);
            }
            '^' | '$' | '.' => {
                out.push(c);
                repeats.one();
                (repeatable, repetition) = (true, None);
            }
            c => {
                push_literal(&mut out, c);
                repeats.one();
                (repeatable, repetition) = (true, None);
            }
        }
        at += 1;
    }
    if depth > 0 {
        return refused(&format!("missing ): {}", rest(0)));
    }
    if out.unmodelled || folds && !text.is_ascii() {
        return Err(BadRegex::NotModelled(text.to_string()));
    }
    Ok(out.text)
}

fn push_literal(out: &mut Out, c: char) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

/// Where the repetition at `at` ends, with its `?`, and how often it repeats at most, or at least where there is no most: `None`
/// where that is no size. None at all where a `{` stands for itself.
fn repetition_end(chars: &[char], at: usize) -> Option<(usize, Option<u64>)> {
    let mut end = at + 1;
    let mut times = Some(1);
    if chars.get(at) == Some(&'{') {
        let close = chars
            .get(at..)
            .and_then(|r| r.iter().position(|c| *c == '}'));
        let close = close?;
        let inside: String = chars
            .get(at + 1..at + close)
            .unwrap_or(&[])
            .iter()
            .collect();
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            return None;
        }
        let number = |s: &str| s.parse::<u32>().unwrap_or(u32::MAX);
        let bad = number(least) > 1000
            || !most.is_empty() && (number(most) > 1000 || number(most) < number(least));
        let most = number(if most.is_empty() { least } else { most });
        times = (!bad).then_some(most.into());
        end = at + close + 1;
    }
    if chars.get(end) == Some(&'?') {
        end += 1;
    }
    Some((end, times))
}

/// Reads `?P<name>`, `?:` or flags after an opening parenthesis; gives where it ends.
fn group_head(
    chars: &[char],
    at: usize,
    out: &mut Out,
    depth: &mut usize,
) -> Result<usize, BadRegex> {
    let whole = |end: usize| -> String { chars.iter().skip(at - 1).take(end + 1 - at).collect() };
    let bad = |end: usize| BadRegex::Refused(format!("invalid perl operator: {}", whole(end)));
    let is = |from: usize, text: &str| {
        text.chars()
            .eq(chars.iter().skip(from).take(text.len()).copied())
    };
    for (look, length) in [("?=", 2), ("?!", 2), ("?<=", 3), ("?<!", 3)] {
        if is(at, look) && chars.len() > at + length {
            return Err(bad(at + length));
        }
    }
    let mut heads = [("?P<", 3), ("?<", 2)].into_iter();
    if let Some((_, head)) = heads.find(|(head, n)| is(at, head) && chars.len() > at + n) {
        let named = |end: usize| {
            let why = format!("invalid named capture group: {}", whole(end));
            Err(BadRegex::Refused(why))
        };
        let rest = chars.get(at..).unwrap_or(&[]);
        let Some(end) = rest.iter().position(|c| *c == '>') else {
            return named(chars.len());
        };
        let name = rest.get(head..end).unwrap_or(&[]);
        let fits = |c: &char| c.is_alphanumeric() || *c == '_';
        if name.is_empty() || !name.iter().all(fits) {
            return named(at + end + 1);
        }
        // Nobody asks for it by its name.
        return Ok(at + end + 1);
    }
    let (mut end, mut negative, mut any) = (at + 1, false, false);
    loop {
        let Some(flag) = chars.get(end) else {
            return Err(bad(end));
        };
        end += 1;
        match flag {
            'i' | 'm' | 's' | 'U' => any = true,
            '-' if !negative => (negative, any) = (true, false),
            ':' if !negative || any => {
                out.extend(chars.get(at..end).unwrap_or(&[]));
                return Ok(end);
            }
            ')' if !negative || any => {
                match any {
                    true => out.extend(chars.get(at..end).unwrap_or(&[])),
                    // No flag: as if nothing stood there.
                    false => out.push_str("?:)"),
                }
                *depth -= 1;
                return Ok(end);
            }
            _ => return Err(bad(end)),
        }
    }
}

/// Writes the escape at `at`; gives how many characters it has.
fn escape(chars: &[char], at: usize, in_class: bool, out: &mut Out) -> Result<usize, BadRegex> {
    let Some(&c) = chars.get(at + 1) else {
        return Err(BadRegex::Refused("trailing \\".into()));
    };
    let bad = |length: usize| {
        let text: String = chars.iter().skip(at).take(length).collect();
        BadRegex::Refused(format!("invalid escape sequence: {text}"))
    };
    match c {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
            out.push('\\');
            out.push(c);
        }
        'A' | 'z' | 'b' | 'B' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        'n' => out.push_str("\\n"),
        't' => out.push_str("\\t"),
        'r' => out.push_str("\\r"),
        'f' => out.push_str("\\x0C"),
        'v' => out.push_str("\\x0B"),
        'a' => out.push_str("\\x07"),
        'C' if !in_class => {
            out.unmodelled = true;
            out.push('.');
        }
        'p' | 'P' => {
            out.unmodelled = true;
            out.push_str("\\w");
            let rest = chars.get(at..).unwrap_or(&[]);
            let length = match rest.get(2) {
                Some('{') => rest.iter().position(|c| *c == '}').map(|end| end + 1),
                Some(_) => Some(3),
                None => None,
            };
            return length.ok_or_else(|| {
                let text: String = rest.iter().collect();
                BadRegex::Refused(format!("invalid character class range: {text}"))
            });
        }
        'x' => {
            let digits: String = match chars.get(at + 2) {
                Some('{') => chars
                    .iter()
                    .skip(at + 3)
                    .take_while(|c| c.is_ascii_hexdigit())
                    .take(8)
                    .collect(),
                _ => chars.iter().skip(at + 2).take(2).collect(),
            };
            let braced = chars.get(at + 2) == Some(&'{');
            let closed = !braced || chars.get(at + 3 + digits.len()) == Some(&'}');
            let code = u32::from_str_radix(&digits, 16).ok();
            let closed = closed && (braced || digits.len() == 2);
            let Some(c) = code.and_then(char::from_u32).filter(|_| closed) else {
                return Err(bad(4));
            };
            push_literal(out, c);
            return Ok(2 + digits.len() + if braced { 2 } else { 0 });
        }
        '0'..='7' => {
            // `\1` alone would refer back, which RE2 does not have.
            let octal: String = chars
                .iter()
                .skip(at + 1)
                .take(3)
                .take_while(|c| ('0'..='7').contains(*c))
                .collect();
            if c != '0' && octal.len() < 2 {
                return Err(bad(2));
            }
            let code = u32::from_str_radix(&octal, 8).ok().and_then(char::from_u32);
            let Some(c) = code else { return Err(bad(2)) };
            push_literal(out, c);
            return Ok(1 + octal.len());
        }
        c if c.is_ascii_alphanumeric() => return Err(bad(2)),
        c if !c.is_ascii() => return Err(bad(2)),
        c => push_literal(out, c),
    }
    Ok(2)
}

/// Writes the class at `at`; gives where it ends.
fn class(chars: &[char], at: usize, out: &mut Out) -> Result<usize, BadRegex> {
    let whole = |end: usize| {
        chars
            .get(at..end.min(chars.len()))
            .unwrap_or(&[])
            .iter()
            .collect::<String>()
    };
    let missing = || BadRegex::Refused(format!("missing ]: {}", whole(chars.len())));
    out.push('[');
    let mut next = at + 1;
    if chars.get(next) == Some(&'^') {
        out.push('^');
        next += 1;
    }
    let mut first = true;
    loop {
        let Some(&c) = chars.get(next) else {
            return Err(missing());
        };
        if c == ']' && !first {
            out.push(']');
            return Ok(next + 1);
        }
        first = false;
        if c == '[' && chars.get(next + 1) == Some(&':') {
            let rest: String = chars.iter().skip(next).take(14).collect();
            if let Some((name, _)) = rest.split_once(":]") {
                const NAMES: [&str; 14] = [
                    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower",
                    "print", "punct", "space", "upper", "word", "xdigit",
                ];
                let word = name.trim_start_matches("[:");
                if !NAMES.contains(&word.trim_start_matches('^')) {
                    return Err(BadRegex::Refused(format!(
                        "invalid character class range: {name}:]"
                    )));
                }
                out.push_str(name);
                out.push_str(":]");
                next += name.chars().count() + 2;
                continue;
            }
        }
        let mut low = Out::default();
        let taken = one_of_class(chars, next, &mut low)?;
        let dash = chars.get(next + taken) == Some(&'-')
            && chars.get(next + taken + 1).is_some_and(|c| *c != ']');
        out.push_str(&low.text);
        out.unmodelled |= low.unmodelled;
        let start = next;
        next += taken;
        if dash && !is_class(&low.text) {
            let mut high = Out::default();
            let taken = one_of_class(chars, next + 1, &mut high)?;
            next += 1 + taken;
            if is_class(&high.text) {
                let written: String = chars.iter().skip(next - taken).take(2).collect();
                let why = format!("invalid escape sequence: {written}");
                return Err(BadRegex::Refused(why));
            }
            if code(&high.text) < code(&low.text) {
                let range: String = chars.get(start..next).unwrap_or(&[]).iter().collect();
                return Err(BadRegex::Refused(format!(
                    "invalid character class range: {range}"
                )));
            }
            out.push('-');
            out.push_str(&high.text);
            out.unmodelled |= high.unmodelled;
        }
    }
}

fn one_of_class(chars: &[char], at: usize, out: &mut Out) -> Result<usize, BadRegex> {
    match chars.get(at) {
        Some('\\') => escape(chars, at, true, out),
        Some(&c) => {
            push_literal(out, c);
            Ok(1)
        }
        None => Err(BadRegex::Refused("missing ]".into())),
    }
}

/// Whether an escape stands for a class: `\d`.
fn is_class(written: &str) -> bool {
    matches!(written, "\\d" | "\\D" | "\\s" | "\\S" | "\\w" | "\\W")
}

/// The character that [`escape`] wrote.
fn code(written: &str) -> Option<char> {
    match written {
        "\\n" => Some('\n'),
        "\\t" => Some('\t'),
        "\\r" => Some('\r'),
        _ if written.starts_with("\\x") && written.len() == 4 => {
            u32::from_str_radix(written.get(2..)?, 16)
                .ok()
                .and_then(char::from_u32)
        }
        _ => written.chars().last(),
    }
}
