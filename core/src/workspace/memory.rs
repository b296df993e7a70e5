//! What was read of a workspace's texts, so that the next run reads only what was edited.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::generated::Built;
use crate::envoy;
use crate::net::IpFamily;
use crate::netfilter::save::{self, Before};
use crate::netfilter::{Ruleset, ipset, nft};
use crate::text::{Diagnostic, File, FileId, Later, Pace, Text};
use crate::yaml;

#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub yaml: yaml::Memory,
    pub built: Option<Arc<Built>>,
    pub rules: Known<Later<Ruleset>>,
    pub rules6: Known<Later<Ruleset>>,
    pub nft: Known<Later<nft::Ruleset>>,
    pub sets: Known<Arc<ipset::Sets>>,
    pub envoy: Known<Arc<envoy::Config>>,
    made_before: Arc<BTreeMap<Arc<str>, MadeRules>>,
    made: Arc<BTreeMap<Arc<str>, MadeRules>>,
    /// When all is read: how many of the run's files are the workspace's own, and its seed.
    pub read: Option<(usize, u64)>,
}

impl Memory {
    /// For reading once more: what was read now was read before.
    pub fn next(&self) -> Self {
        Self {
            yaml: self.yaml.next(),
            built: self.built.clone(),
            rules: self.rules.next(),
            rules6: self.rules6.next(),
            nft: self.nft.next(),
            sets: self.sets.next(),
            envoy: self.envoy.next(),
            made_before: self.made.clone(),
            made: Arc::default(),
            read: None,
        }
    }

    /// When all is read: what was read before and not again is needed no more.
    pub fn done(mut self, read: (usize, u64)) -> Self {
        self.read = Some(read);
        self.rules.before = Arc::default();
        self.rules6.before = Arc::default();
        self.nft.before = Arc::default();
        self.sets.before = Arc::default();
        self.envoy.before = Arc::default();
        self.made_before = Arc::default();
        self
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
                let rules = Later::along(move |pace| {
                    let (text, before) = (text.clone(), before.clone());
                    Box::pin(made_rules(family, text, id, before, pace))
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

/// The texts of a kind that were read.
#[derive(Clone, Debug)]
pub(super) struct Known<S> {
    before: Arc<Vec<Arc<Read<S>>>>,
    now: Arc<Vec<Arc<Read<S>>>>,
}

impl<S> Default for Known<S> {
    fn default() -> Self {
        Self {
            before: Arc::default(),
            now: Arc::default(),
        }
    }
}

#[derive(Debug)]
struct Read<S> {
    text: Text,
    /// Where it stood: spans tell.
    file: FileId,
    meaning: S,
    said: Vec<Diagnostic>,
}

impl<S> Read<S> {
    fn is_of(&self, text: &Text, file: FileId) -> bool {
        self.file == file && self.text == *text
    }
}

impl<S: Clone> Known<S> {
    fn next(&self) -> Self {
        Self {
            before: self.now.clone(),
            now: Arc::default(),
        }
    }

    /// What was read of the same text in the same place.
    pub fn recall(&mut self, text: &Text, file: FileId) -> Option<(S, Vec<Diagnostic>)> {
        let mut before = self.before.iter();
        let known = before.find(|known| known.is_of(text, file))?.clone();
        let found = (known.meaning.clone(), known.said.clone());
        Arc::make_mut(&mut self.now).push(known);
        Some(found)
    }

    /// Whether a reading after this one will [recall](Self::recall) it.
    pub fn has(&self, text: &Text, file: FileId) -> bool {
        self.now.iter().any(|known| known.is_of(text, file))
    }

    pub fn keep(&mut self, text: &Text, file: FileId, meaning: &S, said: &[Diagnostic]) {
        Arc::make_mut(&mut self.now).push(Arc::new(Read {
            text: text.clone(),
            file,
            meaning: meaning.clone(),
            said: said.to_vec(),
        }));
    }
}

async fn made_rules(
    family: IpFamily,
    text: Text,
    file: FileId,
    before: Option<Arc<Looked>>,
    pace: Pace,
) -> Ruleset {
    text.make_along(&pace).await;
    if let Some(before) = before
        && let Some(rules) = before.read_again(&text, file, &pace).await
    {
        return rules;
    }
    save::read_along(family, &text, file, &pace).await.0
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
    async fn read_again(&self, text: &str, file: FileId, pace: &Pace) -> Option<Ruleset> {
        let tables = self.rules.tables.iter();
        let before = Before {
            text: &self.text,
            tables: tables.filter(|t| t.span.file == self.file).collect(),
        };
        save::read_again(text, file, &before, pace).await
    }
}
