use northsouth::text::Outcome;
use northsouth::trace::{Disposition, Role};

use super::Words;
use crate::view_model::balancer::Mode;

pub const WORDS: Words = Words {
    page_title: "Northsouth",
    skip_to_explanation: "Skip to the explanation",
    close: "Close",
    undo: "Undo",
    redo: "Redo",
    theme: "Light or dark",

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
    back_to_packet: "Back to the packet",
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
    what_was_kept: "What was kept",
    open_again: "Open my texts again",
};

fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
