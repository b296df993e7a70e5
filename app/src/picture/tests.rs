use northsouth::share;
use northsouth::text::{File, Lang};
use northsouth::workspace::{DEFAULT, Scenario, Workspace};

use super::*;
use crate::state::{Event, Settings};

fn scenario() -> Workspace {
    Scenario::find(DEFAULT).unwrap().workspace().unwrap()
}

fn opened(workspace: Workspace, lang: Lang) -> State {
    let settings = Settings {
        lang,
        ..Settings::for_languages(&[])
    };
    State::new(workspace.clone(), workspace, settings)
}

/// Its elements, each closed in its turn: that it is XML.
fn elements(xml: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    for piece in xml.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        assert!(
            !text.contains('>') || open.last() == Some(&"style".to_string()),
            "{piece}"
        );
        let name = tag.split([' ', '/']).find(|n| !n.is_empty()).unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "{piece}");
        } else {
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            all.push(name.to_string());
            if !tag.ends_with('/') {
                open.push(name.to_string());
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

fn words_of(xml: &str) -> String {
    let pieces = xml.split('<').filter_map(|p| p.split_once('>'));
    pieces.map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_picture_shows_the_step_and_says_it() {
    for lang in Lang::ALL {
        let mut state = opened(scenario(), lang);
        let dnat = |at: &usize| {
            let title = crate::view_model::explain::title(&state, *at);
            title.contains("DNAT") && title.contains("172.20.1.157")
        };
        let at = (0..state.walk.len()).find(dnat).unwrap();
        state.after(Event::StepChosen(at));
        let picture = still(&state, Look::default());
        let words = words_of(&picture);
        let said = crate::view_model::explain::title(&state, at);
        assert!(words.contains(&escaped(&said)), "{said} in {words}");
        for name in ["PREROUTING", "work001", "KUBE-SEP-EW7Y…"] {
            assert!(words.contains(name), "{name} in {words}");
        }
        assert!(picture.contains("class=\"packet\"") && picture.contains("class=\"tag\""));
        assert!(elements(&picture).starts_with(&["svg", "title", "desc"].map(String::from)));
        assert!(!picture.contains('\n'), "it goes into Markdown");
    }
}

#[test]
fn a_picture_needs_nothing_else() {
    let state = opened(scenario(), Lang::En);
    for picture in [
        still(&state, Look::default()),
        moving(&state, Look::default()),
    ] {
        for foreign in ["var(--", "color-mix", "<script", "href", "url(", "@import"] {
            assert!(!picture.contains(foreign), "{foreign}");
        }
    }
    let themed = |theme| {
        let look = Look {
            theme,
            ..Look::default()
        };
        still(&state, look)
    };
    let (light, dark) = ("#fbfaf7", "#15171c");
    assert!(!themed(Theme::Light).contains(dark));
    assert!(themed(Theme::Dark).contains(dark));
    let auto = themed(Theme::Auto);
    assert!(auto.contains(light) && auto.contains("prefers-color-scheme:dark"));
}

#[test]
fn a_picture_opens_as_the_workspace_that_it_shows() {
    let state = opened(scenario(), Lang::En);
    let shared = share::Shared {
        workspace: scenario(),
        base: None,
        step: 3,
        view: Vec::new(),
    };
    let data = share::link(&shared, None);
    let look = Look {
        carries: Some(&data),
        ..Look::default()
    };
    for picture in [still(&state, look), moving(&state, look)] {
        let opened = share::open(picture.as_bytes()).unwrap();
        assert_eq!(opened.over(None).unwrap().0, shared);
    }
}

#[test]
fn a_moving_picture_tells_the_walk_to_its_end() {
    let state = opened(scenario(), Lang::ZhCn);
    let picture = moving(&state, Look::default());
    elements(&picture);
    let words = words_of(&picture);
    let steps = crate::view_model::stride::key_steps(&state.run, &state.walk);
    let host = |at: Option<&usize>| at.map(|at| state.walk.moments[*at].place.host);
    assert!(steps.len() > 10);
    assert_eq!(host(steps.last()), host(steps.first()), "the answer came");
    for at in steps {
        let said = crate::view_model::explain::title(&state, at);
        assert!(words.contains(&escaped(&said)), "{said}");
    }
    assert!(picture.contains("prefers-reduced-motion:reduce"));
}

#[test]
fn markup_in_a_text_stays_text() {
    let evil = "</svg><script>alert(1)</script>\u{0}\u{1b}\"'&";
    let mut workspace = scenario();
    for file in &mut workspace.files {
        file.text = file
            .text
            .replace("work001", &format!("work001{evil}"))
            .into();
        file.name = file
            .name
            .replace("work001", &format!("work001{evil}"))
            .into();
    }
    workspace.files.push(File::new(evil, evil));
    workspace.probe.from = evil.to_string();
    for lang in Lang::ALL {
        let state = opened(workspace.clone(), lang);
        for picture in [
            still(&state, Look::default()),
            moving(&state, Look::default()),
            handout::walk(&state),
        ] {
            let names = elements(&picture);
            assert!(!names.contains(&"script".to_string()));
            assert!(!picture.contains(['\u{0}', '\u{1b}']));
        }
    }
}

#[test]
fn a_handout_has_the_map_at_each_step_with_its_text() {
    for lang in Lang::ALL {
        let state = opened(scenario(), lang);
        let handout = handout::walk(&state);
        let names = elements(&handout);
        let count = |name: &str| names.iter().filter(|n| *n == name).count();
        let steps = crate::view_model::stride::key_steps(&state.run, &state.walk).len();
        assert_eq!((count("figure"), count("h3")), (steps, steps));
        assert!(
            handout.contains("<del>182.92.251.227:80</del>"),
            "{handout}"
        );
    }
}

#[test]
fn a_lesson_is_handed_out_with_its_answers_apart() {
    let read = |lang| crate::state::Reading::of("03-node-port.md", lang).unwrap();
    for lang in Lang::ALL {
        let lesson = read(lang).lesson;
        let handout = handout::lesson(&lesson, lang);
        let names = elements(&handout);
        assert!(names.iter().filter(|n| *n == "figure").count() >= 3);
        let (text, answers) = handout.split_once("class=\"answers\"").unwrap();
        assert!(text.contains("class=\"question\""));
        assert!(
            answers.contains("<strong>KUBE-NODEPORTS</strong>"),
            "{answers}"
        );
    }
}

#[test]
fn a_packet_that_goes_in_circles_is_told_in_short() {
    let looping = Scenario::find("external-ip-loop").unwrap();
    let state = opened(looping.workspace().unwrap(), Lang::En);
    let steps = crate::view_model::stride::key_steps(&state.run, &state.walk);
    assert!(
        state.walk.len() > 400 && steps.len() < 40,
        "{}",
        steps.len()
    );
    let ended = state
        .walk
        .moments
        .iter()
        .rposition(|m| m.position.journey == 0);
    assert!(steps.contains(&ended.unwrap()), "where it ended is told");
}
