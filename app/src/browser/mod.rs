//! The only door to the browser. Nothing else in the app names `web_sys`, so what the page asks of a browser can be read
//! here, and views can be rendered natively.

pub mod clock;
pub mod editor;
pub mod events;
pub mod measure;
pub mod media;
pub mod page;
pub mod panic;
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
