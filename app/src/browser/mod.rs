//! The only door to the browser. Nothing else in the app names `web_sys`, so what the page asks of a browser can be read
//! here, and views can be rendered natively.

pub mod channel;
pub mod clipboard;
pub mod clock;
pub mod dialog;
pub mod disk;
pub mod dropped;
pub mod editor;
pub mod events;
pub mod frames;
pub mod gestures;
pub mod host;
pub mod keys;
pub mod library;
pub mod location;
pub mod measure;
pub mod media;
pub mod page;
pub mod paint;
pub mod panic;
pub mod print;
pub mod sight;
pub mod size;
pub mod storage;
pub mod style;

fn window() -> Option<web_sys::Window> {
    web_sys::window()
}

fn document() -> Option<web_sys::Document> {
    window()?.document()
}

fn root() -> Option<web_sys::HtmlElement> {
    use wasm_bindgen::JsCast;
    document()?.document_element()?.dyn_into().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn look(dir: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("browser") {
                look(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                if text.contains("web_sys") || text.contains("inner_html") {
                    found.push(path.display().to_string());
                }
            }
        }
    }

    #[test]
    fn nothing_else_opens_the_door_or_makes_markup_of_text() {
        let mut found = Vec::new();
        look(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        assert!(found.is_empty(), "{found:?}");
    }
}
