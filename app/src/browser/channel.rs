//! What windows of this page tell each other: short texts, heard by every other one.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

const NAME: &str = "northsouth.present";

/// An open channel, until dropped.
pub struct Channel {
    channel: BroadcastChannel,
    _hear: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// `None` where the browser has none.
    pub fn open(hear: impl Fn(String) + 'static) -> Option<Channel> {
        let channel = BroadcastChannel::new(NAME).ok()?;
        let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                hear(text);
            }
        });
        channel.set_onmessage(Some(hear.as_ref().unchecked_ref()));
        Some(Channel {
            channel,
            _hear: hear,
        })
    }

    pub fn tell(&self, text: &str) {
        let _ = self.channel.post_message(&text.into());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

/// Opens another page of ours, by its fragment, in a window of its own beside this one.
pub fn window(fragment: &str) {
    if let Some(window) = super::window() {
        let address = format!("{}#/{fragment}", super::location::base());
        let _ = window.open_with_url_and_target_and_features(
            &address,
            "northsouth-notes",
            "popup,width=640,height=760",
        );
    }
}
