//! What is handed on: a workspace with where one looks at it, as the fragment of a link, as a zip of its plain files, and
//! within pictures of it.
//!
//! A link is `VERSION.CODEC.DATA`. Whatever opened once opens for ever: `core/tests/links/` keeps links of every kind, and a
//! new form gets a new version or codec beside the old ones. A link comes from anywhere, so its size is bounded at each
//! stage and each failure is a sentence.

mod capture;
mod carry;
mod crc;
mod link;
mod markdown;
mod record;
mod zip;

pub use capture::capture;
pub use carry::{CARRIED, into_png, open};
pub use link::{FILE_LIMIT, LINK_LIMIT, Limit, OPEN_LIMIT, link, pack, unpack};
pub use markdown::markdown;
pub use record::{read_kept, write_kept};
pub use zip::{carries, entries as unzip, write as zip};

use crate::say;
use crate::text::{File, Say};
use crate::workspace::{Probe, Workspace};

/// A workspace, and where one looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    pub workspace: Workspace,
    /// The scenario that it started from, by name.
    pub base: Option<String>,
    /// The step that is looked at, from 0, in the order in which the trace has them.
    pub step: u32,
    /// How it is looked at, as names and values of the page's own. What a page does not know it passes over.
    pub view: Vec<(String, String)>,
}

/// A link that was unpacked: what differs from its scenario, which is still to be laid over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    pub base: Option<String>,
    /// Of what it takes from the scenario, see [`sum`].
    base_sum: Option<u64>,
    /// Files that the scenario lacks or has otherwise, whole.
    pub files: Vec<File>,
    /// Files of the scenario that are not in the workspace.
    pub gone: Vec<String>,
    pub probe: Probe,
    pub seed: u64,
    pub step: u32,
    pub view: Vec<(String, String)>,
}

impl Unpacked {
    /// Unpacks a link's data. The error says what is wrong with it.
    pub fn read(link: &str) -> Result<Unpacked, Say> {
        record::read(&unpack(link)?, OPEN_LIMIT)
    }

    /// What is to be packed: of the workspace only what differs from its scenario.
    pub fn of(shared: &Shared, base: Option<&Workspace>) -> Unpacked {
        let whole = Unpacked {
            base: None,
            base_sum: None,
            files: shared.workspace.files.clone(),
            gone: Vec::new(),
            probe: shared.workspace.probe.clone(),
            seed: shared.workspace.seed,
            step: shared.step,
            view: shared.view.clone(),
        };
        let (Some(name), Some(base)) = (&shared.base, base) else {
            return whole;
        };
        let mut part = whole.clone();
        part.base = Some(name.clone());
        part.files.retain(|file| !base.files.contains(file));
        for file in &base.files {
            if shared.workspace.file(&file.name).is_none() {
                part.gone.push(file.name.to_string());
            }
        }
        part.base_sum = Some(part.sum(base));
        // Files in an order of their own are told whole.
        match part.clone().over(Some(base)) {
            Ok((opened, _)) if opened.workspace == shared.workspace => part,
            _ => whole,
        }
    }

    /// The workspace itself. `base` is the scenario of the name [`base`](Self::base), where there is one; the remark says
    /// that it is no longer what it was when the link was made.
    pub fn over(self, base: Option<&Workspace>) -> Result<(Shared, Option<Say>), Say> {
        let mut files = Vec::new();
        let mut remark = None;
        if let Some(name) = &self.base {
            let base = base.ok_or_else(|| say!("share/no-such-scenario", name = name))?;
            if self.base_sum.is_some_and(|sum| sum != self.sum(base)) {
                remark = Some(say!("share/scenario-changed"));
            }
            files.clone_from(&base.files);
            files.retain(|file| !self.gone.iter().any(|gone| **gone == *file.name));
        }
        for file in self.files {
            match files.iter_mut().find(|f| f.name == file.name) {
                Some(known) => *known = file,
                None => files.push(file),
            }
        }
        let shared = Shared {
            workspace: Workspace {
                files,
                probe: self.probe,
                seed: self.seed,
            },
            base: self.base,
            step: self.step,
            view: self.view,
        };
        Ok((shared, remark))
    }

    /// FNV-1a (64 bits) over names and texts of what is taken from the scenario.
    fn sum(&self, base: &Workspace) -> u64 {
        let own = |file: &&File| !self.files.iter().any(|f| f.name == file.name);
        let taken = base.files.iter().filter(own);
        let taken = taken.filter(|file| !self.gone.iter().any(|gone| **gone == *file.name));
        let mut sum = 0xcbf2_9ce4_8422_2325_u64;
        for file in taken {
            for part in [&*file.name, &*file.text] {
                for byte in part.bytes().chain([0xff]) {
                    sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{DEFAULT, Scenario};

    fn article() -> Shared {
        let workspace = Scenario::find(DEFAULT).and_then(|s| s.workspace());
        Shared {
            workspace: workspace.unwrap(),
            base: Some(DEFAULT.to_string()),
            step: 17,
            view: vec![("lang".to_string(), "zh-CN".to_string())],
        }
    }

    fn opened(link: &str) -> (Shared, Option<Say>) {
        let unpacked = Unpacked::read(link).unwrap();
        let base = unpacked.base.as_deref().and_then(Scenario::find);
        let base = base.and_then(|s| s.workspace());
        unpacked.over(base.as_ref()).unwrap()
    }

    #[test]
    fn a_link_opens_as_what_was_shared() {
        let base = article().workspace;
        let mut edited = article();
        let file = edited.workspace.files.get_mut(3).unwrap();
        file.text = format!("{}# <script>一</script>\n", file.text).into();
        edited.workspace.files.push(File::new("notes.txt", ""));
        edited.workspace.files.remove(5);
        edited.workspace.seed = u64::MAX;
        let mut whole = edited.clone();
        whole.base = None;
        let mut turned = edited.clone();
        turned.workspace.files.reverse();
        for shared in [article(), edited, whole] {
            let data = link(&shared, Some(&base));
            assert_eq!(opened(&data), (shared, None));
        }
        // In another order it is no part of the scenario, and whole.
        let back = opened(&link(&turned, Some(&base))).0;
        assert_eq!((back.base, back.workspace), (None, turned.workspace));
    }

    #[test]
    fn what_did_not_change_is_not_in_the_link() {
        let mut shared = article();
        let base = shared.workspace.clone();
        let length = link(&shared, Some(&base)).len();
        assert!(length < 320, "{length}");
        shared.workspace.probe.port = 8080;
        assert!(link(&shared, Some(&base)).len() < 320);
        assert!(link(&shared, None).len() > 3000);
    }

    #[test]
    fn a_scenario_that_is_no_longer_what_it_was_is_said() {
        let shared = article();
        let mut base = shared.workspace.clone();
        let data = link(&shared, Some(&base));
        base.files[0].text = "another".into();
        let (opened, remark) = Unpacked::read(&data).unwrap().over(Some(&base)).unwrap();
        assert_eq!(opened.workspace.files, base.files);
        assert_eq!(remark, Some(say!("share/scenario-changed")));
        let lost = Unpacked::read(&data).unwrap().over(None);
        assert_eq!(lost.unwrap_err().key, "share/no-such-scenario");
    }
}
