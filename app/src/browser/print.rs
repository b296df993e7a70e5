//! Paper: what is printed in place of the page.

use std::cell::RefCell;
use std::rc::Rc;

use web_sys::Element;

use super::events::{Listener, listen};
use super::page;

/// While something is printed, what `make` makes is there, and all else is not, see `handout.css`. Until dropped. The
/// markup is the program's own, with every text escaped.
pub fn watch(make: impl Fn() -> String + 'static) -> Vec<Listener> {
    let Some(window) = super::window() else {
        return Vec::new();
    };
    // The visitor's own theme, while the page is in the light one: paper is white.
    let own = Rc::new(RefCell::new(None::<Option<String>>));
    let kept = own.clone();
    let before = listen(&window, "beforeprint", move |_| {
        remove();
        if show(&make()).is_some() {
            let root = super::root();
            let theme = root.and_then(|root| root.get_attribute(THEME));
            kept.borrow_mut().get_or_insert(theme);
            page::set_theme(Some("light"));
        }
    });
    let after = listen(&window, "afterprint", move |_| {
        remove();
        if let Some(theme) = own.take() {
            page::set_theme(theme.as_deref());
        }
    });
    vec![before, after]
}

pub fn now() {
    if let Some(window) = super::window() {
        let _ = window.print();
    }
}

const NAME: &str = "paper";
const THEME: &str = "data-theme";

fn show(markup: &str) -> Option<()> {
    if markup.is_empty() {
        return None;
    }
    let document = super::document()?;
    let paper = document.create_element("div").ok()?;
    paper.set_id(NAME);
    paper.set_inner_html(markup);
    document.body()?.append_child(&paper).ok()?;
    Some(())
}

fn remove() {
    let found = super::document().and_then(|d| d.get_element_by_id(NAME));
    if let Some(paper) = found {
        Element::remove(&paper);
    }
}
