//! What is kept in the browser between visits.

use northsouth::sim::{Probe, ProbeKind};
use northsouth::workspace::{DEFAULT, Scenario, Workspace};

use super::Route;
use crate::browser::{media, panic, storage};
use crate::state::{Notice, Settings, State, read_saved, write_saved};

const WORKSPACE: &str = "northsouth.workspace";
/// A workspace that was set aside when it could not be opened, or when the program failed with it.
const ASIDE: &str = "northsouth.aside";
const SETTINGS: &str = "northsouth.settings";

/// Where a workspace is kept: each scenario has a place of its own, so that a look at another one loses nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot(&'static str);

impl Slot {
    pub fn of(route: &Route) -> Slot {
        Slot(match route {
            Route::Scenario(scenario) => scenario.name,
            Route::Playground | Route::Unknown(_) => DEFAULT,
        })
    }

    /// The first place has the name that it had when it was the only one.
    fn key(self) -> String {
        match self.0 {
            DEFAULT => WORKSPACE.to_string(),
            name => format!("{WORKSPACE}.{name}"),
        }
    }
}

/// The playground as it opens: on what was kept where that can be read, else on the scenario as it comes.
pub fn open(route: &Route) -> State {
    let slot = Slot::of(route);
    let scenario = Scenario::find(slot.0);
    let pristine = scenario.and_then(|s| s.workspace());
    let pristine = pristine.unwrap_or_else(nothing);
    let failed = panic::failed_last_time().is_some();
    let kept = storage::load(&slot.key());
    let read = kept.as_deref().and_then(read_saved);
    let mut notice = match (failed, &kept, &read) {
        (true, Some(kept), _) => Some(Notice::FailedLastTime(kept.as_str().into())),
        (_, Some(kept), None) => Some(Notice::KeptUnreadable(kept.as_str().into())),
        _ => None,
    };
    if let (Some(_), Some(kept)) = (&notice, &kept) {
        storage::save(ASIDE, kept);
    }
    let workspace = match (&notice, read) {
        (None, Some(workspace)) => workspace,
        _ => pristine.clone(),
    };
    if let (None, Route::Unknown(fragment)) = (&notice, route) {
        notice = Some(Notice::UnknownAddress(fragment.as_str().into()));
    }
    let mut state = State::new(pristine, workspace, settings());
    state.scenario = scenario;
    state.notice = notice;
    state
}

/// Whether the browser took it.
pub fn save_workspace(slot: Slot, workspace: &Workspace) -> bool {
    storage::save(&slot.key(), &write_saved(workspace))
}

/// The scenario as it comes needs no keeping.
pub fn forget_workspace(slot: Slot) {
    storage::forget(&slot.key());
}

/// As they were kept, else as the browser's languages suggest.
pub fn settings() -> Settings {
    let settings = Settings::for_languages(&media::languages());
    match storage::load(SETTINGS) {
        Some(line) => settings.read(&line),
        None => settings,
    }
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
