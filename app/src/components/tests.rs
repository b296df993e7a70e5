//! The main components as HTML, natively.

use std::rc::Rc;

use futures::executor::block_on;
use northsouth::text::Lang;
use northsouth::trace::{Field, Role};
use northsouth::workspace::{DEFAULT, Scenario, Workspace};
use yew::prelude::*;
use yew::virtual_dom::VNode;

use super::controls::controls;
use super::files::files_pane;
use super::inspector::inspector;
use super::line::TimeLine;
use super::map::MapView;
use super::probe::ProbePanel;
use super::prose::quoting;
use super::steps::Steps;
use super::tour::tour_card;
use super::{Props, Same};
use crate::state::{Event, Settings, State};

fn scenario() -> Workspace {
    Scenario::find(DEFAULT).unwrap().workspace().unwrap()
}

fn opened(workspace: Workspace) -> State {
    State::new(scenario(), workspace, Settings::for_languages(&[]))
}

/// The page at the first step that is as wanted.
fn at(mut state: State, wanted: impl Fn(&State, usize) -> bool) -> State {
    let found = (0..state.walk.len())
        .find(|at| wanted(&state, *at))
        .unwrap();
    state.after(Event::StepChosen(found));
    state
}

fn destination_changes(state: &State) -> usize {
    let changed = |m: &crate::view_model::walk::Moment| {
        let host = state.run.world.host(m.place.host).unwrap();
        &*host.name == "work001" && m.changed.contains(&Field::Destination)
    };
    state.walk.moments.iter().position(changed).unwrap()
}

#[derive(Clone, Properties)]
struct Shown {
    props: Props,
    draw: fn(&Props) -> VNode,
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.props == other.props
    }
}

#[component]
fn Show(shown: &Shown) -> Html {
    (shown.draw)(&shown.props)
}

fn html(state: State, draw: fn(&Props) -> VNode) -> String {
    let props = Props {
        state: Same(Rc::new(state)),
        send: Callback::noop(),
    };
    let renderer = yew::LocalServerRenderer::<Show>::with_props(Shown { props, draw });
    block_on(renderer.hydratable(false).render())
}

/// All text of it, without tags.
fn text(html: &str) -> String {
    let pieces = html
        .split('<')
        .map(|p| p.split_once('>').map_or(p, |(_, text)| text));
    let text: Vec<_> = pieces.filter(|t| !t.trim().is_empty()).collect();
    let text = text.join(" ");
    text.replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&amp;", "&")
}

#[test]
fn the_inspector_shows_what_changed_and_what_was_passed_over() {
    let state = at(opened(scenario()), |s, at| at == destination_changes(s));
    let shown = html(state, inspector);
    assert!(
        shown.contains("<del>") && shown.contains("<ins>"),
        "{shown}"
    );
    let text = text(&shown);
    assert!(
        text.contains("192.168.0.17:31061") && text.contains("172.20.1.157:80"),
        "{text}"
    );

    let dnat = |s: &State, at: usize| crate::view_model::explain::title(s, at).contains("→ DNAT");
    let state = at(opened(scenario()), dnat);
    let shown = html(state, inspector);
    assert!(shown.contains("-s 172.20.1.157/32"), "{shown}");
    assert!(
        shown.contains("nodes/work001/iptables-save.txt:"),
        "{shown}"
    );
}

#[test]
fn the_list_of_steps_is_the_whole_walk_in_both_languages() {
    for lang in Lang::ALL {
        let mut state = opened(scenario());
        state.after(Event::LanguageChosen(lang));
        let count = state.walk.len();
        let shown = html(
            state,
            |p| html! { <Steps base={p.clone()} explained=false /> },
        );
        assert_eq!(shown.matches("<li").count(), count);
        assert_eq!(shown.matches("aria-current=\"step\"").count(), 1);
        let ends = match lang {
            Lang::En => "Delivered.",
            Lang::ZhCn => "已送达。",
        };
        assert!(text(&shown).contains(ends));
    }
}

#[test]
fn the_map_names_every_machine_and_says_where_the_packet_is() {
    let state = at(opened(scenario()), |s, at| at == destination_changes(s));
    let shown = html(state, |p| html! { <MapView ..p.clone() /> });
    for name in ["client", "slb", "vpc", "work001", "work002", "cni0", "eth0"] {
        assert!(shown.contains(name), "{name}");
    }
    assert!(
        shown.contains("PREROUTING nat, work001: the packet is here"),
        "{shown}"
    );
    assert!(shown.contains("KUBE-SEP-EW7Y…"), "{shown}");
    assert!(
        !shown.contains("style="),
        "the page's policy refuses style attributes"
    );
}

#[test]
fn a_text_with_markup_stays_text() {
    let mut workspace = scenario();
    let at = workspace
        .files
        .iter()
        .position(|f| f.name.ends_with("work001/ip-route.txt"));
    let at = at.unwrap();
    let hostile = "<script>alert(1)</script> via <img src=x onerror=alert(1)>\n";
    workspace.files[at] = northsouth::text::File::new(&workspace.files[at].name, hostile);
    let mut state = opened(workspace);
    state.after(Event::FileChosen(at));
    for shown in [
        html(state.clone(), files_pane),
        html(state, |p| html! { <MapView ..p.clone() /> }),
    ] {
        assert!(
            !shown.contains("<script") && !shown.contains("<img"),
            "{shown}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_listed_with_its_place() {
    let mut workspace = scenario();
    let at = workspace
        .files
        .iter()
        .position(|f| f.name.ends_with("work001/ip-route.txt"));
    let at = at.unwrap();
    workspace.files[at] =
        northsouth::text::File::new(&workspace.files[at].name, "10.0.0.0/33 dev eth0\n");
    let shown = html(opened(workspace), files_pane);
    assert!(shown.contains("nodes/work001/ip-route.txt:1:1"), "{shown}");
}

#[test]
fn what_a_sentence_quotes_is_code() {
    let shown = |draw: fn(&Props) -> VNode| html(opened(scenario()), draw);
    assert_eq!(
        shown(|_| quoting("no `-j *` here, but `a`")),
        "no <code>-j *</code> here, but <code>a</code>"
    );
    assert_eq!(shown(|_| quoting("an open ` stays")), "an open ` stays");
}

#[test]
fn a_dropped_packet_says_which_rule_dropped_it() {
    let mut workspace = scenario();
    let mut files = workspace.files.iter_mut();
    let file = files.find(|f| f.name.ends_with("work001/iptables-save.txt"));
    let file = file.unwrap();
    let rule = "-A FORWARD -s 203.0.113.9/32 -j DROP\n";
    let first = file.text.find("[0:0] -A FORWARD ").unwrap();
    let edited = format!("{}{rule}{}", &file.text[..first], &file.text[first..]);
    *file = northsouth::text::File::new(&file.name, &edited);
    let state = at(opened(workspace), |s, at| at + 1 == s.walk.len());
    let written = crate::view_model::explain::lit(&state).unwrap();
    let lit = state.run.files[written.file.index()]
        .slice(written)
        .to_string();
    let told = text(&html(state, inspector));
    assert_eq!(lit.trim(), rule.trim());
    for part in [
        "Dropped",
        "FORWARD 1 → DROP",
        "source is 203.0.113.9",
        "iptables-save.txt:",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn every_part_of_the_page_is_drawn_at_every_step_of_any_walk() {
    let parts: [fn(&Props) -> VNode; 7] = [
        inspector,
        |p| html! { <TimeLine ..p.clone() /> },
        controls,
        |p| html! { <MapView ..p.clone() /> },
        |p| html! { <ProbePanel ..p.clone() /> },
        |props| tour_card(props, None),
        files_pane,
    ];
    let mut empty = scenario();
    empty.files.truncate(1);
    for workspace in [scenario(), empty] {
        let mut state = opened(workspace);
        state.after(Event::TourOpened(0));
        for at in (0..state.walk.len().max(1)).step_by(3) {
            state.after(Event::StepChosen(at));
            for part in parts {
                assert!(!html(state.clone(), part).is_empty());
            }
        }
    }
}

#[test]
fn the_walk_is_there_and_back() {
    let state = opened(scenario());
    let roles: Vec<Role> = state.walk.moments.iter().map(|m| m.role).collect();
    assert_eq!(roles.first(), Some(&Role::Request));
    assert!(roles.contains(&Role::Reply));
}
