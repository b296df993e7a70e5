//! Diagnostics for a terminal: message, place, the line with carets below it, help.

use std::fmt::Write;

use northsouth::text::{Diagnostic, File, Lang, Span, left_out};

/// Of longer lines a part is shown, in characters.
const LONGEST: usize = 160;

/// More than these help nobody; how many more there are is said.
const MOST: usize = 100;

/// One below the other, in the order of their files.
pub fn render(files: &[File], diagnostics: &[Diagnostic], lang: Lang) -> String {
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    sorted.sort_by_key(|d| (d.span.file, d.span.start));
    let mut out = String::new();
    for diagnostic in sorted.iter().take(MOST) {
        one(files, diagnostic, lang, &mut out);
        out.push('\n');
    }
    if let Some(more) = sorted.len().checked_sub(MOST).filter(|n| *n > 0) {
        let _ = writeln!(out, "{}\n", left_out(more).text(lang));
    }
    out
}

fn one(files: &[File], diagnostic: &Diagnostic, lang: Lang, out: &mut String) {
    let severity = diagnostic.severity.say().text(lang);
    let message = diagnostic.message.text(lang);
    let _ = writeln!(out, "{severity}[{}]: {message}", diagnostic.code());
    place(files, diagnostic.span, '^', "", out);
    for label in &diagnostic.labels {
        place(files, label.span, '-', &label.message.text(lang), out);
    }
    if let Some(help) = diagnostic.help_line() {
        let _ = writeln!(out, "  = {}", help.text(lang));
    }
}

/// `--> FILE:LINE:COLUMN`, the line, and marks below what is meant; of several lines the first.
fn place(files: &[File], span: Span, mark: char, said: &str, out: &mut String) {
    let Some(file) = files.get(span.file.index()) else {
        return;
    };
    let at = file.line_column(span.start);
    let line = file
        .text
        .lines()
        .nth(at.line as usize - 1)
        .unwrap_or_default();
    let (line, before) = cut(line, at.column as usize - 1);
    let under = file.slice(span).lines().next().unwrap_or_default();
    let left = line.chars().count() - before.chars().count();
    let under: String = under.chars().take(left).collect();
    let number = at.line.to_string();
    let margin = " ".repeat(number.len());
    let _ = writeln!(out, "{margin}--> {}:{}:{}", file.name, at.line, at.column);
    if line.is_empty() {
        return;
    }
    let space: String = before
        .chars()
        .map(|c| match (c, width(c)) {
            ('\t', _) => "\t",
            (_, 2) => "  ",
            _ => " ",
        })
        .collect();
    let marks: usize = under.chars().map(width).sum::<usize>().max(1);
    let _ = writeln!(out, "{margin} |");
    let _ = writeln!(out, "{number} | {line}");
    let marks = mark.to_string().repeat(marks);
    let _ = writeln!(out, "{margin} | {space}{marks} {said}");
    while out.ends_with(" \n") {
        out.truncate(out.len() - 2);
        out.push('\n');
    }
}

/// Of a line that is too long to look at, what stands around a character; and what of it stands before that character.
fn cut(line: &str, at: usize) -> (String, String) {
    let count = line.chars().count();
    let from = match count > LONGEST {
        true => at.saturating_sub(LONGEST / 2).min(count - LONGEST),
        false => 0,
    };
    let start = if from > 0 { "…" } else { "" };
    let end = if from + LONGEST < count { "…" } else { "" };
    let part = |length: usize| line.chars().skip(from).take(length).collect::<String>();
    let shown = [start, &part(LONGEST), end].concat();
    (shown, [start, &part(at - from)].concat())
}

/// Columns that a terminal gives a character: two to those of East Asian scripts.
fn width(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use northsouth::workspace::world;

    use super::*;

    #[test]
    fn carets_stand_below_what_is_meant() {
        let files = [File::new(
            "nodes/n1/ip-route.txt",
            "default via 10.0.0.1 dev eth0\n10.0.0.0/33 dev eth0\n",
        )];
        let (_, diagnostics) = world(&files);
        let text = render(&files, &diagnostics[..1], Lang::En);
        assert_eq!(
            text,
            "\
error[texts/bad-mask]: bad mask `/33`: it goes from /0 to /32
 --> nodes/n1/ip-route.txt:2:10
  |
2 | 10.0.0.0/33 dev eth0
  |          ^^

"
        );
    }

    #[test]
    fn of_a_long_line_the_part_is_shown_that_is_meant() {
        for (before, after) in [(0, 1000), (500, 500), (1000, 0)] {
            let line = [&"a ".repeat(before / 2), "dev", &" b".repeat(after / 2)].concat();
            let (shown, ahead) = cut(&line, before);
            assert!(shown.chars().count() <= LONGEST + 2, "{shown}");
            assert!(shown[ahead.len()..].starts_with("dev"), "{shown}");
        }
        assert_eq!(cut("short", 2), ("short".into(), "sh".into()));
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let files = [File::new(
            "nodes/n1/ip-route.txt",
            "default via 网关 dev eth0\n",
        )];
        let (_, diagnostics) = world(&files);
        let text = render(&files, &diagnostics[..1], Lang::ZhCn);
        assert!(text.contains("  |             ^^^^\n"), "{text}");
    }
}
