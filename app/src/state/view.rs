//! Where one looks, as names and values of a link. They stay; what is unknown is passed over.

use northsouth::netfilter::Hook;
use northsouth::text::Lang;
use northsouth::topology::World;
use northsouth::trace::{Part, Stage};

use super::{Level, Place, State, Tab, Zoom};

const TABS: [(&str, Tab); 3] = [
    ("step", Tab::Step),
    ("list", Tab::List),
    ("probe", Tab::Probe),
];

const STAGES: [(&str, Stage); 11] = [
    ("listener", Stage::Listener),
    ("filter-chain", Stage::FilterChain),
    ("tls", Stage::Tls),
    ("virtual-host", Stage::VirtualHost),
    ("route", Stage::Route),
    ("token", Stage::Token),
    ("access", Stage::Access),
    ("filter", Stage::Filter),
    ("cluster", Stage::Cluster),
    ("endpoint", Stage::Endpoint),
    ("answer", Stage::Answer),
];

/// What a link tells of the view, beside the step.
pub fn view(state: &State, with_language: bool) -> Vec<(String, String)> {
    let mut view = Vec::new();
    let mut put = |name: &str, value: String| view.push((name.to_string(), value));
    if with_language {
        put("lang", state.settings.lang.tag().to_string());
    }
    if state.tab != Tab::default() {
        let name = TABS.iter().find(|(_, tab)| *tab == state.tab);
        put("tab", name.map_or("", |(name, _)| name).to_string());
    }
    if state.zoom.level != Level::default() {
        put("level", state.zoom.level.name().to_string());
    }
    let opened = state.opened.as_ref();
    if let Some(name) = opened.and_then(|p| place_name(&state.run.world, p)) {
        put("place", name);
    }
    view
}

/// Looks there.
pub fn look(state: &mut State, step: u32, view: &[(String, String)]) {
    state.move_to(step as usize);
    for (name, value) in view {
        match name.as_str() {
            "lang" => {
                if let Some(lang) = Lang::ALL.into_iter().find(|l| l.tag() == value) {
                    state.settings.lang = lang;
                }
            }
            "tab" => {
                if let Some((_, tab)) = TABS.iter().find(|(name, _)| name == value) {
                    state.tab = *tab;
                }
            }
            "level" => {
                let level = Level::ALL.into_iter().find(|l| l.name() == value);
                state.zoom = level.map_or(state.zoom, Zoom::at);
            }
            "place" => {
                let place = find_place(&state.run.world, value);
                state.following &= place.is_none();
                state.opened = place.or(state.opened.take());
            }
            _ => {}
        }
    }
}

/// `work001 hook PREROUTING`
fn place_name(world: &World, place: &Place) -> Option<String> {
    let host = &world.host(place.host)?.name;
    Some(match &place.part {
        Part::Process => format!("{host} process"),
        Part::Interface(name) => format!("{host} interface {name}"),
        Part::Hook(hook) => format!("{host} hook {hook}"),
        Part::Conntrack => format!("{host} conntrack"),
        Part::Routing => format!("{host} routing"),
        Part::Neighbour => format!("{host} neighbour"),
        Part::Bridge(name) => format!("{host} bridge {name}"),
        Part::Balancer => format!("{host} balancer"),
        Part::Envoy(stage) => format!(
            "{host} envoy {}",
            STAGES.iter().find(|(_, s)| s == stage)?.0
        ),
    })
}

fn find_place(world: &World, text: &str) -> Option<Place> {
    let mut words = text.splitn(3, ' ');
    let host = world.find(words.next()?)?;
    let part = words.next()?;
    let name = words.next().unwrap_or_default();
    let part = match part {
        "process" => Part::Process,
        "interface" => Part::Interface(name.into()),
        "hook" => Part::Hook(Hook::ALL.into_iter().find(|h| h.name() == name)?),
        "conntrack" => Part::Conntrack,
        "routing" => Part::Routing,
        "neighbour" => Part::Neighbour,
        "bridge" => Part::Bridge(name.into()),
        "balancer" => Part::Balancer,
        "envoy" => Part::Envoy(STAGES.iter().find(|(n, _)| *n == name)?.1),
        _ => return None,
    };
    Some(Place { host, part })
}
