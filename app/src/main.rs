//! Northsouth's page. The model is `northsouth`'s: here it is shown and steered.

mod browser;
mod components;
mod hooks;
mod pages;

use northsouth_app::{i18n, picture, state, view_model};

fn main() {
    browser::panic::watch();
    pages::open();
}
