//! Pictures of a walk that stand by themselves: SVG that needs neither script nor font, in colours of its own for light and
//! dark, with words for who does not see it. What is where is `view_model::map`'s, as on the page.

mod caption;
mod draw;
pub mod handout;
mod moving;
mod still;
mod xml;

pub use moving::moving;
pub use still::{drawing, either, still};
pub use xml::escaped;

use northsouth::share::CARRIED;

use crate::state::{Level, State, Theme, Zoom, prepared};

/// The rules of `drawing.css` in the light theme's colours, and what is otherwise in the dark one.
const LIGHT: &str = include_str!(concat!(env!("OUT_DIR"), "/light.css"));
const DARK: &str = include_str!(concat!(env!("OUT_DIR"), "/dark.css"));

/// The class by which it is told from what else is on a page.
const OURS: &str = "class=\"northsouth\"";

const FITTING: &str = "svg.northsouth{max-width:100%;height:auto}";

/// As wide as a page's column of text, and as a phone, where its letters stay as large.
pub const WIDTH: u32 = 720;
pub const NARROW: u32 = 340;

/// How a picture is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look<'a> {
    /// In CSS pixels.
    pub width: u32,
    /// `Auto` is as whoever looks at it has their system.
    pub theme: Theme,
    /// A link's data. A picture with it opens as the workspace that it shows.
    pub carries: Option<&'a str>,
}

impl Default for Look<'_> {
    fn default() -> Self {
        Self {
            width: WIDTH,
            theme: Theme::Auto,
            carries: None,
        }
    }
}

/// The colours and letters of drawings.
fn style(theme: Theme) -> String {
    match theme {
        Theme::Light => format!("{FITTING}{LIGHT}"),
        Theme::Dark => format!("{FITTING}{LIGHT}{DARK}"),
        Theme::Auto => format!("{FITTING}{LIGHT}@media (prefers-color-scheme:dark){{{DARK}}}"),
    }
}

/// As a picture looks at it: nothing is hidden, the packet is followed.
fn settled(state: &State, level: Level) -> State {
    let mut state = state.clone();
    state.predict = false;
    state.opened = None;
    state.following = true;
    state.zoom = Zoom::at(level);
    state
}

/// What is around a drawing of the size given: its words for a screen reader, its look, and the workspace.
struct Sheet<'a> {
    size: (i32, i32),
    title: String,
    description: String,
    /// Of the element, its class among them.
    attributes: &'static str,
    /// Empty where another picture of the page has it.
    style: String,
    look: Look<'a>,
}

impl Sheet<'_> {
    /// On one line, so that a page in Markdown takes it as it is.
    fn svg(&self, state: &State, drawing: &str) -> String {
        let (width, height) = self.size;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" {} role=\"img\" lang=\"{}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">",
            self.attributes,
            state.settings.lang.tag()
        );
        out += &format!(
            "<title>{}</title><desc>{}</desc>",
            escaped(&self.title),
            escaped(&self.description)
        );
        if let Some(data) = self.look.carries {
            out += &format!("<metadata id=\"{CARRIED}\">{}</metadata>", escaped(data));
        }
        if !self.style.is_empty() {
            out += &format!("<style>{}</style>", self.style);
        }
        out += "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>";
        out += &format!("<g class=\"drawing\">{drawing}</g></svg>");
        out
    }
}

/// What a picture of the step at hand says, for who does not see it.
pub fn said(state: &State) -> String {
    caption::Caption::of(state).text()
}

/// What a picture of this state is called.
pub fn title(state: &State) -> String {
    let probe = state.workspace.probe.to_string();
    match state.scenario {
        Some(scenario) => {
            let title = prepared::title(scenario, state.settings.lang);
            format!("{title} · {probe}")
        }
        None => probe,
    }
}

#[cfg(test)]
mod tests;
