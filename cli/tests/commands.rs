//! The commands as a shell sees them: what they print, and their exit status.

use std::process::{Command, Output, Stdio};

fn northsouth(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_northsouth"));
    command.args(args).env("LANG", "C").env_remove("LC_ALL");
    command.env_remove("LC_MESSAGES").output().unwrap()
}

/// The exit status, and what stands on the first of both streams.
fn told(args: &[&str]) -> (i32, String, String) {
    let output = northsouth(args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../content/scenarios/article");

#[test]
fn trace_prints_the_default_walk() {
    let (status, out, err) = told(&["trace"]);
    assert_eq!((status, &*err), (0, ""));
    assert!(out.starts_with("client http GET http://182.92.251.227/\n"));
    assert!(out.contains("envoy gets the packet, as it listens on 0.0.0.0:80"));
    assert!(out.ends_with("it is delivered\n"));
}

#[test]
fn what_is_not_there_is_named() {
    let (status, _, err) = told(&["trace", "nowhere/"]);
    let said = "nowhere/: there is no such folder or file, nor is it a link\n";
    assert_eq!((status, &*err), (2, said));
    let (status, _, err) = told(&["frobnicate"]);
    assert_eq!(status, 2);
    assert!(err.ends_with("there is no command `frobnicate`\n"), "{err}");
    let (_, _, err) = told(&["trace", "9.deflate.abc"]);
    assert!(err.contains("newer Northsouth"), "{err}");
}

#[test]
fn nobody_reading_on_is_no_fault() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_northsouth"));
    let command = command.args(["trace", "--json"]);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*said), (Some(141), ""));
}

#[test]
fn a_folder_gives_the_same_walk_as_the_scenario_made_of_it() {
    assert_eq!(told(&["trace", SCENARIO]), told(&["trace"]));
}

#[test]
fn trace_speaks_chinese() {
    let (status, out, _) = told(&["trace", "--lang", "zh-CN"]);
    assert_eq!(status, 0);
    assert!(out.ends_with("送达\n"));
}

#[test]
fn json_is_json_and_has_every_sentence() {
    let (status, out, _) = told(&["trace", "--json", "--mode", "keep-destination"]);
    assert_eq!(status, 0);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["disposition"], "Delivered");
    let steps = value["journeys"][0]["hops"][0]["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .all(|s| !s["said"].as_str().unwrap().is_empty())
    );
}

#[test]
fn the_exit_status_tells_whether_the_request_arrives() {
    for (probe, status) in [
        ("client tcp 182.92.251.227:80", 0),
        ("client tcp 182.92.251.227:81", 1),
        ("client icmp 192.168.0.17", 0),
        ("nobody tcp 182.92.251.227:80", 2),
        ("client smtp 182.92.251.227:80", 2),
    ] {
        assert_eq!(told(&["trace", "--probe", probe]).0, status, "{probe}");
    }
    for args in [
        &["trace", "--scenario", "nothing"][..],
        &["trace", "--mode", "teleport"],
        &["trace", "--seed", "x"],
        &["trace", "--sed", "1"],
        &["trace", "/nowhere"],
        &["explain"],
        &["frobnicate"],
    ] {
        let (status, out, err) = told(args);
        assert_eq!((status, &*out), (2, ""), "{args:?}");
        assert!(!err.is_empty());
    }
}

#[test]
fn a_file_of_ones_own_takes_a_files_place_and_is_judged() {
    let dir = std::env::temp_dir().join(format!("northsouth-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("routes.txt");
    std::fs::write(
        &path,
        "default via 192.168.0.253 dev eth0\n172.20.1.128/33 dev cni0\n",
    )
    .unwrap();
    let file = format!("nodes/work001/ip-route.txt={}", path.display());
    let (status, _, err) = told(&[
        "trace",
        "--file",
        &file,
        "--probe",
        "client tcp 182.92.251.227:80",
    ]);
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(err.contains("error[texts/bad-mask]"), "{err}");
    assert!(err.contains("--> nodes/work001/ip-route.txt:2:14"), "{err}");
    assert_eq!(status, 0, "the health check fails, so work002 serves");
}

#[test]
fn explain_walks_a_packet_over_dumps() {
    let input = |name: &str| format!("{SCENARIO}/nodes/work001/{name}");
    let (status, out, err) = told(&[
        "explain",
        "--iptables",
        &input("iptables-save.txt"),
        "--routes",
        &input("ip-route.txt"),
        "--addr",
        &input("ip-addr.txt"),
        "--packet",
        "in eth0 tcp 1.2.3.4:5 > 192.168.0.17:31061",
    ]);
    assert_eq!((status, &*err), (0, ""));
    assert!(out.contains("-j DNAT --to-destination 172.20.1.157:80"));
    assert!(!out.contains("the rule wants"));
    let (status, out, _) = told(&[
        "explain",
        "--iptables",
        &input("iptables-save.txt"),
        "--routes",
        &input("ip-route.txt"),
        "--why",
        "--packet",
        "in eth0 tcp 1.2.3.4:5 > 192.168.0.17:22",
    ]);
    assert_eq!(status, 1);
    assert!(out.contains("dport is 22, the rule wants 31061"), "{out}");
}

#[test]
fn explain_takes_the_articles_own_listing() {
    let listing = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../core/tests/article/iptables-list.txt"
    );
    let (status, out, _) = told(&[
        "explain",
        "--list",
        &format!("nat={listing}"),
        "--routes",
        &format!("{SCENARIO}/nodes/work001/ip-route.txt"),
        "--packet",
        "in eth0 tcp 1.2.3.4:5 > 182.92.251.227:80",
    ]);
    assert_eq!(status, 0);
    assert!(out.contains(
        "-A KUBE-SEP-EW7YLHH65NRUVIFQ -p tcp -m tcp -j DNAT --to-destination 172.20.1.157:80"
    ));
}

#[test]
fn compare_shows_where_walks_part_and_how_texts_differ() {
    let (status, out, _) = told(&["compare", "article", SCENARIO]);
    assert_eq!((status, &*out), (0, ""));
    let (status, out, _) = told(&["compare", "canary-header", "canary-weight"]);
    assert_eq!(status, 1);
    assert!(
        out.contains("@@ ") && out.contains("--- manifests/"),
        "{out}"
    );
    assert_eq!(told(&["compare", "article"]).0, 2);
}

#[test]
fn why_not_names_the_criterion_and_what_it_would_take() {
    let rules = "nodes/work001/iptables-save.txt";
    let at = |text: &str| format!("{rules}:{text}");
    let (status, out, _) = told(&["why-not", &at("-A KUBE-SERVICES -d 182.92.251.227/32")]);
    assert_eq!(status, 1);
    assert!(
        out.contains("the rule wants 182.92.251.227/32") && out.contains("→ "),
        "{out}"
    );
    let (status, out, _) = told(&[
        "why-not",
        &at("-A KUBE-SEP-EW7YLHH65NRUVIFQ -p tcp"),
        "--lang",
        "zh-CN",
    ]);
    assert_eq!(status, 0);
    assert!(out.contains("数据包走了这一条"), "{out}");
    assert_eq!(told(&["why-not", "nowhere.txt:1"]).0, 2);
}

#[test]
fn coverage_counts_lines_and_takes_probes_from_a_file() {
    let (status, out, _) = told(&["coverage"]);
    assert_eq!(status, 0);
    assert!(
        out.contains("✓ [80:4800] -A KUBE-SEP-EW7YLHH65NRUVIFQ"),
        "{out}"
    );
}
