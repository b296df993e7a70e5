//! How the viewer likes to read: the same on every page.

use yew::prelude::*;

use super::keep;
use crate::browser::{page, style};
use crate::state::Settings;

/// Language, theme and widths, as the viewer chose them, and the page's title. They are kept for the next visit.
#[hook]
pub fn use_page_settings(settings: Settings, title: &'static str) {
    use_effect_with((settings, title), move |(settings, title)| {
        show_settings(settings, title);
        keep::save_settings(settings);
    });
}

/// Shows them, and keeps nothing.
pub fn show_settings(settings: &Settings, title: &str) {
    page::set_language(settings.lang.tag(), title);
    page::set_theme(settings.theme.name());
    style::set_root("--files-width", &format!("{}px", settings.files_width));
    style::set_root(
        "--inspector-width",
        &format!("{}px", settings.inspector_width),
    );
}
