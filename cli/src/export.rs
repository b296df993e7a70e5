//! `northsouth export`: a walk in the forms that other tools take.

use std::io::Write;
use std::process::ExitCode;

use northsouth::share::{self, Shared};
use northsouth::trace::{Style, print};
use northsouth::workspace::run;

use crate::options::Options;
use crate::trace;

pub const USAGE: &str = "\
northsouth export [FROM] FORM… [OPTIONS]   a walk for other tools; FROM and the other options are those of trace
  --pcapng FILE       the packets at every interface, for Wireshark
  --markdown FILE     the walk to paste into an issue or a post
  --text FILE         every packet step by step
  --zip FILE          the workspace as plain files
  --link FILE         the workspace as a link: what follows `#w=` in the page's address
  FILE may be `-` for the standard output";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let forms = ["--pcapng", "--markdown", "--text", "--zip", "--link"];
    let mut wanted = Vec::new();
    for form in forms {
        for file in options.values(form)? {
            wanted.push((form, file));
        }
    }
    if wanted.is_empty() {
        return Err(USAGE.to_string());
    }
    let workspace = trace::workspace(options, lang)?;
    let run = run(&workspace);
    for (form, file) in wanted {
        let bytes = match form {
            "--pcapng" => share::capture(&run.world, &run.trace),
            "--markdown" => share::markdown(&workspace, &run, lang, None).into_bytes(),
            "--zip" => share::zip(&workspace),
            "--link" => {
                let shared = Shared {
                    workspace: workspace.clone(),
                    base: None,
                    step: 0,
                    view: Vec::new(),
                };
                (share::link(&shared, None) + "\n").into_bytes()
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

fn write(file: &str, bytes: &[u8]) -> std::io::Result<()> {
    match file {
        "-" => std::io::stdout().write_all(bytes),
        file => std::fs::write(file, bytes),
    }
}
