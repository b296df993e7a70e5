use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Run;
use super::kind::{FileKind, HostFile, Place};
use super::memory::{Known, Memory};
use super::own::{self, BalancerFile, ClientFile, VpcFile};
use crate::envoy;
use crate::link::read::{self as link, Brctl, BridgePort, Device};
use crate::manifest::table::{self, NodeRow, PodRow, ServiceRow};
use crate::net::IpFamily;
use crate::netfilter::save::Before;
use crate::netfilter::{self, Ruleset, Table, TableName, ipset, nft};
use crate::route::{self, PolicyRule, Route};
use crate::say;
use crate::text::{Diagnostic, File, FileId, Later, Pace, Span, Text};
use crate::topology::{self, HostKind, Socket, Sysctls};

/// What the files of a workspace say, each read for itself.
#[derive(Debug, Default)]
pub struct Texts {
    pub client: Option<ClientFile>,
    pub balancer: Option<BalancerFile>,
    pub vpc: Option<VpcFile>,
    pub pods: Vec<PodRow>,
    pub services: Vec<ServiceRow>,
    pub nodes: Vec<NodeRow>,
    pub hosts: BTreeMap<Place, HostTexts>,
}

/// What the commands printed on one machine; `None` for those that nobody gave.
#[derive(Debug, Default)]
pub struct HostTexts {
    pub iptables: Option<Later<Ruleset>>,
    pub ip6tables: Option<Later<Ruleset>>,
    /// Of which families iptables-nft said its rules.
    pub nf_tables: Vec<IpFamily>,
    /// From listings of single tables.
    pub listed: Vec<Table>,
    pub nft: Option<Later<nft::Ruleset>>,
    pub sets: Option<Arc<ipset::Sets>>,
    pub devices: Option<Vec<Device>>,
    /// Whether its devices and routes are a controller's, which fit each other.
    pub made: [bool; 2],
    pub routes: Option<Later<Vec<Route>>>,
    pub rules: Option<Vec<PolicyRule>>,
    pub rules6: Option<Vec<PolicyRule>>,
    pub neighbours: Vec<link::Neighbour>,
    pub bridges: Option<Vec<Brctl>>,
    pub ports: Option<Vec<BridgePort>>,
    pub fdb: Vec<link::FdbEntry>,
    pub sockets: Option<Later<Vec<Socket>>>,
    pub sysctls: Option<Sysctls>,
    pub envoy: Option<Arc<envoy::Config>>,
    /// The first of its files.
    pub span: Span,
}

/// What a file that a controller writes takes, and its share of the machine, as if so many bytes were read.
pub(super) const MADE: usize = 64;

/// `before` is a run of a workspace that was mostly the same.
pub async fn read(
    files: &[File],
    memory: &mut Memory,
    before: Option<&Run>,
    pace: &Pace,
) -> (Texts, Vec<Diagnostic>) {
    let mut texts = Texts::default();
    let mut diagnostics = Vec::new();
    let before = before.map(Earlier::new);
    for (at, file) in (0..).zip(files) {
        if matches!(file.text, Text::Made(_)) {
            pace.read(MADE).await;
        }
        let mut reader = Reader {
            file,
            text: &file.text,
            id: FileId(at),
            before: before.as_ref().and_then(|b| b.rules(file)),
            memory,
            pace,
            diagnostics: &mut diagnostics,
        };
        reader.read(FileKind::of(&file.name), &mut texts).await;
    }
    (texts, diagnostics)
}

struct Reader<'a> {
    file: &'a File,
    text: &'a Text,
    id: FileId,
    before: Option<Before<'a>>,
    memory: &'a mut Memory,
    pace: &'a Pace,
    diagnostics: &'a mut Vec<Diagnostic>,
}

/// What a run before read.
struct Earlier<'r> {
    run: &'r Run,
    /// Files of which something was said.
    said: BTreeSet<FileId>,
}

impl<'r> Earlier<'r> {
    fn new(run: &'r Run) -> Self {
        Self {
            run,
            said: run.diagnostics.iter().map(|d| d.span.file).collect(),
        }
    }

    /// A machine's iptables rules, where they were read of this file, which is people's own, and nothing was said of them.
    fn rules(&self, file: &File) -> Option<Before<'r>> {
        if matches!(file.text, Text::Made(_)) {
            return None;
        }
        let FileKind::Host(place, kind) = FileKind::of(&file.name) else {
            return None;
        };
        if !matches!(kind, HostFile::IptablesSave | HostFile::Ip6tablesSave) {
            return None;
        }
        let mut files = self.run.files.iter();
        let at = files.position(|earlier| earlier.name == file.name)?;
        let id = FileId::at(at);
        let kind = match place {
            Place::Node(_) => HostKind::Node,
            _ => HostKind::Pod,
        };
        let mut hosts = self.run.world.hosts.iter();
        let host = hosts.find(|h| h.kind == kind && *h.name == *place.name())?;
        let unsaid = !self.said.contains(&id);
        (unsaid && host.iptables.is_made()).then_some(Before {
            text: &self.run.files.get(at)?.text,
            tables: (host.iptables.tables.iter())
                .filter(|table| table.span.file == id)
                .collect(),
        })
    }
}

impl Reader<'_> {
    async fn read(&mut self, kind: FileKind, texts: &mut Texts) {
        match kind {
            FileKind::Client => texts.client = self.by(own::client),
            FileKind::LoadBalancer => texts.balancer = self.by(own::load_balancer),
            FileKind::Vpc => texts.vpc = self.by(own::vpc),
            // Read before: the files that they make are among those here.
            FileKind::Manifests => {}
            FileKind::KubectlPods => texts.pods = self.by(table::pods),
            FileKind::KubectlServices => texts.services = self.by(table::services),
            FileKind::KubectlNodes => texts.nodes = self.by(table::nodes),
            FileKind::Host(place, file) => {
                let span = Span::new(self.id, 0, 0);
                let host = texts.hosts.entry(place).or_insert_with(|| HostTexts {
                    span,
                    ..HostTexts::default()
                });
                self.host(file, host).await;
            }
            FileKind::Unknown => self.diagnostics.push(
                Diagnostic::note(Span::new(self.id, 0, 0), say!("texts/unknown-file"))
                    .help(say!("texts/unknown-file-help")),
            ),
        }
    }

    /// Whether the first line says that iptables-nft wrote it (iptables `iptables/xtables-save.c`, `do_output`).
    fn is_of_nft(&self) -> bool {
        if self.is_made() {
            return false;
        }
        let first = self.text.lines().next().unwrap_or("");
        first.starts_with("# Generated by ") && first.contains(" (nf_tables) ")
    }

    async fn host(&mut self, file: HostFile, host: &mut HostTexts) {
        match file {
            HostFile::IptablesSave => {
                host.nf_tables
                    .extend(self.is_of_nft().then_some(IpFamily::V4));
                host.iptables = Some(self.rules(IpFamily::V4).await);
            }
            HostFile::Ip6tablesSave => {
                host.nf_tables
                    .extend(self.is_of_nft().then_some(IpFamily::V6));
                host.ip6tables = Some(self.rules(IpFamily::V6).await);
            }
            HostFile::IptablesList(table) => {
                let listed = self.by(|text, id| listing(text, id, table));
                host.listed.extend(listed.tables);
            }
            HostFile::NftRuleset if self.is_made() => {
                let (text, id) = (self.text.clone(), self.id);
                host.nft = Some(Later::along(move |pace| {
                    let text = text.clone();
                    Box::pin(async move {
                        text.make_along(&pace).await;
                        nft::read_along(&text, id, &pace).await.0
                    })
                }));
            }
            HostFile::NftRuleset => {
                host.nft = Some(self.known(|m| &mut m.nft, nft::read_along).await);
            }
            HostFile::IpsetSave => {
                host.sets = Some(self.known(|m| &mut m.sets, ipset::read_along).await);
            }
            HostFile::IpAddr => {
                host.made[0] = self.is_made();
                host.devices = Some(self.by(link::devices));
            }
            HostFile::IpRoute => {
                host.made[1] = self.is_made();
                host.routes = Some(self.later(route::read::routes));
            }
            HostFile::IpRule => host.rules = Some(self.by(route::read::rules)),
            HostFile::Ip6Rule => {
                let read = |text: &str, id| route::read::rules_of(IpFamily::V6, text, id);
                host.rules6 = Some(self.by(read));
            }
            HostFile::IpNeigh => host.neighbours = self.by(link::neighbours),
            HostFile::BrctlShow => host.bridges = Some(self.by(link::brctl)),
            HostFile::BridgeLink => host.ports = Some(self.by(link::bridge_link)),
            HostFile::BridgeFdb => host.fdb = self.by(link::fdb),
            HostFile::Sockets => host.sockets = Some(self.later(topology::sockets)),
            HostFile::Sysctl => host.sysctls = Some(self.by(topology::sysctls)),
            HostFile::ConfigDump => {
                let read = envoy::dump::read_along;
                host.envoy = Some(self.known(|m| &mut m.envoy, read).await);
            }
        }
    }

    async fn rules(&mut self, family: IpFamily) -> Later<Ruleset> {
        if self.is_made() {
            return self.memory.made_rules(family, self.file, self.id);
        }
        let before = self.before.take();
        let of: fn(&mut Memory) -> &mut Known<Later<Ruleset>> = match family {
            IpFamily::V4 => |memory| &mut memory.rules,
            IpFamily::V6 => |memory| &mut memory.rules6,
        };
        self.known(of, async |text: &str, id: FileId, pace: &Pace| {
            if let Some(before) = before
                && let Some(rules) = netfilter::save::read_again(text, id, &before, pace).await
            {
                pace.read(text.len()).await;
                return (rules, Vec::new());
            }
            netfilter::save::read_along(family, text, id, pace).await
        })
        .await
    }

    /// What was read of this text before, else what `read` reads.
    async fn known<T, S: From<T> + Clone>(
        &mut self,
        of: fn(&mut Memory) -> &mut Known<S>,
        read: impl AsyncFnOnce(&str, FileId, &Pace) -> (T, Vec<Diagnostic>),
    ) -> S {
        let (meaning, said) = match of(self.memory).recall(self.text, self.id) {
            Some(known) => known,
            None => {
                let (meaning, said) = read(self.text, self.id, self.pace).await;
                let meaning = S::from(meaning);
                of(self.memory).keep(self.text, self.id, &meaning, &said);
                (meaning, said)
            }
        };
        self.diagnostics.extend(said);
        meaning
    }

    /// Whether a controller writes it: there is nothing to be said of such a text.
    fn is_made(&self) -> bool {
        matches!(self.text, Text::Made(_))
    }

    /// What a controller writes is read when someone looks.
    fn later<T: Send + Sync + 'static>(
        &mut self,
        read: impl FnOnce(&str, FileId) -> (T, Vec<Diagnostic>) + Send + Sync + 'static,
    ) -> Later<T> {
        if !self.is_made() {
            return self.by(read).into();
        }
        let (text, id) = (self.text.clone(), self.id);
        Later::new(move || read(&text, id).0)
    }

    fn by<T>(&mut self, read: impl FnOnce(&str, FileId) -> (T, Vec<Diagnostic>)) -> T {
        let (value, said) = read(self.text, self.id);
        self.diagnostics.extend(said);
        value
    }
}

/// What `iptables -L` printed of a table, or `iptables -S`, whose lines start with a dash.
fn listing(text: &str, file: FileId, table: TableName) -> (Ruleset, Vec<Diagnostic>) {
    let commands = crate::text::lines(text, file)
        .find(|l| !l.is_aside())
        .is_some_and(|l| l.text.starts_with('-'));
    if commands {
        netfilter::save::read_commands(text, file, table)
    } else {
        netfilter::listing::read(text, file, table)
    }
}
