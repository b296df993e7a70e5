//! What is kept in the browser between visits.

use northsouth::sim::{Probe, ProbeKind};
use northsouth::workspace::{DEFAULT, Scenario, Workspace};

use crate::browser::{media, panic, storage};
use crate::state::{Notice, Settings, State, read_saved, write_saved};

const WORKSPACE: &str = "northsouth.workspace";
/// A workspace that was set aside when it could not be opened, or when the program failed with it.
const ASIDE: &str = "northsouth.aside";
const SETTINGS: &str = "northsouth.settings";

/// The page as it opens: on what was kept where that can be read, else on the scenario as it comes.
pub fn open() -> State {
    let pristine = Scenario::find(DEFAULT).and_then(|s| s.workspace());
    let pristine = pristine.unwrap_or_else(nothing);
    let settings = Settings::for_languages(&media::languages());
    let settings = match storage::load(SETTINGS) {
        Some(line) => settings.read(&line),
        None => settings,
    };
    let failed = panic::failed_last_time().is_some();
    let kept = storage::load(WORKSPACE);
    let read = kept.as_deref().and_then(read_saved);
    let notice = match (failed, &kept, &read) {
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
    let mut state = State::new(pristine, workspace, settings);
    state.notice = notice;
    state
}

/// Whether the browser took it.
pub fn save_workspace(workspace: &Workspace) -> bool {
    storage::save(WORKSPACE, &write_saved(workspace))
}

/// The scenario as it comes needs no keeping.
pub fn forget_workspace() {
    storage::forget(WORKSPACE);
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
