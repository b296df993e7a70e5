//! What the page opens on most often, computed before the page is fetched: when the program is cut (`app/parts/`), it prepares
//! the default scenario, and all that it remembers is part of the program from then on. Elsewhere nothing is prepared, and all
//! is computed as it is asked for.

use std::cell::RefCell;
use std::rc::Rc;

use northsouth::content;
use northsouth::text::Lang;
use northsouth::workspace::{DEFAULT, Run, Scenario, Workspace, run};

use super::needs;
use crate::view_model::walk::Walk;

struct Prepared {
    /// In every language.
    titles: Vec<String>,
    workspace: Workspace,
    run: Rc<Run>,
}

thread_local! {
    static PREPARED: RefCell<Option<Prepared>> = const { RefCell::new(None) };
}

/// Plays the default scenario, of which this is the pack; no file of it is kept. Whether it is one.
pub fn prepare(pack: String) -> bool {
    if !content::add(pack) {
        return false;
    }
    let Some(scenario) = Scenario::find(DEFAULT) else {
        return false;
    };
    let Some(workspace) = scenario.workspace() else {
        return false;
    };
    let run = run(&workspace);
    // Copies have no more room than they need, and the first edit may take its time.
    let run = Rc::new(Run::clone(&run).slim(&workspace));
    PREPARED.set(Some(Prepared {
        titles: Lang::ALL.map(|lang| scenario.title(lang)).into(),
        workspace,
        run,
    }));
    content::forget(&needs::scenario(DEFAULT));
    true
}

/// Whether something is.
pub fn is_there() -> bool {
    PREPARED.with_borrow(Option::is_some)
}

/// The packs without which the default scenario can't be opened.
pub fn packs() -> Vec<String> {
    match is_there() {
        true => Vec::new(),
        false => vec![needs::scenario(DEFAULT)],
    }
}

/// A scenario that can be opened, by its name.
pub fn find(name: &str) -> Option<Scenario> {
    match is_there() && name == DEFAULT {
        true => Some(Scenario { name: DEFAULT }),
        false => Scenario::find(name),
    }
}

/// A scenario's title.
pub fn title(scenario: Scenario, lang: Lang) -> String {
    let prepared = PREPARED.with_borrow(|prepared| {
        let prepared = prepared.as_ref().filter(|_| scenario.name == DEFAULT)?;
        let at = Lang::ALL.iter().position(|l| *l == lang)?;
        prepared.titles.get(at).cloned()
    });
    prepared.unwrap_or_else(|| scenario.title(lang))
}

/// A scenario's workspace, see [`Scenario::workspace`].
pub fn workspace(scenario: Scenario) -> Option<Workspace> {
    let prepared = PREPARED.with_borrow(|prepared| {
        let prepared = prepared.as_ref().filter(|_| scenario.name == DEFAULT)?;
        Some(prepared.workspace.clone())
    });
    prepared.or_else(|| scenario.workspace())
}

/// A workspace's run and its walk.
pub fn walked(workspace: &Workspace) -> (Rc<Run>, Rc<Walk>) {
    let prepared = PREPARED.with_borrow(|prepared| {
        let prepared = prepared.as_ref().filter(|p| p.workspace == *workspace)?;
        Some(prepared.run.clone())
    });
    let run = prepared.unwrap_or_else(|| Rc::new(run(workspace)));
    let walk = Rc::new(Walk::of(&run));
    (run, walk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_prepared_is_what_would_be_computed() {
        let scenario = Scenario::find(DEFAULT).unwrap();
        let fresh = scenario.workspace().unwrap();
        let (run, walk) = walked(&fresh);
        assert!(!prepare("no pack".to_string()));
        assert_eq!(packs(), [needs::scenario(DEFAULT)]);

        assert!(prepare("packed/file 0\n\n".to_string()));
        assert!(packs().is_empty());
        assert_eq!(find(DEFAULT), Some(scenario));
        assert_eq!(workspace(scenario).as_ref(), Some(&fresh));
        let prepared = walked(&fresh);
        assert_eq!((&prepared.0.trace, &prepared.1), (&run.trace, &walk));
        assert!(Rc::ptr_eq(&prepared.0, &walked(&fresh).0));
        for lang in Lang::ALL {
            assert_eq!(title(scenario, lang), scenario.title(lang));
        }

        let mut edited = fresh;
        edited.probe.port += 1;
        assert_ne!(walked(&edited).0.trace, run.trace);
        let other = Scenario::find("manifests-1-36-iptables").unwrap();
        assert_eq!(workspace(other), other.workspace());
    }
}
