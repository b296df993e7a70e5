//! Snippets that put what is seen into another page.

use std::fmt::Write;

use super::explain;
use super::share::{self, Choice};
use super::stride;
use crate::i18n::Words;
use crate::picture::{self, WIDTH, escaped};
use crate::state::{State, Theme, prepared};

/// How the embedded page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub autoplay: bool,
    pub controls: bool,
    pub editable: bool,
    pub collapsed: bool,
    pub theme: &'static str,
}

pub const THEMES: [&str; 4] = ["auto", "light", "dark", "host"];

/// A name and a value, which a switch does not have.
type Word = (&'static str, String);

/// What the element has as attributes and the frame in its address.
fn words(state: &State, look: Look) -> Vec<Word> {
    let step = state.cursor + 1;
    let mut words: Vec<Word> = Vec::new();
    // As it comes, a scenario's name is enough.
    match (share::named(state), state.scenario) {
        (Some(named), _) => words.push(named),
        (None, Some(scenario)) if *state.workspace == *state.pristine => {
            words.push(("scenario", scenario.name.to_string()));
            words.push(("step", step.to_string()));
        }
        _ => {
            let choice = Choice {
                here: true,
                language: false,
            };
            words.push(("link", share::data(state, choice, false)));
        }
    }
    words.push(("lang", state.settings.lang.tag().to_string()));
    for (name, on) in [
        ("autoplay", look.autoplay),
        ("editable", look.editable),
        ("collapsed", look.collapsed),
    ] {
        if on {
            words.push((name, String::new()));
        }
    }
    if !look.controls {
        words.push(("controls", "off".to_string()));
    }
    if look.theme != "auto" {
        words.push(("theme", look.theme.to_string()));
    }
    words
}

/// `folder` is where the page's files are.
pub fn element(state: &State, look: Look, folder: &str) -> String {
    let mut out = format!(
        "<script src=\"{}northsouth-embed.js\" defer></script>\n<north-south",
        escaped(folder)
    );
    for (name, value) in words(state, look) {
        let _ = match value.as_str() {
            "" => write!(out, " {name}"),
            value => write!(out, " {name}=\"{}\"", escaped(value)),
        };
    }
    let _ = writeln!(out, " label=\"{}\"></north-south>", escaped(&title(state)));
    out
}

/// The embedded page's address, which takes a theme of its own but knows nothing of the page around.
pub fn address(state: &State, look: Look, folder: &str) -> String {
    let words = words(state, look).into_iter();
    let words: Vec<_> = words
        .map(|(name, value)| match (name, value.as_str()) {
            ("link", value) => format!("w={value}"),
            ("theme", "host") => "theme=auto".to_string(),
            (name, "") => name.to_string(),
            (name, value) => format!("{name}={value}"),
        })
        .collect();
    format!("{folder}embed.html#{}", words.join("&"))
}

pub fn frame(state: &State, look: Look, folder: &str) -> String {
    format!(
        "<iframe src=\"{}\"\n  title=\"{}\" loading=\"lazy\" width=\"100%\" height=\"680\" style=\"border: 0\"></iframe>\n",
        escaped(&address(state, look, folder)),
        escaped(&title(state))
    )
}

/// The map at the step at hand, and the walk as a table: without script and frame. The picture is in it, or a file beside
/// it where an editor takes no SVG.
pub fn still(state: &State, look: Look, apart: bool, page: &str, words: &Words) -> String {
    let look = still_look(look);
    let (figure, picture) = match apart {
        // Its letters stay as large on a phone, and it is scrolled, also by keys, for which it needs a name.
        true => (
            format!(
                "overflow-x: auto\" tabindex=\"0\" role=\"group\" aria-label=\"{}",
                escaped(&title(state))
            ),
            format!(
                "<img src=\"northsouth.png\" width=\"{WIDTH}\" style=\"max-width: none\" alt=\"{}\">",
                escaped(&picture::said(state))
            ),
        ),
        false => (
            "container-type: inline-size".to_string(),
            picture::either(state, look),
        ),
    };
    format!(
        "<figure style=\"margin: 1em 0; {figure}\">{picture}</figure>\n{}",
        table(state, page, words)
    )
}

/// How the picture looks where the embedded page would look so.
pub fn still_look(look: Look) -> picture::Look<'static> {
    picture::Look {
        theme: Theme::named(look.theme),
        ..picture::Look::default()
    }
}

/// The walk in short as a table, with a link to where it moves.
fn table(state: &State, page: &str, words: &Words) -> String {
    let mut out = format!("<table>\n<caption>{}</caption>\n", escaped(&title(state)));
    let told = stride::key_steps(&state.run, &state.walk);
    for hop in explain::hops(state, words) {
        let steps = hop.steps.iter().filter(|step| told.contains(&step.at));
        if steps.clone().next().is_none() {
            continue;
        }
        let _ = writeln!(
            out,
            "<tr><th scope=\"rowgroup\" colspan=\"2\">{}</th></tr>",
            escaped(&hop.heading)
        );
        for step in steps {
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td></tr>",
                step.at + 1,
                escaped(&step.title)
            );
        }
    }
    let _ = write!(
        out,
        "</table>\n<p><a href=\"{}\">{}</a></p>\n",
        escaped(page),
        escaped(words.embed_open)
    );
    out
}

/// Of what is seen.
pub fn title(state: &State) -> String {
    match (share::lesson(state), &state.task, state.scenario) {
        (Some(reading), ..) => reading.lesson.title.clone(),
        (None, Some(task), _) => task.exercise.title.clone(),
        (None, None, Some(scenario)) => prepared::title(scenario, state.settings.lang),
        (None, None, None) => "Northsouth".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use northsouth::text::{File, Lang};
    use northsouth::workspace::{DEFAULT, Scenario};
    use northsouth::{content, exercise, share as links};

    use super::*;
    use crate::state::course::text;
    use crate::state::{Reading, Settings, Task};

    const LOOK: Look = Look {
        autoplay: true,
        controls: false,
        editable: false,
        collapsed: false,
        theme: "host",
    };

    fn state() -> State {
        let scenario = Scenario::find(DEFAULT).unwrap();
        let workspace = scenario.workspace().unwrap();
        let mut state = State::new(workspace.clone(), workspace, Settings::for_languages(&[]));
        state.scenario = Some(scenario);
        state
    }

    #[test]
    fn a_scenario_as_it_comes_is_named_and_another_workspace_is_a_link() {
        let mut state = state();
        let snippet = element(&state, LOOK, "https://a.b/c/");
        assert!(
            snippet.contains("<north-south scenario=\"article\" step=\"1\" lang=\"en\" autoplay controls=\"off\" theme=\"host\""),
            "{snippet}"
        );
        assert_eq!(
            address(&state, LOOK, "https://a.b/c/"),
            "https://a.b/c/embed.html#scenario=article&step=1&lang=en&autoplay&controls=off&theme=auto"
        );
        let mut workspace = (*state.workspace).clone();
        workspace.files.push(File::new("notes.txt", "x"));
        state.workspace = workspace.into();
        assert!(address(&state, LOOK, "").starts_with("embed.html#w=1.deflate."));
    }

    #[test]
    fn a_lesson_and_an_exercise_go_by_their_names_and_one_from_elsewhere_goes_whole() {
        let mut state = state();
        let task = Task::of("what-the-pod-sees.md", Lang::En).unwrap();
        state.set(task);
        assert_eq!(share::address(&state, "a"), "a#exercise=what-the-pod-sees");
        let snippet = element(&state, LOOK, "");
        assert!(
            snippet.contains("<north-south exercise=\"what-the-pod-sees\" lang="),
            "{snippet}"
        );

        let own = text("exercises", "what-the-pod-sees.md", Lang::En).unwrap();
        let own = own.replacen("# ", "# Own: ", 1);
        let name = format!("{}.md", exercise::shared_name(&own)).leak();
        for lang in Lang::ALL {
            let path = format!("{}/exercises/{name}", lang.tag());
            assert!(content::add(format!("{path} {}\n{own}\n", own.len())));
        }
        state.set(Task::of(name, Lang::En).unwrap());
        let address = share::address(&state, "a");
        let packed = address.strip_prefix("a#task=").unwrap();
        assert_eq!(links::unpack(packed).unwrap(), own);
        assert!(title(&state).starts_with("Own: "));

        state.reading = Reading::of("05-dnat.md", Lang::En).map(Rc::new);
        assert_eq!(share::address(&state, "a"), "a#lesson=05-dnat");
        state.task = None;
        state.reading = Reading::of(crate::state::course::TOUR, Lang::En).map(Rc::new);
        assert!(share::address(&state, "a").starts_with("a#w="));
    }

    #[test]
    fn texts_stay_texts_in_the_table() {
        let words = crate::i18n::words(northsouth::text::Lang::En);
        let table = still(&state(), LOOK, false, "https://a.b/?a&\"<b>", words);
        assert!(
            table.contains("https://a.b/?a&amp;&quot;&lt;b&gt;"),
            "{table}"
        );
        assert!(table.contains("<td>1</td>"), "{table}");
        assert!(
            table.starts_with("<figure style=\"margin: 1em 0; container-type: inline-size\"><svg ")
                && !table.contains("<metadata")
        );
        let apart = still(&state(), LOOK, true, "", words);
        assert!(apart.starts_with(
            "<figure style=\"margin: 1em 0; overflow-x: auto\" tabindex=\"0\" role=\"group\" aria-label=\"The article’s request\"><img src=\"northsouth.png\" width=\"720\" style=\"max-width: none\" alt=\"step 1 of "
        ));
        assert!(!apart.contains("<svg"));
    }
}
