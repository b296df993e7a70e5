//! Time, as the browser has it.

use gloo_timers::callback::{Interval, Timeout};

/// Milliseconds since the page was opened.
pub fn now() -> f64 {
    super::window()
        .and_then(|w| w.performance())
        .map_or(0.0, |p| p.now())
}

/// The date and time of day, as ISO 8601 writes it.
pub fn date() -> String {
    js_sys::Date::new_0().to_iso_string().into()
}

/// Calls back every so many milliseconds until dropped.
pub fn every(milliseconds: u32, then: impl FnMut() + 'static) -> Interval {
    Interval::new(milliseconds, then)
}

/// Calls back once, unless dropped before.
pub fn after(milliseconds: u32, then: impl FnOnce() + 'static) -> Timeout {
    Timeout::new(milliseconds, then)
}
