//! Tables for spreadsheets.

/// A line of RFC 4180, with its end. A cell that a spreadsheet would take for a formula gets a quote before it.
pub fn csv_line(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|c| cell(c)).collect();
    format!("{}\n", cells.join(","))
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
    fn a_name_is_no_formula() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
