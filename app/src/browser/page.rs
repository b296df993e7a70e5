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
    let Some(element) = found else {
        return;
    };
    if is_embedded() {
        // The browser would scroll the page around as well, where that is of the same origin.
        if let Ok(Some(pane)) = element.closest(".map-scroll") {
            scroll(&pane, &element, to_top);
        }
        return;
    }
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

/// Scrolls a pane, and nothing around it.
fn scroll(pane: &Element, element: &Element, to_top: bool) {
    let (view, at) = (
        pane.get_bounding_client_rect(),
        element.get_bounding_client_rect(),
    );
    let (above, below) = (at.top() - view.top(), at.bottom() - view.bottom());
    let down = if to_top { above } else { nearest(above, below) };
    let right = nearest(at.left() - view.left(), at.right() - view.right());
    pane.set_scroll_top(pane.scroll_top() + down.round() as i32);
    pane.set_scroll_left(pane.scroll_left() + right.round() as i32);
}

/// How far to scroll what begins so far behind the view's beginning, and ends so far behind its end: not at all where it is
/// in the view, or fills it.
fn nearest(begins: f64, ends: f64) -> f64 {
    if (begins < 0.0) == (ends > 0.0) {
        0.0
    } else if begins.abs() < ends.abs() {
        begins
    } else {
        ends
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

/// Whether nothing has the focus that can be seen, as when what had it is gone.
pub fn is_focus_lost() -> bool {
    let focused = super::document().and_then(|d| d.active_element());
    focused.is_none_or(|e| e.tag_name() == "BODY" || e.get_bounding_client_rect().width() == 0.0)
}

/// Moves the focus to the page's first heading, from where a reader goes on.
pub fn focus_heading() {
    let found = super::document().and_then(|d| d.query_selector("h1").ok().flatten());
    if let Some(heading) = found.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        heading.set_tab_index(-1);
        let _ = heading.focus();
    }
}

/// The language that the page says it is in.
pub fn language() -> Option<String> {
    super::root()?.get_attribute("lang")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_scrolled_than_needed() {
        assert_eq!(nearest(5.0, -5.0), 0.0, "in the view");
        assert_eq!(nearest(-5.0, 5.0), 0.0, "fills it");
        assert_eq!(nearest(-20.0, -80.0), -20.0, "above");
        assert_eq!(nearest(80.0, 20.0), 20.0, "below");
        assert_eq!(nearest(-80.0, -20.0), -20.0, "above, and larger");
    }
}
