//! How an embedded page shows, by its address: `embed.html#scenario=NAME&step=12&theme=dark`.

use northsouth::text::Lang;

use crate::state::Theme;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedOptions {
    /// Counted from 1, as the page counts; also in `link`s, over what the link says.
    pub step: Option<usize>,
    pub autoplay: bool,
    pub no_controls: bool,
    /// The files can be opened and edited.
    pub editable: bool,
    pub collapsed: bool,
    pub theme: Theme,
    pub lang: Option<Lang>,
    /// The origin of the page around, which alone may call.
    pub origin: Option<String>,
}

impl EmbedOptions {
    /// Reads what it knows and passes over the rest.
    pub fn of(fragment: &str, decode: impl Fn(&str) -> Option<String>) -> Self {
        let mut options = EmbedOptions::default();
        for word in fragment.split('&') {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let on = value != "off";
            match name {
                "step" => options.step = value.parse().ok(),
                "autoplay" => options.autoplay = on,
                "controls" => options.no_controls = !on,
                "editable" => options.editable = on,
                "collapsed" => options.collapsed = on,
                "theme" => options.theme = Theme::named(value),
                "lang" => options.lang = Lang::ALL.into_iter().find(|l| l.tag() == value),
                "origin" => options.origin = decode(value),
                _ => {}
            }
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fragment: &str) -> EmbedOptions {
        EmbedOptions::of(fragment, |value| Some(value.replace("%3A", ":")))
    }

    #[test]
    fn options_are_read_and_nonsense_is_passed_over() {
        let options = of(
            "scenario=article&step=12&autoplay&controls=off&editable&collapsed&theme=dark&lang=zh-CN&origin=https%3A//a.b",
        );
        assert_eq!(options.step, Some(12));
        assert!(options.autoplay && options.no_controls && options.editable && options.collapsed);
        assert_eq!(
            (options.theme, options.lang),
            (Theme::Dark, Some(Lang::ZhCn))
        );
        assert_eq!(options.origin.as_deref(), Some("https://a.b"));
        assert_eq!(
            of("step=-1&theme=pink&lang=tlh&x=y&&="),
            EmbedOptions::default()
        );
    }
}
