//! What the page knows and what it shows, without a browser: its state, its words, the layout of its map, and pictures of it.
//! The page draws with it, and so does the terminal.

pub mod i18n;
pub mod picture;
pub mod state;
pub mod view_model;
