use northsouth::workspace::{DEFAULT, Scenario, Workspace};

use super::*;
use crate::view_model::balancer::{self, Mode};
use crate::view_model::map::geometry::Rect;
use crate::view_model::map::{Map, Shape, Sight};
use crate::view_model::stride::{Stride, Way};
use crate::view_model::{explain, walk};

fn scenario() -> Workspace {
    Scenario::find(DEFAULT).unwrap().workspace().unwrap()
}

fn opened() -> State {
    State::new(scenario(), scenario(), Settings::for_languages(&[]))
}

fn file(state: &State, name: &str) -> usize {
    let files = &state.workspace.files;
    files.iter().position(|f| f.name.ends_with(name)).unwrap()
}

fn edit(state: &mut State, name: &str, from: &str, to: &str, at: f64) {
    let file = file(state, name);
    let text = state.workspace.files[file].text.replace(from, to);
    state.after(Event::Edited { file, text, at });
}

#[test]
fn typing_is_undone_as_one_and_redone() {
    let mut state = opened();
    let before = state.workspace.clone();
    edit(
        &mut state,
        "work001/ip-route.txt",
        "default",
        "defaul",
        1000.0,
    );
    edit(
        &mut state,
        "work001/ip-route.txt",
        "defaul ",
        "default ",
        1200.0,
    );
    edit(
        &mut state,
        "work001/ip-route.txt",
        "default ",
        "default  ",
        1400.0,
    );
    let typed = state.workspace.clone();
    state.after(Event::Undone);
    assert_eq!(state.workspace, before);
    assert!(!state.history.can_undo());
    state.after(Event::Redone);
    assert_eq!(state.workspace, typed);
    edit(&mut state, "work002/ip-route.txt", "default", "def", 1500.0);
    state.after(Event::Undone);
    assert_eq!(state.workspace, typed, "another file is another edit");
}

#[test]
fn an_edit_keeps_the_step_where_the_way_to_it_did_not_change() {
    let mut state = opened();
    state.after(Event::StepChosen(12));
    let forward = "-A FORWARD -m comment";
    let drop = "-A FORWARD -s 203.0.113.9/32 -j DROP\n[0:0] -A FORWARD -m comment";
    edit(&mut state, "work001/iptables-save.txt", forward, drop, 0.0);
    assert_eq!(state.cursor, 12);
    state.after(Event::Undone);
    let last = state.walk.len() - 1;
    state.after(Event::StepChosen(last));
    edit(
        &mut state,
        "work001/iptables-save.txt",
        forward,
        drop,
        5000.0,
    );
    let here = &state.walk.moments[state.cursor];
    let host = state.run.world.host(here.place.host).unwrap();
    assert_eq!(
        &*host.name, "work001",
        "else the first step that is another"
    );
    assert!(state.cursor < last);
}

#[test]
fn the_forwarding_switch_edits_the_file_and_can_be_undone() {
    let mut state = opened();
    for mode in Mode::ALL {
        state.after(Event::ForwardingChosen(mode));
        assert_eq!(balancer::mode(&state.run.world), Some(mode));
        assert!(
            state
                .workspace
                .file("load-balancer.yaml")
                .unwrap()
                .text
                .contains(mode.name())
        );
    }
    state.after(Event::EverythingReset);
    assert_eq!(*state.workspace, scenario());
    state.after(Event::Undone);
    assert_eq!(balancer::mode(&state.run.world), Some(Mode::FullNat));
}

#[test]
fn every_paragraph_of_the_tour_finds_its_own_step() {
    let mut state = opened();
    let mut seen = Vec::new();
    for at in 0..crate::tour::STOPS.len() {
        state.after(Event::TourOpened(at));
        let stop = &crate::tour::STOPS[at];
        let found = stop.find(&state.run, &state.walk);
        assert_eq!(found, Some(state.cursor), "paragraph {at}");
        let seen_now = (stop.mode.name(), state.cursor);
        assert!(
            !seen.contains(&seen_now),
            "paragraph {at} shows what another shows"
        );
        seen.push(seen_now);
    }
}

#[test]
fn any_event_at_any_time_leaves_a_state_that_can_be_shown() {
    let mut state = opened();
    for event in [
        Event::StepChosen(usize::MAX),
        Event::SteppedForward,
        Event::Ticked,
        Event::Strode(Stride::Over, Way::Forward),
        Event::Strode(Stride::Machine, Way::Back),
        Event::Strode(Stride::Breakpoint, Way::Forward),
        Event::PlayToggled,
        Event::FileChosen(usize::MAX),
        Event::TourOpened(usize::MAX),
        Event::FileReset(usize::MAX),
        Event::Edited {
            file: usize::MAX,
            text: String::new(),
            at: 0.0,
        },
        Event::KeptOpened("nonsense".into()),
        Event::FilesResized(u32::MAX),
        Event::Undone,
        Event::Redone,
    ] {
        state.after(event);
        assert!(state.cursor < state.walk.len());
        assert!(state.file < state.run.files.len());
    }
}

fn map(state: &State, width: i32) -> Map {
    let words = crate::i18n::words(state.settings.lang);
    let open = explain::open_place(state);
    let drawer = explain::drawer(state, &open, words);
    let sight = Sight {
        world: &state.run.world,
        walk: &state.walk,
        cursor: state.cursor,
        open: &open,
        drawer: &drawer,
        words,
    };
    Map::of(&sight, width)
}

/// Boxes, cards and the tag: what holds text.
fn solid(map: &Map) -> Vec<(String, Rect)> {
    let mut solid: Vec<(String, Rect)> = map
        .boxes
        .iter()
        .map(|b| (b.title.clone(), b.rect))
        .collect();
    if let Some(drawer) = &map.drawer {
        solid.extend(drawer.cards.iter().map(|c| (c.card.title.clone(), c.rect)));
        solid.extend(
            drawer
                .tag
                .iter()
                .map(|(rect, _)| ("tag".to_string(), *rect)),
        );
    }
    solid
}

#[test]
fn nothing_overlaps_on_the_map_at_any_step_and_width() {
    let mut state = opened();
    for step in 0..state.walk.len() {
        state.after(Event::StepChosen(step));
        for width in [300, 612, 690, 1100] {
            let map = map(&state, width);
            let solid = solid(&map);
            let all = Rect::new(0, 0, map.width, map.height);
            for (at, (name, rect)) in solid.iter().enumerate() {
                assert!(
                    all.contains(*rect),
                    "{name} sticks out at step {step}, width {width}"
                );
                for (other, box_) in &solid[at + 1..] {
                    assert!(
                        !rect.overlaps(*box_),
                        "{name} and {other} at step {step}, width {width}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_wire_runs_through_a_box() {
    let mut state = opened();
    for step in 0..state.walk.len() {
        state.after(Event::StepChosen(step));
        let map = map(&state, 690);
        for wire in &map.wires {
            let ends = [wire.from, wire.to];
            for pair in map.path(wire).windows(2) {
                let (x, y) = (pair[0].x.min(pair[1].x), pair[0].y.min(pair[1].y));
                let line = Rect::new(
                    x,
                    y,
                    (pair[0].x - pair[1].x).abs().max(1),
                    (pair[0].y - pair[1].y).abs().max(1),
                );
                for (at, b) in map.boxes.iter().enumerate() {
                    let inner = Rect::new(b.rect.x + 1, b.rect.y + 1, b.rect.w - 2, b.rect.h - 2);
                    // A veth's end stands on its pod.
                    let own = ends.contains(&at) || b.shape == Shape::Pod;
                    let ends = ends.map(|at| &map.boxes[at].title);
                    assert!(
                        own || !line.overlaps(inner),
                        "{ends:?} runs through {} at step {step}",
                        b.title
                    );
                }
            }
        }
    }
}

#[test]
fn a_map_of_many_nodes_and_pods_holds_together() {
    use northsouth::topology::{Host, HostKind};
    let mut state = opened();
    let mut run = (*state.run).clone();
    for node in 0..50 {
        run.world
            .hosts
            .push(Host::new(&format!("node{node}"), HostKind::Node));
        for pod in 0..20 {
            let mut host = Host::new(&format!("pod{node}-{pod}"), HostKind::Pod);
            host.node = Some(format!("node{node}").as_str().into());
            run.world.hosts.push(host);
        }
    }
    state.run = run.into();
    let drawn = map(&state, 690);
    assert!(drawn.boxes.len() < 200, "{} boxes", drawn.boxes.len());
    let solid = solid(&drawn);
    for (at, (name, rect)) in solid.iter().enumerate() {
        for (other, box_) in &solid[at + 1..] {
            assert!(!rect.overlaps(*box_), "{name} and {other}");
        }
    }
    assert!(walk::before(&state.run.trace, Position::default()).is_some());
}
