//! What was read of a workspace's texts, so that the next run reads only what was edited.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::generated::Built;
use crate::envoy;
use crate::net::IpFamily;
use crate::netfilter::save::{self, Before};
use crate::netfilter::{Ruleset, ipset, nft};
use crate::text::{Diagnostic, File, FileId, Later, Pace, Text, at_once};
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
        }
    }

    /// When all is read: what was read before and not again is needed no more.
    pub fn done(mut self) -> Self {
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
        at_once(save::read_again(text, file, &before, &Pace::AT_ONCE))
    }
}
