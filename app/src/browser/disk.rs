//! Files of the visitor's own: what they choose to open, and what they save.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Event, File, HtmlAnchorElement, HtmlInputElement, Url};

/// Hands a file to the browser, to be kept where the visitor keeps files.
pub fn save(name: &str, kind: &str, bytes: &[u8]) {
    let _ = try_save(name, kind, bytes);
}

fn try_save(name: &str, kind: &str, bytes: &[u8]) -> Option<()> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let parts = Array::of1(&Uint8Array::from(bytes));
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    let element = super::document()?.create_element("a").ok()?;
    let link: HtmlAnchorElement = element.dyn_into().ok()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The browser has begun to read it by then.
    super::clock::after(10_000, move || {
        let _ = Url::revoke_object_url(&url);
    })
    .forget();
    Some(())
}

/// The bytes of the file that was chosen in an `<input type="file">`.
pub fn chosen(event: &Event, then: impl FnOnce(Vec<u8>) + 'static) {
    let input = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
    let file = input.and_then(|i| i.files()).and_then(|files| files.get(0));
    if let Some(file) = file {
        bytes(&file, then);
    }
}

/// The names and texts of all files that were chosen in an `<input type="file">`. Bytes that are not UTF-8 are replaced.
pub fn texts(event: &Event, then: impl FnOnce(Vec<(String, String)>) + 'static) {
    contents(event, |files| {
        let text =
            |(path, bytes): (String, Vec<u8>)| (path, String::from_utf8_lossy(&bytes).into_owned());
        then(files.into_iter().map(text).collect());
    });
}

/// The names and bytes of all files that were chosen.
pub fn contents(event: &Event, then: impl FnOnce(Vec<(String, Vec<u8>)>) + 'static) {
    let input = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
    let Some(files) = input.and_then(|i| i.files()) else {
        return;
    };
    wasm_bindgen_futures::spawn_local(async move {
        let mut read = Vec::new();
        for at in 0..files.length() {
            if let Some(file) = files.get(at)
                && let Ok(buffer) = JsFuture::from(file.array_buffer()).await
            {
                read.push((path(&file), Uint8Array::new(&buffer).to_vec()));
            }
        }
        then(read);
    });
}

/// Within the folder that was chosen, where one was.
fn path(file: &File) -> String {
    let within = Reflect::get(file, &"webkitRelativePath".into()).ok();
    let within = within.and_then(|path| path.as_string());
    within
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| file.name())
}

/// A file's bytes; nothing where it cannot be read.
pub fn bytes(blob: &Blob, then: impl FnOnce(Vec<u8>) + 'static) {
    let read = blob.array_buffer();
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(buffer) = JsFuture::from(read).await {
            then(Uint8Array::new(&buffer).to_vec());
        }
    });
}
