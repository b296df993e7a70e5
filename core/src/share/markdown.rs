//! A walk to paste into an issue or a post.

use crate::say;
use crate::text::Lang;
use crate::trace::{self, Style};
use crate::workspace::{Run, Workspace};

/// The probe, what became of it, its way as text, and where to look at it; `link` is an address.
pub fn markdown(workspace: &Workspace, run: &Run, lang: Lang, link: Option<&str>) -> String {
    let style = Style {
        lang,
        all: false,
        why: false,
    };
    let way = match &run.refused {
        Some(refused) => refused.text(lang) + "\n",
        None => trace::print(&run.world, &run.trace, style),
    };
    // A fence longer than any within, so that a text cannot end it.
    let longest = way.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let probe = code(&workspace.probe.to_string());
    let end = run.trace.disposition.say().text(lang);
    let mut out = format!("{probe}: {end}\n\n{fence}text\n{way}{fence}\n");
    if let Some(link) = link {
        let said = say!("share/open-in-northsouth").text(lang);
        out.push_str(&format!("\n[{said}]({link})\n"));
    }
    out
}

/// Code within a line.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    match text.contains('`') {
        true => format!("`` {text} ``"),
        false => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{DEFAULT, Scenario, run};

    #[test]
    fn a_walk_is_told_in_a_fence_of_its_own() {
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        let told = markdown(
            &workspace,
            &run(&workspace),
            Lang::En,
            Some("https://a.b/#w=1"),
        );
        assert!(
            told.starts_with("`client http GET http://182.92.251.227/`: "),
            "{told}"
        );
        assert!(told.contains("\n```text\n1 "), "{told}");
        assert!(
            told.ends_with("\n```\n\n[Open in Northsouth](https://a.b/#w=1)\n"),
            "{told}"
        );
        workspace.probe.from = "```".to_string();
        let told = markdown(&workspace, &run(&workspace), Lang::ZhCn, None);
        assert!(told.contains("\n````text\n"), "{told}");
    }
}
