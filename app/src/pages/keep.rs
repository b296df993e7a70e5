//! What is kept in the browser between visits.

use std::rc::Rc;

use northsouth::share::{Shared, Unpacked, read_kept, write_kept};
use northsouth::sim::{Probe, ProbeKind};
use northsouth::text::Say;
use northsouth::workspace::{DEFAULT, Scenario, Workspace, scenarios};

use super::Route;
use super::embed_options::EmbedOptions;
use crate::browser::{location, media, page, panic, storage};
use crate::state::{
    Breakpoints, Event, Notice, Opening, Reading, Settings, State, Task, look, prepared,
};
use crate::view_model::editor::units;

const WORKSPACE: &str = "northsouth.workspace";
const BREAKPOINTS: &str = "northsouth.breakpoints";
/// A workspace that was set aside when it could not be opened, or when the program failed with it.
const ASIDE: &str = "northsouth.aside";
/// Where workspaces of links are kept, a line each, the last one last.
const LINKS: &str = "northsouth.links";
const MOST_LINKS: usize = 10;
/// So many UTF-16 units browsers keep for an origin at most; what is longer is not even tried.
const MOST_KEPT: usize = 5 * 1024 * 1024;
const EXERCISE: &str = "northsouth.exercise";
const SETTINGS: &str = "northsouth.settings";

/// Where a workspace is kept: each scenario and each link has a place of its own, so that a look at another one loses
/// nothing. It is the name that the browser's storage has it by.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot(Rc<str>);

impl Slot {
    pub fn of(route: &Route) -> Slot {
        let name = match route {
            Route::Scenario(scenario) => scenario.name.to_string(),
            Route::Link(data) => format!("link-{:016x}", sum(data)),
            // Their files end in `.md`, which no scenario does.
            Route::Lesson(name) | Route::Exercise(name) => name.to_string(),
            _ => DEFAULT.to_string(),
        };
        // The first place has the name that it had when it was the only one.
        Slot(match name.as_str() {
            DEFAULT => WORKSPACE.into(),
            name => format!("{WORKSPACE}.{name}").into(),
        })
    }

    /// Where the breakpoints of the same page are kept.
    fn breakpoints(&self) -> String {
        self.0.replacen(WORKSPACE, BREAKPOINTS, 1)
    }

    fn is_of_link(&self) -> bool {
        self.0.contains(".link-")
    }
}

/// FNV-1a, to tell texts from each other.
fn sum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What the address gives: a scenario, or what someone shared.
struct Source {
    scenario: Option<Scenario>,
    pristine: Workspace,
    shared: Option<Shared>,
    reading: Option<Reading>,
    task: Option<Task>,
    notice: Option<Notice>,
}

impl Source {
    fn of(route: &Route, failed: bool) -> Source {
        match route {
            Route::Scenario(scenario) => Source::scenario(Some(*scenario), None),
            Route::Link(_) if failed => Source::default_with(Notice::LinkFailed),
            Route::Link(data) => {
                Source::link(data).unwrap_or_else(|said| Source::default_with(Notice::Said(said)))
            }
            Route::Unknown(fragment) => {
                Source::default_with(Notice::UnknownAddress(fragment.as_str().into()))
            }
            Route::Lesson(name) => {
                let reading = Reading::of(name, settings().lang);
                let first = reading.as_ref().and_then(|r| r.lesson.stops.first());
                let start = first.map(|stop| stop.workspace.clone());
                Source {
                    reading,
                    ..Source::start(start)
                }
            }
            Route::Exercise(name) => {
                let task = Task::of(name, settings().lang);
                let start = task.as_ref().map(|t| t.exercise.start.clone());
                Source {
                    task,
                    ..Source::start(start)
                }
            }
            _ => Source::scenario(prepared::find(DEFAULT), None),
        }
    }

    /// Where a lesson or an exercise starts; `None`: it can't be read.
    fn start(workspace: Option<Workspace>) -> Source {
        let lost = workspace.is_none().then_some(Notice::NotFetched);
        let source = Source::scenario(None, lost);
        Source {
            pristine: workspace.unwrap_or_else(nothing),
            ..source
        }
    }

    fn default_with(notice: Notice) -> Source {
        Source::scenario(prepared::find(DEFAULT), Some(notice))
    }

    fn scenario(scenario: Option<Scenario>, notice: Option<Notice>) -> Source {
        let pristine = scenario.and_then(prepared::workspace);
        Source {
            scenario,
            pristine: pristine.unwrap_or_else(nothing),
            shared: None,
            reading: None,
            task: None,
            notice,
        }
    }

    fn link(data: &str) -> Result<Source, Say> {
        let unpacked = Unpacked::read(data)?;
        let scenario = unpacked.base.as_deref().and_then(Scenario::find);
        let base = scenario.and_then(|s| s.workspace());
        let (shared, remark) = unpacked.over(base.as_ref())?;
        Ok(Source {
            scenario,
            pristine: base.unwrap_or_else(|| shared.workspace.clone()),
            shared: Some(shared),
            reading: None,
            task: None,
            notice: remark.map(Notice::Said),
        })
    }
}

/// The playground as it opens: on what was kept where that can be read, else on what the address gives.
pub fn open(route: &Route) -> State {
    let slot = Slot::of(route);
    let failed = panic::failed_last_time().is_some();
    let mut source = Source::of(route, failed);
    let kept = storage::load(&slot.0);
    let read = kept.as_deref().and_then(read_kept);
    let lost = match (failed, &kept, &read) {
        (true, Some(kept), _) => Some(Notice::FailedLastTime(kept.as_str().into())),
        (_, Some(kept), None) => Some(Notice::KeptUnreadable(kept.as_str().into())),
        _ => None,
    };
    if let (Some(_), Some(kept)) = (&lost, &kept) {
        storage::save(ASIDE, kept);
    }
    let given = match &source.shared {
        Some(shared) => shared.workspace.clone(),
        None => source.pristine.clone(),
    };
    let workspace = match (&lost, read) {
        (None, Some(workspace)) => {
            if source.shared.is_some() && workspace != given {
                source.notice = Some(Notice::LinkEdited);
            }
            workspace
        }
        _ => given.clone(),
    };
    let opening = Opening {
        breakpoints: storage::load(&slot.breakpoints()),
        shared: source.shared.map(|shared| (shared.step, shared.view)),
    };
    let mut state = match (&source.reading, &source.task) {
        (None, None) => State::opening(source.pristine, workspace, settings(), opening),
        _ => {
            let mut state = State::new(source.pristine, workspace, settings());
            state.opened_with(&opening);
            state
        }
    };
    state.source = Rc::new(given);
    state.scenario = source.scenario;
    if let Some(reading) = source.reading {
        state.reading = Some(Rc::new(reading));
        state.after(Event::TourOpened(0));
    }
    if let Some(task) = source.task {
        state.set(task);
    }
    state.notice = lost.or(source.notice);
    state
}

/// What is kept of a scenario's workspace, and the scenario as it comes.
pub fn workspaces(scenario: &'static str) -> (Workspace, Workspace) {
    let scenario = prepared::find(scenario);
    let pristine = scenario.and_then(prepared::workspace);
    let pristine = pristine.unwrap_or_else(nothing);
    let slot = scenario.map(|scenario| Slot::of(&Route::Scenario(scenario)));
    let kept = slot.and_then(|slot| storage::load(&slot.0));
    let kept = kept.and_then(|kept| read_kept(&kept));
    (kept.unwrap_or_else(|| pristine.clone()), pristine)
}

/// The scenarios of which something is kept, but for the default one.
pub fn edited() -> Vec<Scenario> {
    let mut all = scenarios();
    all.retain(|scenario| {
        let slot = Slot::of(&Route::Scenario(*scenario));
        scenario.name != DEFAULT && storage::load(&slot.0).is_some()
    });
    all
}

/// The exercise that a teacher was writing, in all languages.
pub fn exercise() -> String {
    storage::load(EXERCISE).unwrap_or_default()
}

pub fn save_exercise(bundle: &str) {
    if bundle.is_empty() {
        storage::forget(EXERCISE);
    } else {
        // Where it can't be kept it is in the page still.
        let _ = storage::save(EXERCISE, bundle);
    }
}

/// The embedded page as it opens: it keeps nothing, so there is nothing that was kept.
pub fn embedded(route: &Route, options: &EmbedOptions) -> State {
    let source = Source::of(route, false);
    let given = match &source.shared {
        Some(shared) => shared.workspace.clone(),
        None => source.pristine.clone(),
    };
    let mut settings = settings();
    settings.theme = options.theme;
    let mut state = State::new(source.pristine, given, settings);
    state.scenario = source.scenario;
    if let Some(shared) = source.shared {
        look(&mut state, shared.step, &shared.view);
    }
    if let Some(lang) = options.lang {
        state.settings.lang = lang;
    }
    if let Some(reading) = source.reading {
        state.reading = Some(Rc::new(reading));
        state.after(Event::TourOpened(0));
    }
    if let Some(task) = source.task {
        state.set(task);
    }
    if let Some(step) = options.step {
        state.after(Event::StepChosen(step.saturating_sub(1)));
    }
    state.playing = options.autoplay && !state.at_end();
    state.notice = source.notice;
    state
}

/// Whether the browser took it.
pub fn save_workspace(slot: &Slot, workspace: &Workspace) -> bool {
    if slot.is_of_link() {
        remember_link(slot);
    }
    let long = workspace
        .files
        .iter()
        .map(|f| units(&f.text))
        .sum::<usize>()
        > MOST_KEPT;
    !long && storage::save(&slot.0, &write_kept(workspace))
}

/// Of the links that were edited, the last ones are kept.
fn remember_link(slot: &Slot) {
    let list = storage::load(LINKS).unwrap_or_default();
    let mut slots: Vec<&str> = list.lines().filter(|line| *line != &*slot.0).collect();
    slots.push(&slot.0);
    while slots.len() > MOST_LINKS {
        let oldest = Slot(slots.remove(0).into());
        storage::forget(&oldest.0);
        storage::forget(&oldest.breakpoints());
    }
    storage::save(LINKS, &slots.join("\n"));
}

/// They are the viewer's own, whether or not the texts are.
pub fn save_breakpoints(slot: &Slot, breakpoints: &Breakpoints) {
    if breakpoints.is_empty() {
        storage::forget(&slot.breakpoints());
        return;
    }
    if slot.is_of_link() {
        remember_link(slot);
    }
    storage::save(&slot.breakpoints(), &breakpoints.write());
}

/// The scenario as it comes needs no keeping.
pub fn forget_workspace(slot: &Slot) {
    storage::forget(&slot.0);
}

/// As they were kept, else as the browser's languages suggest.
pub fn settings() -> Settings {
    let settings = Settings::for_languages(&media::languages());
    let mut settings = match storage::load(SETTINGS) {
        Some(line) => settings.read(&line),
        None => settings,
    };
    if page::is_embedded() {
        let options = EmbedOptions::of(&location::fragment(), location::decode);
        settings.lang = options.lang.unwrap_or(settings.lang);
    }
    settings
}

pub fn save_settings(settings: &Settings) {
    storage::save(SETTINGS, &settings.write());
}

/// Should the page be built without its scenario.
fn nothing() -> Workspace {
    Workspace {
        files: Vec::new(),
        probe: Probe {
            from: String::new(),
            to: [0, 0, 0, 0].into(),
            port: 0,
            kind: ProbeKind::TcpConnect,
        },
        seed: 0,
    }
}
