//! Content that is fetched when it is needed, see `northsouth::content`. A pack is a folder's files in one, among the page's
//! own files.

use std::cell::RefCell;

use northsouth::content;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Response;

use crate::state::prepared;

thread_local! {
    /// The packs that are there.
    static FETCHED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// See [`prepared::prepare`]. To be called in a program of which nothing else was run.
#[wasm_bindgen]
pub fn prepare(pack: String) -> bool {
    prepared::prepare(pack)
}

/// Takes a pack that the page's boot has fetched. Whether it is one.
#[wasm_bindgen]
pub fn take(name: String, pack: String) -> bool {
    let taken = content::add(pack);
    if taken {
        FETCHED.with_borrow_mut(|all| all.push(name));
    }
    taken
}

/// Fetches those of the packs that are not there, then goes on with whether all are. At once where none is missing.
pub fn with(packs: Vec<String>, then: impl FnOnce(bool) + 'static) {
    let missing: Vec<_> = packs.into_iter().filter(|p| !is_there(p)).collect();
    if missing.is_empty() {
        then(true);
    } else {
        spawn_local(async move { then(fetch_all(&missing).await) });
    }
}

fn is_there(pack: &str) -> bool {
    FETCHED.with_borrow(|all| all.iter().any(|p| p == pack))
}

async fn fetch_all(packs: &[String]) -> bool {
    // All are asked for before the first is waited for.
    let asked: Vec<_> = packs.iter().map(|pack| ask(pack)).collect();
    let mut whole = true;
    for (pack, answer) in packs.iter().zip(asked) {
        let taken = match answer {
            Some(answer) => text(answer).await.is_some_and(content::add),
            None => false,
        };
        match taken {
            true => FETCHED.with_borrow_mut(|all| all.push(pack.clone())),
            false => whole = false,
        }
    }
    whole
}

fn ask(pack: &str) -> Option<JsFuture> {
    let address = format!("{}{pack}.txt", base()?);
    Some(super::window()?.fetch_with_str(&address).into())
}

async fn text(answer: JsFuture) -> Option<String> {
    let answer: Response = answer.await.ok()?.dyn_into().ok()?;
    if !answer.ok() {
        return None;
    }
    JsFuture::from(answer.text().ok()?).await.ok()?.as_string()
}

/// Where the packs of this build are, as the page says.
fn base() -> Option<String> {
    let said = super::document()?
        .query_selector("meta[name=content]")
        .ok()??;
    said.get_attribute("content")
}
