//! The sentences of the model, a folder a language and a file an area. `text::Say` looks them up.
//!
//! A new area is a file in every folder and a line here; tests in `text` hold keys and arguments to the code and the
//! languages to each other.

use crate::text::Lang;

macro_rules! areas {
    ($($area:literal),* $(,)?) => {
        pub(crate) fn areas(lang: Lang) -> &'static [&'static str] {
            match lang {
                Lang::En => &[$(include_str!(concat!("en/", $area, ".txt"))),*],
                Lang::ZhCn => &[$(include_str!(concat!("zh-CN/", $area, ".txt"))),*],
            }
        }
    };
}

areas![
    "iptables",
    "matches",
    "nft",
    "host",
    "route",
    "link",
    "trace",
    "texts",
    "manifest",
    "load_balancer",
    "kube_proxy",
    "envoy",
    "istio",
    "console",
    "share",
    "exercise",
    "lesson"
];
