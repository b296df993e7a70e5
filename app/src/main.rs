//! Northsouth's page. The model is `northsouth`'s: here it is shown and steered.

mod browser;
mod components;
mod hooks;
mod i18n;
mod pages;
mod state;
mod view_model;

fn main() {
    browser::panic::watch();
    pages::open();
}
