//! `northsouth export`: a walk in the forms that other tools take.

use std::io::Write;
use std::process::ExitCode;

use northsouth::share::{self, Shared};
use northsouth::text::Lang;
use northsouth::trace::{Style, print};
use northsouth::workspace::Workspace;
use northsouth_app::picture::{self, Look, NARROW, WIDTH, handout};
use northsouth_app::state::{Event, Settings, State, Theme};

use crate::options::{Options, misused};
use crate::trace;

pub const USAGE: &str = "\
northsouth export [FROM] FORM… [OPTIONS]   a walk for other tools: pictures, packets, Markdown, files, paper
  FROM                and options that are not below: those of `northsouth trace`
  --pcapng FILE       the packets at every interface, for Wireshark
  --markdown FILE     the walk to paste into an issue or a post
  --text FILE         every packet step by step
  --zip FILE          the workspace as plain files
  --link FILE         the workspace as a link: what follows `#w=` in the page's address
  --svg FILE          the map at a step, as the page draws it; it opens there by dropping it
  --animated FILE     the same of the whole walk, moving without script
  --handout FILE      the map at each step that tells the walk, with its text, as HTML to print
  --step N            which step --svg shows, as the page counts (default: the last of the first packet)
  --width N           how wide pictures are, in pixels: 340 for a phone, where letters stay as large (default: 720)
  --theme THEME       light or dark pictures (default: as whoever looks at them)
  FILE may be `-` for the standard output";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let forms = [
        "--pcapng",
        "--markdown",
        "--text",
        "--zip",
        "--link",
        "--svg",
        "--animated",
        "--handout",
    ];
    let mut wanted = Vec::new();
    for form in forms {
        for file in options.values(form)? {
            wanted.push((form, file));
        }
    }
    let step = options.value("--step")?;
    let width = match options.value("--width")? {
        None => WIDTH,
        Some(text) => {
            let number = text.parse().ok().filter(|n| (NARROW..=2000).contains(n));
            number.ok_or(format!(
                "--width wants a number from {NARROW} to 2000, not `{text}`"
            ))?
        }
    };
    let theme = match options.value("--theme")? {
        None => Theme::Auto,
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        Some(other) => return Err(format!("unknown theme `{other}`: light, dark")),
    };
    if wanted.is_empty() {
        return Err(misused(USAGE, "a form is wanted, such as --svg FILE"));
    }
    let workspace = trace::workspace(options, lang)?;
    let state = state(workspace, lang, step)?;
    let (workspace, run) = (&*state.workspace, &*state.run);
    let link = |step: u32| {
        let shared = Shared {
            workspace: workspace.clone(),
            base: None,
            step,
            view: Vec::new(),
        };
        share::link(&shared, None)
    };
    let carried = link(u32::try_from(state.cursor).unwrap_or(0));
    let look = Look {
        width,
        theme,
        carries: Some(&carried),
    };
    for (form, file) in wanted {
        let bytes = match form {
            "--pcapng" => share::capture(&run.world, &run.trace),
            "--markdown" => share::markdown(workspace, run, lang, None).into_bytes(),
            "--zip" => share::zip(workspace),
            "--link" => (link(0) + "\n").into_bytes(),
            "--svg" => picture::still(&state, look).into_bytes(),
            "--animated" => picture::moving(&state, look).into_bytes(),
            "--handout" => {
                let handout = handout::walk(&state);
                handout::document(&handout, &picture::title(&state), lang).into_bytes()
            }
            _ => {
                let style = Style {
                    lang,
                    all: true,
                    why: false,
                };
                print(&run.world, &run.trace, style).into_bytes()
            }
        };
        write(file, &bytes).map_err(|e| format!("{file}: {e}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The page as it would show the workspace, at a step that is counted from 1.
fn state(workspace: Workspace, lang: Lang, step: Option<&str>) -> Result<State, String> {
    let settings = Settings {
        lang,
        ..Settings::for_languages(&[])
    };
    let mut state = State::new(workspace.clone(), workspace, settings);
    let steps = state.walk.len();
    let first = |at: &usize| {
        let moment = state.walk.moments.get(*at);
        moment.is_some_and(|m| m.position.journey == 0)
    };
    let at = match step {
        None => (0..steps).rev().find(first).unwrap_or(0),
        Some(text) => {
            let number = text.parse::<usize>().ok();
            let number = number.filter(|n| (1..=steps).contains(n));
            number.ok_or(format!("--step wants a number up to {steps}, not `{text}`"))? - 1
        }
    };
    state.after(Event::StepChosen(at));
    Ok(state)
}

fn write(file: &str, bytes: &[u8]) -> std::io::Result<()> {
    match file {
        "-" => std::io::stdout().write_all(bytes),
        file => std::fs::write(file, bytes),
    }
}
