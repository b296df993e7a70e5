use northsouth::text::Outcome;
use northsouth::trace::{Disposition, Role};

use super::Words;
use crate::state::Level;
use crate::view_model::balancer::Mode;

pub const WORDS: Words = Words {
    page_title: "Northsouth",
    skip_to_explanation: "Skip to the explanation",
    close: "Close",
    undo: "Undo",
    redo: "Redo",
    theme: "Light or dark",
    menu: "Menu",

    files: "Files",
    machines: "Machines",
    cluster: "cluster",
    files_width: "Width of the files",
    explanation_width: "Width of the explanation",
    printed_by: |command| match command {
        None => "A small file of this page’s own.".to_string(),
        Some(command) => format!("As “{command}” prints it."),
    },
    made_from_manifests: "Made from the manifests; once edited, it is yours.",
    edited: "Yours: edited.",
    reset_file: "Reset this file",
    reset_all: "Reset all files",
    problems: |errors, others| match (errors, others) {
        (0, n) => plural(n, "remark", "remarks"),
        (n, 0) => plural(n, "error", "errors"),
        (e, n) => format!(
            "{}, {}",
            plural(e, "error", "errors"),
            plural(n, "remark", "remarks")
        ),
    },

    map: "Map of the way",
    client: "client",
    load_balancer: "load balancer",
    router: "VPC router",
    node: "node",
    pod: "pod",
    routing: "routing",
    process: "process",
    this_host: "this host",
    conntrack: "conntrack",
    neighbours: "neighbours",
    open_place: |what, machine| format!("{what}, {machine}"),
    packet_is_here: |label| format!("{label}: the packet is here"),
    follow_packet: "Follow the packet",
    zoom: "What the map shows",
    level: |level| match level {
        Level::Way => "Whole way",
        Level::Host => "Machine",
        Level::Chain => "Chain",
        Level::Rule => "Rule",
    },
    nearer: "Zoom in",
    farther: "Zoom out",
    fit: "Fit",
    more_pods: |n| plural(n, "more pod", "more pods"),
    more_nodes: |n| plural(n, "more node", "more nodes"),
    pods: |n| plural(n, "pod", "pods"),
    inside: |pod| format!("Inside {pod}"),
    host_note: |n| format!("Linux host · {}", plural(n, "rule", "rules")),
    bridge_note: |subnet, ports| match subnet {
        "" => plural(ports, "port", "ports"),
        subnet => format!("{subnet} · {}", plural(ports, "port", "ports")),
    },
    listens: |ports| match ports {
        "" => "nothing listens".to_string(),
        ports => format!("listens on {ports}"),
    },
    backends: |n| plural(n, "backend", "backends"),
    table_at_hook: |table, hook| format!("Table {table}, at hook {hook}"),
    more_rules: |n| plural(n, "more rule", "more rules"),
    no_rules: "No table has a chain at this hook: packets pass.",
    nothing_here: "Nothing to see here.",
    policy: |policy| format!("policy {policy}"),
    end_of_chain: "end of the chain: back",
    outcome: |outcome| match outcome {
        Outcome::Held => "held",
        Outcome::Failed => "did not hold",
        Outcome::NotTried => "not looked at",
        Outcome::CannotTell => "cannot tell",
    },

    explanation: "Explanation",
    this_step: "This step",
    all_steps: "All steps",
    packet: "The packet, before and after",
    was: "was",
    is_now: "is now",
    source: "source",
    destination: "destination",
    protocol: "protocol",
    ttl: "TTL",
    tos: "TOS",
    mark: "mark",
    in_interface: "in",
    out_interface: "out",
    why: "Why",
    passed_over: "Passed over",
    what_it_means: "What it means",
    written: "Where it is written",
    made_by: "Made by",
    more: |n| format!("{n} more"),
    no_steps: "The packet takes no step. See what is said about the files.",
    chain_with_counters: |chain| format!("{chain}, with the packets of this run"),
    rule_number: |n| format!("rule {n}"),
    port_of: |bridge| format!("port of {bridge}"),
    bridge_table: |bridge| format!("Table of {bridge}"),
    route_table: "Route table",
    line: |file, line| format!("{file}:{line}"),

    time: "Time",
    timeline: "Step",
    replay: "From the beginning",
    play: "play",
    pause: "pause",
    step_back: "step",
    step_forward: "step",
    over_chain: "over chain",
    step_out: "out",
    run_to: "Run to",
    next_change: "next change",
    next_machine: "next machine",
    next_breakpoint: "next breakpoint",
    breakpoint: "breakpoint",
    breakpoints: "Breakpoints",
    breakpoint_here: "Stop at this line",
    stops: |steps| match steps {
        0 => "no step meets it".to_string(),
        n => format!("met by {}", plural(n, "step", "steps")),
    },
    remove: |what| format!("Remove {what}"),
    shortcuts: "Keyboard shortcuts",
    shortcuts_about: "They work wherever the focus is, except in texts and fields. In the editor, F9 sets a breakpoint on the line at hand.",
    shortcuts_on: "Single keys do this",
    backwards: "and back:",
    key_play: "Play or pause",
    key_step: "A step",
    key_over: "Over the chain that a rule goes into",
    key_out: "Out of the chain or part at hand",
    key_change: "To the next change of the packet",
    key_machine: "To the next machine",
    key_run: "To the next breakpoint, or the end",
    key_breakpoint: "Breakpoint on the line at hand, or none",
    key_follow: "Follow the packet on the map",
    speed: "Speed",
    step_of: |step, steps| format!("step {step} of {steps}"),
    role: |role| match role {
        Role::Request => "request",
        Role::Reply => "reply",
        Role::Error => "error message",
    },
    packets: "The packets of the conversation",
    destination_changed: "destination changed",
    source_changed: "source changed",
    mark_changed: "mark changed",
    journey: |role, count| {
        let name = match role {
            Role::Request => "Request",
            Role::Reply => "Reply",
            Role::Error => "Error message",
        };
        match count {
            1 => name.to_string(),
            n => format!("{name}, packet {n}"),
        }
    },
    disposition: |disposition| match disposition {
        Disposition::Delivered => "Delivered.",
        Disposition::Dropped => "Dropped by a rule.",
        Disposition::Rejected => "Refused by a rule, which answered.",
        Disposition::NoRoute => "There is no route.",
        Disposition::RefusedSource => "Refused for its source address.",
        Disposition::NoNeighbour => "Nobody answers for the next address.",
        Disposition::TtlExceeded => "Its TTL ran out.",
        Disposition::Loop => "It went in circles.",
        Disposition::NothingListens => "Nothing listens there.",
        Disposition::NoBackend => "The load balancer had no backend for it.",
        Disposition::Left => "It left the machines that are known here.",
        Disposition::Answered => "A proxy answered by itself.",
        Disposition::Closed => "A proxy closed the connection without an answer.",
        Disposition::CannotTell => "Cannot tell: it met what is not modelled.",
    },

    probe: "Probe",
    from: "From",
    to: "To",
    kind: "Sends",
    port: "Port",
    http_host: "Host",
    path: "Path",
    probe_kind: |name| match name {
        "http" => "an HTTP request",
        "udp" => "a UDP datagram",
        "icmp" => "an ICMP echo (ping)",
        _ => "a TCP connection",
    },
    not_an_address: "Not an IP address yet.",
    forwarding: "How the load balancer forwards",
    mode: |mode| match mode {
        Mode::Keep => "keeps the destination",
        Mode::RewriteDestination => "rewrites the destination to node and port",
        Mode::FullNat => "rewrites source and destination (full NAT)",
    },
    mode_is_a_line: |name| {
        format!("This switch edits a line of load-balancer.yaml. It now says “forwarding: {name}”.")
    },

    scenarios: "Scenarios",
    scenario_colon: "Scenario: ",
    scenarios_keep: "Your edits of each scenario are kept in this browser; opening another one loses nothing.",

    terminal: "Terminal",
    terminal_on: "On",
    terminal_output: "What the commands printed",
    terminal_keys: "Tab completes, ↑ and ↓ go through what was given. Escape, then Tab, leaves the line. The tools look at the machine as the run left it; rules and routes are changed in their files.",
    terminal_offered: "Commands to try",
    command_on: |host| format!("Command on {host}"),
    clear: "Clear",

    compare: "Compare",
    compared_with_kept: "This run beside the one that you kept.",
    compared_with_pristine: "This run beside the scenario as it comes. Keep a run, edit, and see what the edit changed.",
    keep_reference: "Keep this run as the reference",
    drop_reference: "Back to the scenario as it comes",
    the_walks: "The walks",
    walks_same: "Both walks are the same, step by step.",
    the_texts: "The texts",
    texts_same: "The texts are the same, those that controllers make among them.",
    steps_same: |n| format!("{} the same", plural(n, "step is", "steps are")),
    parting_here: "Here the walks part",

    why_not: "Why not",
    why_not_here: "Why not this one?",
    why_not_about: "Ask any rule, route or backend why this packet did not take it, and what it would take.",
    find_line: "Find a line",
    what_it_takes: "What it would take",
    do_it: "Try it",
    ask_another: "Ask another line",
    to_step: |step| format!("At step {step}"),

    coverage: "Coverage",
    coverage_about: "Sends probes to every address and port where a load balancer, a rule or a socket waits, from the client, a node and a pod, and shows which lines took a packet.",
    more_probes: "More probes, one a line",
    measure: "Measure",
    coverage_stale: "The texts were edited since: measure again.",
    not_probes: |lines| {
        let lines: Vec<_> = lines.iter().map(usize::to_string).collect();
        format!("No probe can be read in line {}.", lines.join(", "))
    },
    covered: |taken, lines, probes| {
        format!(
            "{taken} of {} took a packet of {}.",
            plural(lines, "line", "lines"),
            plural(probes, "probe", "probes")
        )
    },

    how_we_know: "How we know",
    walk_depends: |n| match n {
        0 => "Every step of this walk is modelled exactly.".to_string(),
        n => format!(
            "This walk depends on {} modelled less than exactly.",
            plural(n, "thing", "things")
        ),
    },
    steps_of: |n| plural(n as usize, "step", "steps"),

    new_file: "New file",
    delete_file: "Delete this file",
    rename_file: "Rename",
    file_path: "Path",
    path_is: |kind| format!("Read as: {kind}"),
    path_taken: "There is such a file already.",
    add_it: "Add",
    open_files: "Open files…",
    dropped_about: "A path says what a file is. Mend those that are not known; they are kept as they are otherwise.",
    take_them: "Take these files",
    too_large: |name| format!("{name} is too large or is no text; it was left out."),
    editor_keys: "Tab leaves the text; Ctrl+Space completes, F12 goes to the definition, Ctrl+F searches. Escape closes what is open.",

    tour: "Tour",
    tour_of: |at, count| format!("Tour {at} / {count}"),
    previous: "Previous",
    next: "Next",
    show_again: "Show again",
    end_tour: "End the tour",
    tour_lost: "After the edits, the packet no longer comes to the step that this paragraph tells of.",

    kept_unreadable: "What this browser kept from your last visit could not be read. It is set aside, and the scenario is open as it comes.",
    failed_last_time: "The page failed on your last visit. Your texts of then are set aside, and the scenario is open as it comes.",
    not_saved: "This browser keeps nothing for your next visit: copy what you want to keep.",
    unknown_address: |fragment| {
        format!(
            "There is nothing here by the name of “#{fragment}”. The playground is open instead."
        )
    },
    not_fetched: "What this needs could not be fetched. Are you offline? Try again.",
    link_failed: "The page failed on the last visit with this link, so the scenario is open as it comes. Reload the page to try the link again.",
    link_edited: "You have edited what this link opens; it is open as you left it.",
    open_as_shared: "Open as it was shared",
    no_source: |address| {
        format!(
            "There is no file “{address}” beside this page. Only files of the page’s own site are opened."
        )
    },
    what_was_kept: "What was kept",
    open_again: "Open my texts again",

    share: "Share",
    share_link: "Link",
    share_length: |n| {
        format!("{n} characters. The workspace is in the link itself; nothing is sent anywhere. ")
    },
    share_too_long: "That is too long for a link: programs on its way would cut it. Save the workspace as a file instead.",
    share_here: "Open at this step, with this view",
    share_language: "Open in this language",
    share_text: "Copy the walk",
    share_files: "Save",
    share_open_about: "The zip has the plain files, as the tools print them. Zips and pictures that were saved here open again, also by dropping them on the page.",
    copy: "Copy",
    copy_markdown: "As Markdown",
    copy_text: "As text, every packet",
    save_zip: "Workspace (zip)",
    open_file: "Open a file:",
    copied: "Copied.",
    not_copied: "The browser does not allow copying here. Select the text and copy it yourself.",
};

fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
