use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};
use yew::prelude::*;

use super::Props;
use super::modal::Modal;
use crate::browser::location;
use crate::i18n::course::course;
use crate::state::Event;
use crate::view_model::share;

/// White around the code, in modules, as readers want it.
const QUIET: i32 = 4;

/// The page as it stands as a picture that a telephone reads.
#[component]
pub fn QrDialog(props: &Props) -> Html {
    let state = &props.state;
    let words = course(state.settings.lang);
    let link = share::address(state, &location::base());
    html! {
        <Modal id="qr" small=true back="share-button" title={words.qr} close={props.words().close} onclose={props.on(Event::DialogClosed)}>
            if let Some((size, path)) = code(&link) {
                <svg class="qr" role="img" aria-label={words.qr_about} viewBox={format!("0 0 {size} {size}")}
                    shape-rendering="crispEdges">
                    <rect width={size.to_string()} height={size.to_string()} fill="#ffffff" />
                    <path d={path} fill="#000000" />
                </svg>
                <p class="snippet">{ &link }</p>
            } else {
                <p>{ words.qr_too_long }</p>
            }
        </Modal>
    }
}

/// The side of the picture and the dark modules as a path; `None` for a text that no code holds.
fn code(text: &str) -> Option<(i32, String)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{},{}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Some((code.size() + 2 * QUIET, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_code_and_a_book_does_not() {
        let (size, path) = code("https://example.org/#lesson=05-dnat").unwrap();
        assert_eq!(size, 29 + 2 * QUIET);
        // The corner of the finder pattern, inside of the quiet zone.
        assert!(path.starts_with("M4,4h1v1h-1z"));
        assert!(code(&"x".repeat(3000)).is_none());
    }
}
