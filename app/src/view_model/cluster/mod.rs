//! The cluster as its manifests and its controllers have it.

mod kin;

pub use kin::Kin;

use northsouth::text::{FileId, Span};
use northsouth::workspace::{FileKind, HostFile, Place, Run};

use crate::i18n::Words;

/// A span's file and line, for people.
pub fn place(run: &Run, span: Span, words: &Words) -> String {
    let file = run.files.get(usize::from(span.file.0));
    file.map(|f| words.line(&f.name, f.line_column(span.start).line))
        .unwrap_or_default()
}

/// Who writes such a file on a real cluster.
pub fn maker(name: &str) -> &'static str {
    match FileKind::of(name) {
        FileKind::LoadBalancer | FileKind::Vpc => "cloud-controller-manager",
        FileKind::Client => "Environment",
        FileKind::KubectlPods | FileKind::KubectlServices | FileKind::KubectlNodes => "kubectl",
        FileKind::Host(Place::Pod(_), HostFile::IptablesSave) => "istio-init",
        FileKind::Host(_, HostFile::IptablesSave | HostFile::NftRuleset) => "kube-proxy",
        FileKind::Host(_, HostFile::Sockets | HostFile::Sysctl) => "kubelet",
        _ => "CNI",
    }
}

/// What the controllers would write in the place of a file.
pub fn counterpart(run: &Run, file: usize) -> Option<&str> {
    let file = run.files.get(file)?;
    let made = run.cluster.as_ref()?.files.iter();
    made.into_iter()
        .find(|m| *m.name == *file.name)
        .map(|m| m.sheet.text())
}

/// Whether a file is as its controller writes it.
pub fn is_generated(run: &Run, file: usize) -> bool {
    let text = run.files.get(file).map(|f| &*f.text);
    text.is_some() && counterpart(run, file) == text
}

/// The manifests that a run's controllers read: the file, or `None` where there are more than one.
pub fn manifests(run: &Run) -> Option<&str> {
    let is = |f: &&northsouth::text::File| FileKind::of(&f.name) == FileKind::Manifests;
    let mut all = run.files.iter().filter(is);
    let first = all.next()?;
    all.next().is_none().then_some(&first.name)
}

/// A line of a file, from 0: its place and its text.
pub fn line_span(run: &Run, file: usize, line: usize) -> Option<(Span, &str)> {
    let id = FileId(u16::try_from(file).ok()?);
    let text = &run.files.get(file)?.text;
    let found = northsouth::text::lines(text, id).nth(line)?;
    Some((found.span, found.text))
}
