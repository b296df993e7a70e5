use northsouth::text::Lang;
use northsouth::workspace::{DEFAULT, Scenario, Workspace};

use northsouth::text::File;
use northsouth::topology::HostId;
use northsouth::trace::Part;

use super::*;
use crate::view_model::balancer::{self, Mode};
use crate::view_model::explain;
use crate::view_model::map::geometry::{Point, Rect};
use crate::view_model::map::{Map, Shape, Sight};
use crate::view_model::predict::question;
use crate::view_model::stride::{Stride, Way};

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
    let text = state.workspace.files[file].text.replace(from, to).into();
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
fn every_stop_of_the_tour_finds_its_own_step() {
    let mut state = opened();
    let mut seen = Vec::new();
    for at in 0..12 {
        state.after(Event::TourOpened(at));
        assert_eq!(state.found(at), Some(state.cursor), "stop {at}");
        let seen_now = (state.workspace.clone(), state.cursor);
        assert!(
            !seen.contains(&seen_now),
            "stop {at} shows what another shows"
        );
        seen.push(seen_now);
    }
}

#[test]
fn a_lesson_shows_a_step_when_it_was_predicted() {
    let mut state = opened();
    state.reading = Reading::of("05-dnat.md", Lang::En).map(Rc::new);
    state.after(Event::TourOpened(0));
    assert!(Some(state.cursor) < state.found(0));
    let text = "172.20.1.157".to_string();
    let name = "to".to_string();
    state.after(Event::Answered { name, text });
    assert_eq!(Some(state.cursor), state.found(0));
    state.after(Event::LanguageChosen(Lang::ZhCn));
    let reading = state.reading.clone().unwrap();
    assert!(reading.lesson.title.contains('去') && reading.answers.len() == 1);
}

#[test]
fn an_exercise_is_judged_as_it_is_edited() {
    let mut state = opened();
    let task = Task::of("shadowed-route.md", Lang::En).unwrap();
    let solution = task.exercise.solutions[0].attempt.files.clone();
    state.after(Event::EverythingReset);
    state.task = Some(Rc::new(task.clone()));
    let mut workspace = task.exercise.start.clone();
    state.change(workspace.clone());
    assert!(!state.task.as_ref().unwrap().judgement.score.solved);
    state.after(Event::HintOpened);
    state.after(Event::GoalShown(0));
    assert!(state.cursor > 0);
    workspace.files = solution;
    state.change(workspace);
    let score = state.task.unwrap().judgement.score;
    assert!(score.solved && score.strokes == 2, "{score:?}");
}

#[test]
fn what_is_to_be_predicted_is_not_shown_before() {
    let mut state = opened();
    state.task = Task::of("what-the-pod-sees.md", Lang::En).map(Rc::new);
    state.after(Event::StepChosen(9));
    assert_eq!(state.cursor, 0);
    state.after(Event::Predicted);
    state.after(Event::StepChosen(9));
    assert_eq!(state.cursor, 9);
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
            text: "".into(),
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
        level: state.zoom.level,
        pods_of: state.pods_of,
        words,
    };
    Map::of(&sight, width)
}

#[test]
fn on_a_narrow_pane_a_machine_is_opened_below_its_own_row() {
    let map = map(&opened(), 390);
    let place = |name: &str| map.boxes.iter().find(|b| b.title == name).unwrap().rect;
    let drawer = map.drawer.as_ref().unwrap().rect;
    let (client, router) = (place("client"), place("vpc"));
    assert!(client.bottom() < drawer.y && drawer.bottom() < router.y);
    let line = |pair: &[Point]| {
        let (top, bottom) = (pair[0].y.min(pair[1].y), pair[0].y.max(pair[1].y));
        let right = pair[0].x.max(pair[1].x);
        right > drawer.x && top < drawer.bottom() && bottom > drawer.y
    };
    for wire in &map.wires {
        let path = map.path(wire);
        assert!(!path.windows(2).any(line), "{path:?} through {drawer:?}");
    }
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

/// Clusters of every kind, made of manifests.
fn clusters() -> Vec<(String, Workspace)> {
    let manifest = include_str!("tests/cluster.yaml");
    let mut all = Vec::new();
    let mut add = |name: String, text: String, probe: &str| {
        all.push((
            name,
            Workspace {
                files: vec![File::new("cluster.yaml", &text)],
                probe: northsouth::workspace::parse_probe(probe).unwrap(),
                seed: 1,
            },
        ));
    };
    let pod = "pod-of-probe tcp 172.21.9.9:80".replace("pod-of-probe", "work001");
    for plugin in ["bridge", "routed"] {
        for routes in ["vpc", "vxlan"] {
            let text = manifest
                .replace("plugin: bridge", &format!("plugin: {plugin}"))
                .replace("routes: vpc", &format!("routes: {routes}"));
            let local = text.clone();
            add(
                format!("{plugin} {routes}"),
                local,
                "client tcp 182.92.251.227:80",
            );
            let across = text.replace(
                "externalTrafficPolicy: Local",
                "externalTrafficPolicy: Cluster",
            );
            for seed in 1..3 {
                let across = across.replace("replicas: 2", &format!("replicas: {}", 3 * seed));
                add(
                    format!("{plugin} {routes} across {seed}"),
                    across,
                    "client tcp 182.92.251.227:80",
                );
            }
            let text = manifest.replace("v1.14.8", "v1.36.0");
            let text = text.replace("clusterCIDR:", "mode: nftables\nclusterCIDR:");
            add(format!("{plugin} {routes} nft"), text, &pod);
        }
    }
    let mut fifty = manifest.to_string();
    for at in 0..48 {
        fifty.push_str(&format!(
            "---\napiVersion: v1\nkind: Node\nmetadata: {{name: worker-with-a-long-name-{at}}}\nspec: {{podCIDR: 172.20.{}.0/25}}\nstatus: {{addresses: [{{type: InternalIP, address: 192.168.0.{}}}]}}\n",
            at + 10,
            at + 50
        ));
    }
    let fifty = fifty.replace("replicas: 2", "replicas: 60");
    add(
        "fifty nodes".to_string(),
        fifty,
        "client tcp 182.92.251.227:80",
    );
    let alone = manifest.replace("type: LoadBalancer", "type: NodePort");
    add(
        "no balancer".to_string(),
        alone,
        "client tcp 192.168.0.17:31061",
    );
    all
}

/// What holds at a step: everything is on the map, nothing overlaps, no wire runs through a box.
fn check_map(map: &Map, what: &str) {
    let solid = solid(map);
    let all = Rect::new(0, 0, map.width, map.height);
    for (at, (name, rect)) in solid.iter().enumerate() {
        assert!(all.contains(*rect), "{name} sticks out: {what}");
        for (other, box_) in &solid[at + 1..] {
            assert!(!rect.overlaps(*box_), "{name} and {other}: {what}");
        }
    }
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
                let own = ends.contains(&at)
                    || ends.iter().any(|end| {
                        let end = map.boxes[*end].rect;
                        b.shape == Shape::Pod
                            && b.rect.y == end.bottom()
                            && b.rect.x <= end.x
                            && end.x < b.rect.right()
                    });
                let ends = ends.map(|at| &map.boxes[at].title);
                assert!(
                    own || !line.overlaps(inner),
                    "{ends:?} runs through {}: {what}",
                    b.title
                );
            }
        }
    }
}

#[test]
fn the_map_of_any_cluster_holds_together_at_any_step_level_and_width() {
    let article = ("the article".to_string(), scenario());
    for (name, workspace) in clusters().into_iter().chain([article]) {
        let many = name == "fifty nodes";
        let mut state = State::new(scenario(), workspace, Settings::for_languages(&[]));
        assert!(state.walk.len() > 20, "{name}: {}", state.walk.len());
        let stride = if many { 17 } else { 1 };
        for step in (0..state.walk.len()).step_by(stride) {
            state.after(Event::StepChosen(step));
            for level in Level::ALL {
                state.zoom = Zoom::at(level);
                for width in [300, 390, 470, 690, 1100] {
                    let what = format!("{name}, step {step}, {level:?}, width {width}");
                    check_map(&map(&state, width), &what);
                }
            }
        }
        // Where the packet is not.
        for host in 0..state.run.world.hosts.len().min(12) {
            state.after(Event::PlaceOpened(Place {
                host: HostId::at(host),
                part: Part::Routing,
            }));
            state.after(Event::PodsOpened(HostId::at(host)));
            state.zoom = Zoom::default();
            for width in [390, 690] {
                check_map(&map(&state, width), &format!("{name}, host {host} open"));
            }
        }
    }
}

#[test]
fn the_packet_is_on_the_map_at_every_step_and_level() {
    for (name, workspace) in clusters() {
        let mut state = State::new(scenario(), workspace, Settings::for_languages(&[]));
        for step in (0..state.walk.len()).step_by(5) {
            state.after(Event::StepChosen(step));
            for level in Level::ALL {
                state.zoom = Zoom::at(level);
                assert!(
                    map(&state, 690).packet.is_some(),
                    "{name}, step {step}, {level:?}"
                );
            }
        }
    }
}

#[test]
fn the_packet_leads_until_one_looks_around_and_again_when_asked() {
    let mut state = opened();
    let place = state.walk.moments[30].place.clone();
    state.after(Event::PlaceOpened(place.clone()));
    state.after(Event::SteppedForward);
    assert_eq!(state.opened, Some(place.clone()));
    edit(&mut state, "work002/ip-route.txt", "default", "def", 0.0);
    assert_eq!(
        state.opened,
        Some(place),
        "an edit elsewhere changes no view"
    );
    state.after(Event::PacketFollowed);
    assert_eq!((state.opened.clone(), state.following), (None, true));
}

#[test]
fn a_map_of_many_nodes_and_pods_counts_what_it_does_not_draw() {
    let fifty = clusters()
        .into_iter()
        .find(|(name, _)| name == "fifty nodes");
    let mut fifty = fifty.unwrap().1;
    let text = fifty.files[0].text.replace("replicas: 60", "replicas: 400");
    fifty.files[0] = File::new("cluster.yaml", &text);
    let mut state = State::new(scenario(), fifty, Settings::for_languages(&[]));
    let last = state.walk.len() / 3;
    state.after(Event::StepChosen(last));
    let drawn = map(&state, 690);
    let nodes = drawn
        .boxes
        .iter()
        .filter(|b| b.shape == Shape::Node)
        .count();
    assert!(nodes >= 49, "{nodes} of fifty nodes are closed");
    let before = drawn.boxes.len();
    let more = drawn.boxes.iter().find(|b| b.shape == Shape::More).unwrap();
    state.after(Event::PodsOpened(more.place.host));
    assert!(map(&state, 690).boxes.len() > before);
}

#[test]
fn what_is_asked_has_one_right_answer_which_is_what_comes() {
    let article = ("the article".to_string(), scenario());
    for (name, workspace) in clusters()
        .into_iter()
        .chain([article])
        .filter(|(n, _)| n != "fifty nodes")
    {
        let mut state = State::new(scenario(), workspace, Settings::for_languages(&[]));
        let mut asked = 0;
        for lang in northsouth::text::Lang::ALL {
            state.after(Event::LanguageChosen(lang));
            let words = crate::i18n::words(lang);
            for at in 1..state.walk.len() {
                let Some(question) = question(&state, at, words) else {
                    continue;
                };
                asked += 1;
                let right = question.choices.iter().filter(|c| c.right).count();
                assert_eq!(right, 1, "{name}, step {at}: {question:?}");
                for (at, one) in question.choices.iter().enumerate() {
                    assert!(!one.text.is_empty());
                    let again = question.choices[..at]
                        .iter()
                        .any(|other| other.text == one.text);
                    assert!(!again, "{name}: {question:?}");
                }
            }
        }
        assert!(asked > 10, "{name}: {asked} questions");
    }
}

#[test]
fn a_step_is_asked_for_before_it_is_shown() {
    let mut state = opened();
    state.after(Event::PredictSet(true));
    let words = crate::i18n::words(state.settings.lang);
    let next = (1..state.walk.len()).find(|at| question(&state, *at, words).is_some());
    let next = next.unwrap();
    state.after(Event::StepChosen(next - 1));
    state.after(Event::PlayToggled);
    state.after(Event::Ticked);
    assert_eq!((state.cursor, state.playing), (next - 1, false));
    state.after(Event::Guessed(0));
    assert_eq!(state.cursor, next);
    assert_eq!(state.guess.map(|g| g.chosen), Some(Some(0)));
    state.after(Event::SteppedForward);
    assert_ne!(state.guess.map(|g| g.step), Some(next));
}

#[test]
fn chains_of_nftables_open_as_those_of_iptables_with_the_element_that_held() {
    let nft = clusters()
        .into_iter()
        .find(|(name, _)| name.ends_with("nft"));
    let mut state = State::new(scenario(), nft.unwrap().1, Settings::for_languages(&[]));
    let (mut cards, mut sets) = (0, 0);
    for at in 0..state.walk.len() {
        state.after(Event::StepChosen(at));
        let drawn = map(&state, 690);
        let drawn = drawn.drawer.iter().flat_map(|d| &d.cards);
        for card in drawn {
            cards += usize::from(card.card.current);
            let held = card
                .card
                .lines
                .iter()
                .any(|l| l.current && l.outcome.is_some());
            sets += usize::from(card.card.title.starts_with('@') && held);
        }
        let title = explain::title(&state, at);
        assert!(!title.contains("packets 0 bytes"), "{title}");
    }
    assert!(cards > 10 && sets > 0, "{cards} cards, {sets} sets");
}

#[test]
fn while_time_runs_only_what_is_worth_it_is_read_aloud() {
    let words = crate::i18n::words(Lang::En);
    let mut state = opened();
    let each = |state: &mut State, playing: bool| {
        let mut said: Vec<String> = Vec::new();
        for step in 0..40 {
            state.after(Event::StepChosen(step));
            state.playing = playing;
            let now = explain::announcement(state, words);
            if said.last() != Some(&now) {
                said.push(now);
            }
        }
        said
    };
    assert_eq!(each(&mut state, false).len(), 40);
    let said = each(&mut state, true);
    assert!(said.len() < 25, "{said:?}");
    for worth in ["node", "vpc", "The destination is rewritten"] {
        let worth = worth.replace("node", "work001");
        assert!(said.iter().any(|s| s.contains(&worth)), "{worth}: {said:?}");
    }
}
