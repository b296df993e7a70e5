//! The page's own words, a module a language. A word that a language lacks does not compile.

mod control;
pub mod course;
mod en;
mod zh_cn;

pub use control::ControlWords;

use northsouth::text::{Lang, Outcome};
use northsouth::trace::{Disposition, Role, Stage};

use crate::state::{Level, Tab};
use crate::view_model::balancer::Mode;

/// Every word of the page, in one language.
pub struct Words {
    pub page_title: &'static str,
    pub control: &'static ControlWords,
    pub skip_to_explanation: &'static str,
    pub close: &'static str,
    pub undo: &'static str,
    pub redo: &'static str,
    pub theme: &'static str,
    pub menu: &'static str,

    pub files: &'static str,
    pub machines: &'static str,
    pub cluster: &'static str,
    pub files_width: &'static str,
    pub explanation_width: &'static str,
    /// By the command; `None` where no command prints such a file.
    pub printed_by: fn(Option<&str>) -> String,
    pub edited: &'static str,
    pub reset_file: &'static str,
    pub reset_all: &'static str,
    /// Errors, and lesser things.
    pub problems: fn(usize, usize) -> String,

    pub map: &'static str,
    pub client: &'static str,
    pub load_balancer: &'static str,
    pub router: &'static str,
    pub node: &'static str,
    pub pod: &'static str,
    pub routing: &'static str,
    pub process: &'static str,
    pub this_host: &'static str,
    pub conntrack: &'static str,
    pub neighbours: &'static str,
    /// What, and of which machine.
    pub open_place: fn(&str, &str) -> String,
    pub packet_is_here: fn(&str) -> String,
    pub follow_packet: &'static str,
    pub zoom: &'static str,
    pub level: fn(Level) -> &'static str,
    pub nearer: &'static str,
    pub farther: &'static str,
    pub fit: &'static str,
    pub larger_map: &'static str,
    pub more_pods: fn(usize) -> String,
    pub more_nodes: fn(usize) -> String,
    pub pods: fn(usize) -> String,
    /// A pod.
    pub inside: fn(&str) -> String,
    /// Rules.
    pub host_note: fn(usize) -> String,
    /// Its subnet, and the number of its ports.
    pub bridge_note: fn(&str, usize) -> String,
    pub listens: fn(&str) -> String,
    pub backends: fn(usize) -> String,
    /// A table and a hook.
    pub table_at_hook: fn(&str, &str) -> String,
    pub more_rules: fn(usize) -> String,
    pub no_rules: &'static str,
    pub nothing_here: &'static str,
    pub policy: fn(&str) -> String,
    pub end_of_chain: &'static str,
    pub outcome: fn(Outcome) -> &'static str,

    pub explanation: &'static str,
    /// What the page shows, and the way to its tour.
    pub welcome: &'static str,
    pub welcome_tour: &'static str,
    pub this_step: &'static str,
    pub all_steps: &'static str,
    /// What hides further tabs.
    pub more_tabs: &'static str,
    /// What a tab is for.
    pub tab_about: fn(Tab) -> &'static str,
    pub packet: &'static str,
    pub was: &'static str,
    pub is_now: &'static str,
    pub source: &'static str,
    pub destination: &'static str,
    pub protocol: &'static str,
    pub ttl: &'static str,
    pub tos: &'static str,
    pub hop_limit: &'static str,
    pub traffic_class: &'static str,
    pub mark: &'static str,
    pub in_interface: &'static str,
    pub out_interface: &'static str,
    pub why: &'static str,
    pub passed_over: &'static str,
    pub written: &'static str,
    pub made_by: &'static str,
    pub more: fn(usize) -> String,
    pub no_steps: &'static str,
    pub chain_with_counters: fn(&str) -> String,
    pub rule_number: fn(usize) -> String,
    pub port_of: fn(&str) -> String,
    pub bridge_table: fn(&str) -> String,
    pub route_table: &'static str,
    pub line: fn(&str, u32) -> String,

    pub time: &'static str,
    pub timeline: &'static str,
    pub replay: &'static str,
    pub play: &'static str,
    pub pause: &'static str,
    pub step_back: &'static str,
    pub step_forward: &'static str,
    pub over_chain: &'static str,
    pub step_out: &'static str,
    pub run_to: &'static str,
    pub next_change: &'static str,
    pub next_machine: &'static str,
    pub next_breakpoint: &'static str,
    pub breakpoint: &'static str,
    pub breakpoints: &'static str,
    pub breakpoint_here: &'static str,
    /// How many steps meet it.
    pub stops: fn(usize) -> String,
    pub remove: fn(&str) -> String,
    pub shortcuts: &'static str,
    pub shortcuts_about: &'static str,
    pub shortcuts_on: &'static str,
    pub backwards: &'static str,
    pub key_play: &'static str,
    pub key_step: &'static str,
    pub key_over: &'static str,
    pub key_out: &'static str,
    pub key_change: &'static str,
    pub key_machine: &'static str,
    pub key_run: &'static str,
    pub key_breakpoint: &'static str,
    pub key_follow: &'static str,
    pub key_predict: &'static str,
    pub predict: &'static str,
    /// Out of an interface.
    pub ask_machine: fn(&str) -> String,
    pub ask_field: fn(&str) -> String,
    pub ask_rule: fn(&str) -> String,
    pub ask_candidate: fn(&str) -> String,
    pub none_of_them: &'static str,
    pub none_held: &'static str,
    pub comes_later: &'static str,
    pub show_it: &'static str,
    pub guessed_right: &'static str,
    pub guessed_wrong: &'static str,
    pub stage: fn(Stage) -> &'static str,
    pub envoy_turn: fn(&str) -> String,
    pub speed: &'static str,
    pub step_of: fn(usize, usize) -> String,
    pub role: fn(Role) -> &'static str,
    pub packets: &'static str,
    pub destination_changed: &'static str,
    pub source_changed: &'static str,
    pub mark_changed: &'static str,
    /// A packet's part in the conversation, and which of them it is, from 1.
    pub journey: fn(Role, usize) -> String,
    pub disposition: fn(Disposition) -> &'static str,
    pub walk_ends: fn(&str) -> String,

    pub probe: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub kind: &'static str,
    pub port: &'static str,
    pub http_host: &'static str,
    pub path: &'static str,
    pub method: &'static str,
    pub headers: &'static str,
    pub headers_form: &'static str,
    pub not_headers: &'static str,
    pub over_tls: &'static str,
    pub sni: &'static str,
    pub client_certificate: &'static str,
    pub http_version: &'static str,
    pub sent_at: &'static str,
    /// What is offered by ALPN, by the names with commas; empty for none.
    pub offers: fn(&str) -> String,
    pub probe_kind: fn(&str) -> &'static str,
    pub not_an_address: &'static str,
    pub forwarding: &'static str,
    pub mode: fn(Mode) -> &'static str,
    pub mode_is_a_line: fn(&str) -> String,

    pub scenarios: &'static str,
    /// Before the open scenario's title, for those who listen.
    pub scenario_colon: &'static str,
    pub scenarios_keep: &'static str,

    pub terminal: &'static str,
    pub terminal_on: &'static str,
    pub terminal_output: &'static str,
    pub terminal_keys: &'static str,
    pub terminal_offered: &'static str,
    /// A host.
    pub command_on: fn(&str) -> String,
    pub clear: &'static str,

    pub compare: &'static str,
    pub compared_with_kept: &'static str,
    pub compared_with_pristine: &'static str,
    pub keep_reference: &'static str,
    pub drop_reference: &'static str,
    pub the_walks: &'static str,
    pub walks_same: &'static str,
    pub the_texts: &'static str,
    pub texts_same: &'static str,
    pub steps_same: fn(usize) -> String,
    pub parting_here: &'static str,

    pub why_not: &'static str,
    pub why_not_here: &'static str,
    pub why_not_line: &'static str,
    pub nothing_asked: &'static str,
    pub why_not_about: &'static str,
    pub find_line: &'static str,
    pub what_it_takes: &'static str,
    pub do_it: &'static str,
    pub ask_another: &'static str,
    pub to_step: fn(usize) -> String,

    pub coverage: &'static str,
    pub coverage_about: &'static str,
    pub more_probes: &'static str,
    pub measure: &'static str,
    pub coverage_stale: &'static str,
    pub not_probes: fn(&[usize]) -> String,
    /// Lines taken, lines, probes.
    pub covered: fn(usize, usize, usize) -> String,

    pub how_we_know: &'static str,
    pub how_intro: &'static [&'static str],
    pub how_scores: &'static str,
    pub how_misses: &'static str,
    pub how_part: &'static str,
    pub how_right: &'static str,
    pub how_all: &'static str,
    pub how_steps: &'static str,
    pub right_of: fn(u32, u32) -> String,
    pub walk_depends: fn(usize) -> String,
    pub steps_of: fn(u32) -> String,

    pub new_file: &'static str,
    pub delete_file: &'static str,
    pub rename_file: &'static str,
    /// A long text is being read.
    pub reading_ahead: &'static str,
    pub reading_first: &'static str,
    pub reading_ahead_bar: &'static str,
    pub file_path: &'static str,
    pub path_is: fn(&str) -> String,
    pub path_taken: &'static str,
    pub add_it: &'static str,
    pub open_files: &'static str,
    pub dropped_about: &'static str,
    pub take_them: &'static str,
    pub too_large: fn(&str) -> String,
    pub editor_keys: &'static str,

    pub tour: &'static str,
    pub tour_of: fn(usize, usize) -> String,
    pub previous: &'static str,
    pub next: &'static str,
    pub show_again: &'static str,
    pub end_tour: &'static str,
    pub tour_lost: &'static str,

    pub kept_unreadable: &'static str,
    pub failed_last_time: &'static str,
    pub not_saved: &'static str,
    /// What the address asks for.
    pub unknown_address: fn(&str) -> String,
    pub not_fetched: &'static str,
    pub link_failed: &'static str,
    pub link_edited: &'static str,
    pub open_as_shared: &'static str,
    /// A file's address.
    pub no_source: fn(&str) -> String,
    pub what_was_kept: &'static str,
    pub open_again: &'static str,

    pub share: &'static str,
    pub share_link: &'static str,
    /// Characters.
    pub share_length: fn(usize) -> String,
    pub share_too_long: &'static str,
    pub share_here: &'static str,
    pub share_language: &'static str,
    pub share_text: &'static str,
    pub share_files: &'static str,
    pub share_open_about: &'static str,
    pub copy: &'static str,
    pub copy_markdown: &'static str,
    pub copy_text: &'static str,
    pub save_zip: &'static str,
    pub save_pcapng: &'static str,
    pub share_open: &'static str,
    pub share_pictures: &'static str,
    pub share_narrow: &'static str,
    pub share_pictures_about: &'static str,
    pub save_svg: &'static str,
    pub save_png: &'static str,
    pub save_moving: &'static str,
    pub print_handout: &'static str,
    pub not_painted: &'static str,
    pub open_file: &'static str,
    pub embed: &'static str,
    pub embed_write: &'static str,
    pub embed_show: &'static str,
    pub embed_hide: &'static str,
    pub embed_open: &'static str,
    pub embed_about: &'static str,
    pub embed_autoplay: &'static str,
    pub embed_controls: &'static str,
    pub embed_editable: &'static str,
    pub embed_collapsed: &'static str,
    pub embed_theme: &'static str,
    pub embed_theme_name: fn(&str) -> &'static str,
    pub embed_element: &'static str,
    pub embed_frame: &'static str,
    pub embed_static: &'static str,
    pub embed_save: &'static str,
    pub embed_apart: &'static str,
    pub embed_preview: &'static str,
    pub copied: &'static str,
    pub not_copied: &'static str,
}

pub fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &en::WORDS,
        Lang::ZhCn => &zh_cn::WORDS,
    }
}

// A field that holds a function reads as a method: `words.pods(3)`.
macro_rules! methods {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {
        impl Words {
            $(pub fn $name(&self, $($arg: $kind),*) -> $out {
                (self.$name)($($arg),*)
            })*
        }
    };
}

methods! {
    printed_by(command: Option<&str>) -> String;
    problems(errors: usize, others: usize) -> String;
    open_place(what: &str, machine: &str) -> String;
    packet_is_here(label: &str) -> String;
    level(level: Level) -> &'static str;
    more_pods(count: usize) -> String;
    more_nodes(count: usize) -> String;
    pods(count: usize) -> String;
    inside(pod: &str) -> String;
    host_note(rules: usize) -> String;
    backends(count: usize) -> String;
    bridge_note(subnet: &str, ports: usize) -> String;
    listens(ports: &str) -> String;
    table_at_hook(table: &str, hook: &str) -> String;
    more_rules(count: usize) -> String;
    policy(policy: &str) -> String;
    outcome(outcome: Outcome) -> &'static str;
    more(count: usize) -> String;
    chain_with_counters(chain: &str) -> String;
    rule_number(number: usize) -> String;
    port_of(bridge: &str) -> String;
    bridge_table(bridge: &str) -> String;
    line(file: &str, line: u32) -> String;
    step_of(step: usize, steps: usize) -> String;
    stops(steps: usize) -> String;
    ask_machine(iface: &str) -> String;
    ask_field(name: &str) -> String;
    ask_rule(chain: &str) -> String;
    ask_candidate(place: &str) -> String;
    stage(stage: Stage) -> &'static str;
    envoy_turn(request: &str) -> String;
    remove(what: &str) -> String;
    role(role: Role) -> &'static str;
    journey(role: Role, count: usize) -> String;
    disposition(disposition: Disposition) -> &'static str;
    walk_ends(end: &str) -> String;
    offers(names: &str) -> String;
    probe_kind(name: &str) -> &'static str;
    mode(mode: Mode) -> &'static str;
    mode_is_a_line(name: &str) -> String;
    no_source(address: &str) -> String;
    embed_theme_name(theme: &str) -> &'static str;
    share_length(characters: usize) -> String;
    unknown_address(fragment: &str) -> String;
    command_on(host: &str) -> String;
    steps_same(count: usize) -> String;
    to_step(step: usize) -> String;
    not_probes(lines: &[usize]) -> String;
    covered(taken: usize, lines: usize, probes: usize) -> String;
    walk_depends(count: usize) -> String;
    right_of(right: u32, all: u32) -> String;
    steps_of(count: u32) -> String;
    path_is(kind: &str) -> String;
    too_large(name: &str) -> String;
    tour_of(paragraph: usize, paragraphs: usize) -> String;
}
