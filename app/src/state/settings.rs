use northsouth::text::Lang;

/// How the viewer likes to read. Kept apart from the workspace: it is no part of what is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub lang: Lang,
    pub theme: Theme,
    pub speed: Speed,
    pub files_folded: bool,
    /// CSS pixels.
    pub files_width: u32,
    pub inspector_width: u32,
    /// Single keys do something.
    pub shortcuts: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    Light,
    Dark,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    Half,
    #[default]
    Normal,
    Double,
    Quadruple,
}

impl Theme {
    /// What is neither light nor dark is as the system has it.
    pub fn named(name: &str) -> Self {
        match name {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::Auto,
        }
    }

    /// As the page's root names it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Theme::Auto => None,
            Theme::Light => Some("light"),
            Theme::Dark => Some("dark"),
        }
    }
}

impl Speed {
    pub const ALL: [Speed; 4] = [Speed::Half, Speed::Normal, Speed::Double, Speed::Quadruple];

    pub fn label(self) -> &'static str {
        match self {
            Speed::Half => "0.5×",
            Speed::Normal => "1×",
            Speed::Double => "2×",
            Speed::Quadruple => "4×",
        }
    }

    /// How long a step is shown, in milliseconds.
    pub fn dwell(self) -> u32 {
        match self {
            Speed::Half => 2400,
            Speed::Normal => 1200,
            Speed::Double => 600,
            Speed::Quadruple => 300,
        }
    }
}

/// Narrower, a pane shows nothing useful; wider, it leaves the map no room.
pub const PANE_WIDTHS: std::ops::RangeInclusive<u32> = 220..=560;

impl Settings {
    /// For a first visit: the first language in the visitor's list that the page speaks.
    pub fn for_languages(languages: &[String]) -> Self {
        let lang = languages.iter().find_map(|tag| Lang::asked_for(tag));
        Self {
            lang: lang.unwrap_or_default(),
            theme: Theme::Auto,
            speed: Speed::Normal,
            files_folded: false,
            files_width: 344,
            inspector_width: 372,
            shortcuts: true,
        }
    }

    /// One line of words, as it is kept for the next visit.
    pub fn write(&self) -> String {
        format!(
            "{} {} {} {} {} {} {}",
            self.lang.tag(),
            self.theme.name().unwrap_or("auto"),
            self.speed.label(),
            if self.files_folded { "folded" } else { "open" },
            self.files_width,
            self.inspector_width,
            if self.shortcuts { "keys" } else { "no-keys" },
        )
    }

    /// Takes what can be read and leaves the rest as it is.
    pub fn read(mut self, line: &str) -> Self {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap_or("");
        let tag = next();
        if let Some(lang) = Lang::ALL.into_iter().find(|l| l.tag() == tag) {
            self.lang = lang;
        }
        self.theme = Theme::named(next());
        let label = next();
        if let Some(speed) = Speed::ALL.into_iter().find(|s| s.label() == label) {
            self.speed = speed;
        }
        self.files_folded = next() == "folded";
        let width = |read: &str, width: u32| match read.parse() {
            Ok(read) if PANE_WIDTHS.contains(&read) => read,
            _ => width,
        };
        self.files_width = width(next(), self.files_width);
        self.inspector_width = width(next(), self.inspector_width);
        self.shortcuts = next() != "no-keys";
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_visit(languages: &[&str]) -> Settings {
        let languages: Vec<_> = languages.iter().map(|l| l.to_string()).collect();
        Settings::for_languages(&languages)
    }

    #[test]
    fn the_first_language_that_the_page_speaks_is_chosen() {
        assert_eq!(first_visit(&["fr-FR", "zh-TW", "en"]).lang, Lang::ZhCn);
        assert_eq!(first_visit(&["en-GB", "zh"]).lang, Lang::En);
        assert_eq!(first_visit(&["de"]).lang, Lang::En);
        assert_eq!(first_visit(&[]).lang, Lang::En);
    }

    #[test]
    fn settings_survive_a_visit_and_nonsense_is_passed_over() {
        let mut settings = first_visit(&["zh"]);
        settings.theme = Theme::Dark;
        settings.speed = Speed::Double;
        settings.files_width = 300;
        assert_eq!(first_visit(&[]).read(&settings.write()), settings);
        assert_eq!(first_visit(&[]).read(""), first_visit(&[]));
        assert_eq!(
            first_visit(&[]).read("klingon blue ∞ open -4 99999"),
            first_visit(&[])
        );
    }
}
