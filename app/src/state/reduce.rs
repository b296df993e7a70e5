use std::rc::Rc;

use northsouth::share::Unpacked;
use northsouth::text::Span;
use northsouth::topology::{HostId, World};
use northsouth::workspace::{Scenario, Workspace, run_after};

use super::cursor::after_edit;
use super::settings::PANE_WIDTHS;
use super::{Asked, Event, Guess, Measured, Notice, State, Tab, Theme, look};
use crate::view_model::cluster::Kin;
use crate::view_model::explain;
use crate::view_model::predict::question;
use crate::view_model::stride::stops;
use crate::view_model::walk::Walk;

impl State {
    pub fn after(&mut self, event: Event) {
        match event {
            Event::Edited { file, at, .. } => {
                if let Some(workspace) = self.led_to(&event) {
                    Rc::make_mut(&mut self.history).typed(self.workspace.clone(), file, at);
                    self.open(Rc::new(workspace));
                }
            }
            Event::ReadingOn(percent) => self.ahead = percent,
            Event::Ran(ran) => self.ran = Some(ran),
            Event::Opened(opening) => {
                self.open(self.workspace.clone());
                self.opened_with(&opening);
            }
            Event::ProbeChanged(_)
            | Event::ForwardingChosen(_)
            | Event::FileReset(_)
            | Event::EverythingReset
            | Event::WayChosen(_)
            | Event::FileDeleted(_) => self.change_by(&event),
            Event::Undone => {
                let before = Rc::make_mut(&mut self.history).undo(self.workspace.clone());
                self.restore(before);
            }
            Event::Redone => {
                let after = Rc::make_mut(&mut self.history).redo(self.workspace.clone());
                self.restore(after);
            }

            Event::StepChosen(step) => {
                self.following = true;
                self.step_to(step);
            }
            Event::SteppedForward => {
                self.playing = false;
                self.advance();
            }
            Event::SteppedBack => self.step_to(self.cursor.saturating_sub(1)),
            Event::Strode(stride, way) => {
                let stops = self.stops();
                self.step_to(stride.from(&self.walk, self.cursor, way, &stops));
            }
            Event::BreakpointToggled(breakpoint) => {
                Rc::make_mut(&mut self.breakpoints).toggle(breakpoint);
            }
            Event::PlayToggled if self.playing => self.playing = false,
            Event::PlayToggled => {
                if self.at_end() {
                    self.move_to(0);
                }
                self.playing = !self.at_end();
            }
            Event::PredictSet(on) => {
                self.predict = on;
                self.guess = None;
            }
            Event::Guessed(chosen) => self.guessed(chosen),
            Event::Ticked => {
                self.advance();
                self.playing &= !self.at_end() && !self.stops().contains(&self.cursor);
            }
            Event::Replayed => {
                self.following = true;
                self.move_to(0);
                self.playing = !self.at_end();
            }
            Event::SpeedChosen(speed) => self.settings.speed = speed,

            Event::PlaceOpened(place) => {
                self.playing = false;
                self.opened = Some(place);
                self.following = false;
                self.zoom = self.zoom.opening();
            }
            Event::PacketFollowed => {
                self.opened = None;
                self.following = true;
            }
            Event::LookedAround => self.following = false,
            Event::Zoomed(zoom) => self.zoom = zoom,
            Event::ZoomedBy(percent) => self.zoom = self.zoom.by(percent),
            Event::PodsOpened(node) => self.pods_of = Some(node),
            Event::FileChosen(file) => {
                self.go_to = None;
                self.file = file.min(self.run.files.len().saturating_sub(1));
            }
            Event::SpanChosen(span) => self.go_to(span),
            Event::TabChosen(tab) => self.tab = tab,

            Event::CommandGiven { host, command } => {
                let run = self.run.clone();
                Rc::make_mut(&mut self.terminal).run(&run, host, command);
            }
            Event::TerminalOpened(host) => {
                Rc::make_mut(&mut self.terminal).host = Some(host);
                self.tab = Tab::Terminal;
            }
            Event::ReferenceKept => self.reference = Some(self.run.clone()),
            Event::ReferenceDropped => self.reference = None,
            Event::WhyNotAsked(span) => {
                self.asked = span.and_then(|span| Asked::at(&self.run, span));
                self.asked_in_vain = span.is_some() && self.asked.is_none();
                self.tab = Tab::WhyNot;
            }
            Event::CoverageMeasured(list) => {
                let measured = Measured::of(&self.run, &self.workspace, &list);
                self.measured = Some(Rc::new(measured));
                self.probe_list = list;
            }
            Event::FilesAdded(ref files) => {
                self.change_by(&event);
                let first = files.first().map(|(name, _)| name.as_str());
                self.show_file(first);
                self.go_to = None;
            }
            Event::FileRenamed { ref name, .. } => {
                let before = self.workspace.clone();
                self.change_by(&event);
                if !Rc::ptr_eq(&before, &self.workspace) {
                    self.show_file(Some(name));
                }
            }
            Event::TerminalCleared => Rc::make_mut(&mut self.terminal).answers.clear(),

            Event::TourOpened(at) => self.open_stop(at),
            Event::TourClosed => {
                self.tour = None;
                self.presenting = false;
            }
            Event::Presented(on) => self.presenting = on,
            Event::Answered { name, text } => self.answered(&name, text),
            Event::Predicted => self.predicted(),
            Event::HintOpened => self.hint_opened(),
            Event::GoalShown(goal) => self.show_goal(goal),

            Event::DialogOpened(dialog) => self.dialog = Some(dialog),
            Event::DialogClosed => self.dialog = None,
            Event::ShortcutsSet(on) => self.settings.shortcuts = on,
            Event::LanguageChosen(lang) => {
                self.settings.lang = lang;
                self.retold();
            }
            Event::ThemeToggled { dark_now } => {
                self.settings.theme = if dark_now { Theme::Light } else { Theme::Dark };
            }
            Event::ThemeChosen(theme) => self.settings.theme = theme,
            Event::FilesFolded(folded) => {
                self.go_to = None;
                self.settings.files_folded = folded;
            }
            Event::FilesShown(shown) => {
                self.go_to = None;
                self.files_shown = shown;
            }
            Event::FilesResized(width) => self.settings.files_width = pane_width(width),
            Event::InspectorResized(width) => self.settings.inspector_width = pane_width(width),

            Event::Cluster(event) => self.cluster_event(event),

            Event::Noticed(notice) => self.notice = Some(notice),
            Event::NoticeClosed => self.notice = None,
            Event::KeptOpened(_) | Event::SourceOpened => {
                self.change_by(&event);
                self.notice = None;
            }
            Event::SharedOpened(unpacked) => self.open_shared(Unpacked::clone(&unpacked)),
        }
    }

    /// What a file carried takes the place of the workspace at hand, which stays in the history.
    fn open_shared(&mut self, unpacked: Unpacked) {
        self.dialog = None;
        let scenario = unpacked.base.as_deref().and_then(Scenario::find);
        let base = scenario.and_then(|s| s.workspace());
        match unpacked.over(base.as_ref()) {
            Ok((shared, remark)) => {
                self.scenario = scenario;
                self.pristine = Rc::new(base.unwrap_or_else(|| shared.workspace.clone()));
                self.change(shared.workspace);
                look(self, shared.step, &shared.view);
                self.notice = remark.map(Notice::Said);
            }
            Err(said) => self.notice = Some(Notice::Said(said)),
        }
    }

    /// The steps at which breakpoints stop the packet.
    pub fn stops(&self) -> Vec<usize> {
        stops(&self.run, &self.walk, &self.breakpoints)
    }

    /// Whether a step may be told of: not where it is to be predicted.
    pub fn is_told(&self, step: usize) -> bool {
        let veiled = self.task.as_ref().is_some_and(|task| task.is_veiled());
        step <= self.cursor || !(self.predict || veiled)
    }

    pub fn at_end(&self) -> bool {
        self.cursor + 1 >= self.walk.len()
    }

    /// A step on; where the viewer predicts, first the question.
    fn advance(&mut self) {
        let next = self.cursor + 1;
        let asked = self.guess.is_some_and(|g| g.step == next);
        let words = crate::i18n::words(self.settings.lang);
        if self.predict && !asked && !self.is_veiled() && question(self, next, words).is_some() {
            self.playing = false;
            self.tab = Tab::Step;
            self.guess = Some(Guess {
                step: next,
                chosen: None,
            });
        } else {
            self.move_to(next);
        }
    }

    /// The answer shows the step.
    fn guessed(&mut self, chosen: usize) {
        if let Some(guess) = self.guess.filter(|g| g.chosen.is_none()) {
            self.move_to(guess.step);
            self.guess = Some(Guess {
                chosen: Some(chosen),
                ..guess
            });
        }
    }

    pub(super) fn move_to(&mut self, step: usize) {
        self.guess = None;
        let step = if self.is_veiled() { 0 } else { step };
        self.cursor = step.min(self.walk.len().saturating_sub(1));
        if self.following {
            self.opened = None;
        }
        self.go_to = None;
        // The text that decided is in view.
        if let Some(span) = explain::lit(self) {
            self.file = span.file.index();
        }
    }

    /// By the viewer's own hand, which ends playing.
    pub(super) fn step_to(&mut self, step: usize) {
        self.playing = false;
        self.move_to(step);
    }

    fn show_file(&mut self, name: Option<&str>) {
        let at = self.run.files.iter().position(|f| Some(&*f.name) == name);
        self.file = at.unwrap_or(self.file);
    }

    pub(super) fn change_by(&mut self, event: &Event) {
        if let Some(workspace) = self.led_to(event) {
            self.change(workspace);
        }
    }

    pub(super) fn change(&mut self, workspace: Workspace) {
        if workspace == *self.workspace {
            return;
        }
        Rc::make_mut(&mut self.history).changed(self.workspace.clone());
        self.open(Rc::new(workspace));
    }

    /// A workspace from the history. Shows the file that it changes.
    fn restore(&mut self, workspace: Option<Rc<Workspace>>) {
        let Some(workspace) = workspace else {
            return;
        };
        let now = self.workspace.clone();
        self.open(workspace);
        let mut files = self.workspace.files.iter().zip(&now.files);
        if let Some(changed) = files.position(|(a, b)| a != b) {
            self.file = changed;
        }
    }

    fn open(&mut self, workspace: Rc<Workspace>) {
        let ran = self.ran.take().and_then(|ran| ran.of(&workspace));
        let run = ran.unwrap_or_else(|| Rc::new(run_after(&self.run, &workspace)));
        // The same file stays open, wherever it stands now.
        let name = self.run.files.get(self.file).map(|f| &f.name);
        let stays = run.files.iter().position(|f| Some(&f.name) == name);
        self.file = stays.unwrap_or(0);
        self.cursor = after_edit(&self.run.trace, &run.trace, self.cursor);
        if !self.breakpoints.is_empty() {
            Rc::make_mut(&mut self.breakpoints).follow(&self.run.files, &run.files);
        }
        self.walk = Rc::new(Walk::of(&run));
        // What the viewer opened stays open, while it is there.
        let is_there = |host: HostId| {
            let name = |world: &World| world.host(host).map(|h| h.name.clone());
            name(&self.run.world) == name(&run.world)
        };
        let stays = !self.following && self.opened.as_ref().is_some_and(|o| is_there(o.host));
        self.pods_of = self.pods_of.filter(|node| is_there(*node));
        if !stays {
            self.opened = None;
        }
        self.run = run;
        self.workspace = workspace;
        self.playing = false;
        self.guess = None;
        self.happened = None;
        self.kin = None;
        self.judge();
    }

    fn go_to(&mut self, span: Span) {
        let known = |kin: &Rc<Kin>| kin.holds(&self.run, span) || kin.place == span;
        if !self.kin.as_ref().is_some_and(known) {
            self.kin = Kin::at(&self.run, span).map(Rc::new);
        }
        self.file = span.file.index();
        self.settings.files_folded = false;
        self.files_shown = true;
        self.wishes = self.wishes.wrapping_add(1);
        self.go_to = Some((span.start, self.wishes));
    }
}

fn pane_width(width: u32) -> u32 {
    width.clamp(*PANE_WIDTHS.start(), *PANE_WIDTHS.end())
}
