//! What was read of a workspace's texts, so that the next run reads only what was edited.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::generated::Built;
use super::{Run, Workspace};
use crate::net::IpFamily;
use crate::netfilter::Ruleset;
use crate::netfilter::save::{self, Before, Reading};
use crate::text::{Diagnostic, File, FileId, Later, Text};
use crate::workspace::{FileKind, HostFile};
use crate::yaml;

/// From this size on, reading a text takes long enough to be noticed: some thousand rules.
const LONG: usize = 256 * 1024;

#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub yaml: yaml::Memory,
    pub built: Option<Arc<Built>>,
    before: Arc<Vec<Arc<ReadRules>>>,
    now: Arc<Vec<Arc<ReadRules>>>,
    made_before: Arc<BTreeMap<Arc<str>, MadeRules>>,
    made: Arc<BTreeMap<Arc<str>, MadeRules>>,
}

/// The rules of a text.
#[derive(Debug)]
struct ReadRules {
    family: IpFamily,
    text: Text,
    /// Where it stood: spans tell.
    file: FileId,
    rules: Later<Ruleset>,
    said: Vec<Diagnostic>,
}

impl ReadRules {
    fn is_of(&self, family: IpFamily, text: &Text, file: FileId) -> bool {
        (self.family, self.file) == (family, file) && self.text == *text
    }
}

/// The rules that a controller writes, made and read when someone looks at them. There is nothing to be said of these texts.
#[derive(Clone, Debug)]
struct MadeRules {
    text: Text,
    file: FileId,
    rules: Later<Ruleset>,
    /// The last ones before that someone looked at.
    last: Option<Arc<Looked>>,
}

#[derive(Debug)]
struct Looked {
    text: Text,
    file: FileId,
    rules: Later<Ruleset>,
}

impl Looked {
    fn read_again(&self, text: &str, file: FileId) -> Option<Ruleset> {
        let tables = self.rules.tables.iter();
        let before = Before {
            text: &self.text,
            tables: tables.filter(|t| t.span.file == self.file).collect(),
        };
        save::read_again(text, file, &before)
    }
}

impl Memory {
    /// For reading once more: what was read now was read before.
    pub fn next(&self) -> Self {
        Self {
            yaml: self.yaml.next(),
            built: self.built.clone(),
            before: self.now.clone(),
            now: Arc::default(),
            made_before: self.made.clone(),
            made: Arc::default(),
        }
    }

    /// When all is read: what was read before and not again is needed no more.
    pub fn done(mut self) -> Self {
        self.before = Arc::default();
        self.made_before = Arc::default();
        self
    }

    /// What `iptables-save` or `ip6tables-save` printed: as it was read before, else by `read`.
    pub fn rules(
        &mut self,
        family: IpFamily,
        text: &Text,
        file: FileId,
        read: impl FnOnce() -> (Ruleset, Vec<Diagnostic>),
    ) -> (Later<Ruleset>, Vec<Diagnostic>) {
        let mut known = self.before.iter();
        let known = known.find(|read| read.is_of(family, text, file));
        let read = match known {
            Some(known) => known.clone(),
            None => Arc::new(ReadRules::new(family, text, file, read())),
        };
        Arc::make_mut(&mut self.now).push(read.clone());
        (read.rules.clone(), read.said.clone())
    }

    /// What a controller writes into a file of this name: as it was made before, or to be made and read when someone looks.
    pub fn made_rules(&mut self, family: IpFamily, file: &File, id: FileId) -> Later<Ruleset> {
        let known = self.made_before.get(&file.name);
        let made = match known {
            Some(known) if known.file == id && known.text.is(&file.text) => known.clone(),
            _ => {
                let last = known.and_then(|known| match known.rules.is_made() {
                    true => Some(Arc::new(Looked {
                        text: known.text.clone(),
                        file: known.file,
                        rules: known.rules.clone(),
                    })),
                    false => known.last.clone(),
                });
                let (text, before) = (file.text.clone(), last.clone());
                let rules = Later::new(move || {
                    let again = before.and_then(|before| before.read_again(&text, id));
                    again.unwrap_or_else(|| save::read_of(family, &text, id).0)
                });
                MadeRules {
                    text: file.text.clone(),
                    file: id,
                    rules,
                    last,
                }
            }
        };
        let rules = made.rules.clone();
        Arc::make_mut(&mut self.made).insert(file.name.clone(), made);
        rules
    }
}

impl ReadRules {
    fn new(
        family: IpFamily,
        text: &Text,
        file: FileId,
        (rules, said): (Ruleset, Vec<Diagnostic>),
    ) -> Self {
        Self {
            family,
            text: text.clone(),
            file,
            rules: rules.into(),
            said,
        }
    }
}

/// A long text of a workspace that is read a stretch at a time, ahead of the run that needs it ([`super::run_after`] then
/// finds it read).
pub struct Ahead {
    family: IpFamily,
    text: Text,
    file: FileId,
    reading: Reading,
}

/// A long text that was read ahead.
#[derive(Clone, Debug)]
pub struct ReadAhead(Arc<ReadRules>);

/// Two are the same when they are one.
impl PartialEq for ReadAhead {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Ahead {
    /// The first of a workspace's long texts that a run after `before` would have to read; `None` where reading takes no
    /// time worth telling.
    pub fn of(before: &Run, workspace: &Workspace) -> Option<Box<Ahead>> {
        let long = |(at, file): (u16, &File)| {
            let family = match FileKind::of(&file.name) {
                FileKind::Host(_, HostFile::IptablesSave) => IpFamily::V4,
                FileKind::Host(_, HostFile::Ip6tablesSave) => IpFamily::V6,
                _ => return None,
            };
            (file.text.len() >= LONG).then(|| (family, FileId(at), file.text.clone()))
        };
        let is_read = |family, file, text: &Text| {
            let mut read = before.memory.now.iter();
            read.any(|read| read.is_of(family, text, file))
        };
        let (family, file, text) = (0..)
            .zip(&workspace.files)
            .filter_map(long)
            .find(|(family, file, text)| !is_read(*family, *file, text))?;
        Some(Box::new(Ahead {
            reading: Reading::new(family, text.shared(), file),
            family,
            text,
            file,
        }))
    }

    /// Reads so many bytes more; [`ReadAhead`] when that was the rest.
    pub fn go_on(mut self: Box<Self>, bytes: usize) -> Result<ReadAhead, Box<Ahead>> {
        self.reading = self.reading.go_on(bytes);
        if !self.reading.is_at_end() {
            return Err(self);
        }
        let read = ReadRules::new(self.family, &self.text, self.file, self.reading.done());
        Ok(ReadAhead(Arc::new(read)))
    }

    /// How much of it is read, of a hundred.
    pub fn percent(&self) -> u8 {
        let (read, all) = self.reading.progress();
        (read * 100 / all.max(1)) as u8
    }
}

impl Run {
    /// Knows what was read ahead, for the runs after it.
    pub fn learn(&mut self, read: &ReadAhead) {
        Arc::make_mut(&mut self.memory.now).push(read.0.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Scenario, run, run_after};

    #[test]
    fn what_was_read_ahead_is_not_read_again_and_comes_to_the_same() {
        let scenario = Scenario::find("article").and_then(|s| s.workspace());
        let mut workspace = scenario.unwrap();
        let mut before = run(&workspace);
        assert!(Ahead::of(&before, &workspace).is_none(), "short texts");
        let name = "nodes/work001/iptables-save.txt";
        let at = workspace
            .files
            .iter()
            .position(|f| &*f.name == name)
            .unwrap();
        let long = format!(
            "{}{}",
            workspace.files[at].text,
            "# as long as a dump\n".repeat(20_000)
        );
        workspace.files[at] = File::new(name, &long);
        let mut reading = Ahead::of(&before, &workspace).unwrap();
        let mut percents = Vec::new();
        let read = loop {
            percents.push(reading.percent());
            match reading.go_on(long.len() / 3) {
                Ok(read) => break read,
                Err(more) => reading = more,
            }
        };
        assert_eq!(percents[0], 0);
        assert!(percents.is_sorted() && percents.len() > 2, "{percents:?}");
        before.learn(&read);
        assert!(Ahead::of(&before, &workspace).is_none(), "it is read");
        let after = run_after(&before, &workspace);
        let host = after
            .world
            .find("work001")
            .and_then(|id| after.world.host(id));
        assert!(host.unwrap().iptables.is(&read.0.rules));
        let fresh = run(&workspace);
        assert_eq!(after.trace, fresh.trace);
        assert_eq!(after.diagnostics, fresh.diagnostics);
        // An edit elsewhere reads it no more.
        workspace.seed += 1;
        let again = run_after(&after, &workspace);
        let host = again
            .world
            .find("work001")
            .and_then(|id| again.world.host(id));
        assert!(host.unwrap().iptables.is(&read.0.rules));
    }
}
