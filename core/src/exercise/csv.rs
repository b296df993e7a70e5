//! Tables for spreadsheets.

/// A line of RFC 4180, with its end. A cell that a spreadsheet would take for a formula gets a quote before it.
pub fn csv_line(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|c| cell(c)).collect();
    format!("{}\n", cells.join(","))
}

/// The rows of such a text, as spreadsheets and learning platforms write them: with commas, semicolons or tabs, whichever the
/// first row has most of. A quoted cell may hold lines.
pub(super) fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let first = text.lines().next().unwrap_or_default();
    let often = |mark: &char| first.matches(*mark).count();
    let comma = [',', ';', '\t'].into_iter().max_by_key(often);
    let comma = comma.filter(|c| often(c) > 0).unwrap_or(',');
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c if c == comma && !quoted => row.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

fn cell(text: &str) -> String {
    let safe = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_string(),
    };
    match safe.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_platforms_write_them() {
        let rows = csv_rows("a;b\r\n\"1;\"\"2\"\"\n3\";4\r\n");
        assert_eq!(rows, [vec!["a", "b"], vec!["1;\"2\"\n3", "4"]]);
        assert_eq!(csv_rows("a,b\n1"), [vec!["a", "b"], vec!["1"]]);
        assert_eq!(csv_rows(""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_name_is_no_formula() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
