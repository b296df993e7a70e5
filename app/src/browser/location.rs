//! The page's address: its fragment chooses what the page shows (`pages::route`).

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::events::{Listener, listen};

/// What follows the `#` of the address, without it. A `/` before it is passed over: links within the page carry one, so
/// that who looks at links takes them for pages and not for places on this one.
pub fn fragment() -> String {
    let hash = super::window().and_then(|w| w.location().hash().ok());
    let hash = hash.unwrap_or_default();
    let hash = hash.strip_prefix('#').unwrap_or(&hash);
    hash.strip_prefix('/').unwrap_or(hash).to_string()
}

/// Calls back with the new fragment when a link, the visitor or the browser's history changes it, until dropped.
pub fn watch(then: impl Fn(String) + 'static) -> Option<Listener> {
    let window = super::window()?;
    Some(listen(&window, "hashchange", move |_| then(fragment())))
}

/// Goes to another page, by its fragment.
pub fn go(fragment: &str) {
    if let Some(window) = super::window() {
        let _ = window.location().set_hash(&format!("/{fragment}"));
    }
}

/// The page's own address, without query and fragment.
pub fn base() -> String {
    let href = super::window().and_then(|w| w.location().href().ok());
    let href = href.unwrap_or_default();
    href.split(['#', '?'])
        .next()
        .unwrap_or_default()
        .to_string()
}

/// The value of `?src=`: a file beside the page that is to be opened.
pub fn source() -> Option<String> {
    let query = super::window()?.location().search().ok()?;
    let all = query.strip_prefix('?')?.split('&');
    let value = all.filter_map(|pair| pair.strip_prefix("src=")).next()?;
    decode(value)
}

/// The bytes of a file of the page's own origin, by its address relative to the page.
pub fn fetch(address: String, then: impl FnOnce(Option<Vec<u8>>) + 'static) {
    wasm_bindgen_futures::spawn_local(async move { then(try_fetch(&address).await) });
}

async fn try_fetch(address: &str) -> Option<Vec<u8>> {
    let window = super::window()?;
    let url = web_sys::Url::new_with_base(address, &base()).ok()?;
    // The page's policy refuses it too; like this there is no error on the console.
    if url.origin() != window.location().origin().ok()? {
        return None;
    }
    let response = JsFuture::from(window.fetch_with_str(&url.href()))
        .await
        .ok()?;
    let response: web_sys::Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// What `encodeURIComponent` made of a text.
pub fn decode(value: &str) -> Option<String> {
    js_sys::decode_uri_component(value).ok().map(String::from)
}

/// The address of a file beside the page.
pub fn beside(name: &str) -> String {
    let base = base();
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{name}")
}
