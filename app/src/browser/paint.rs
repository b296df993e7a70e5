//! Pictures as pixels.

use js_sys::encode_uri_component;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement};

use super::disk;

/// An SVG as a PNG, with so many pixels for each of its own. Nothing where the browser does not paint it.
pub fn png(svg: &str, scale: u32, then: impl FnOnce(Option<Vec<u8>>) + 'static) {
    let address = address(svg);
    wasm_bindgen_futures::spawn_local(async move {
        match painted(&address, scale).await {
            Some(canvas) => blob(&canvas, then),
            None => then(None),
        }
    });
}

/// An SVG as an image's address.
pub fn address(svg: &str) -> String {
    format!(
        "data:image/svg+xml;charset=utf-8,{}",
        String::from(encode_uri_component(svg))
    )
}

async fn painted(address: &str, scale: u32) -> Option<HtmlCanvasElement> {
    let image = HtmlImageElement::new().ok()?;
    image.set_src(address);
    JsFuture::from(image.decode()).await.ok()?;
    let element = super::document()?.create_element("canvas").ok()?;
    let canvas: HtmlCanvasElement = element.dyn_into().ok()?;
    let (width, height) = (
        image.natural_width() * scale,
        image.natural_height() * scale,
    );
    canvas.set_width(width);
    canvas.set_height(height);
    let context = canvas.get_context("2d").ok()??;
    let context: CanvasRenderingContext2d = context.dyn_into().ok()?;
    context
        .draw_image_with_html_image_element_and_dw_and_dh(
            &image,
            0.0,
            0.0,
            width.into(),
            height.into(),
        )
        .ok()?;
    Some(canvas)
}

fn blob(canvas: &HtmlCanvasElement, then: impl FnOnce(Option<Vec<u8>>) + 'static) {
    let done = Closure::once_into_js(move |blob: Option<Blob>| match blob {
        Some(blob) => disk::bytes(&blob, |bytes| then(Some(bytes))),
        None => then(None),
    });
    let _ = canvas.to_blob(done.unchecked_ref());
}
