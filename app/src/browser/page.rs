//! The page itself: its language, its theme, where its focus is.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, ScrollBehavior, ScrollIntoViewOptions, ScrollLogicalPosition};

/// The element that the page is drawn into.
pub fn place() -> Option<Element> {
    super::document()?.get_element_by_id("app")
}

pub fn set_language(tag: &str, title: &str) {
    if let Some(root) = super::root() {
        let _ = root.set_attribute("lang", tag);
    }
    if let Some(document) = super::document() {
        document.set_title(title);
    }
}

/// `None` leaves the choice to the visitor's system.
pub fn set_theme(theme: Option<&str>) {
    if let Some(root) = super::root() {
        let _ = match theme {
            Some(theme) => root.set_attribute("data-theme", theme),
            None => root.remove_attribute("data-theme"),
        };
    }
}

/// Brings an element into its pane's view: to its top, or by no more than is needed.
pub fn reveal(selector: &str, to_top: bool) {
    let found = super::document().and_then(|d| d.query_selector(selector).ok().flatten());
    if let Some(element) = found {
        let options = ScrollIntoViewOptions::new();
        options.set_behavior(ScrollBehavior::Auto);
        options.set_block(if to_top {
            ScrollLogicalPosition::Start
        } else {
            ScrollLogicalPosition::Nearest
        });
        options.set_inline(ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Whether nobody can see the page just now.
pub fn hidden() -> bool {
    super::document().is_some_and(|d| d.hidden())
}

/// Moves the focus within a set of tabs, as the ARIA pattern for them wants.
pub fn focus_by_id(id: &str) {
    let found = super::document().and_then(|d| d.get_element_by_id(id));
    if let Some(element) = found.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Moves the focus to the page's first heading, from where a reader goes on.
pub fn focus_heading() {
    let found = super::document().and_then(|d| d.query_selector("h1").ok().flatten());
    if let Some(heading) = found.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        heading.set_tab_index(-1);
        let _ = heading.focus();
    }
}

/// Whether this is `embed.html`: the page within another one.
pub fn is_embedded() -> bool {
    super::root().is_some_and(|root| root.has_attribute("data-embed"))
}

/// Has the text editor fetched where it does not come by itself.
pub fn want_editor() {
    if let (Some(window), Ok(event)) = (
        super::window(),
        web_sys::Event::new("northsouth-wants-editor"),
    ) {
        let _ = window.dispatch_event(&event);
    }
}
