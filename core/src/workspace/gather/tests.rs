use super::*;

fn gathered(path: &str, text: &str) -> Vec<(String, String)> {
    gather(&[(path.to_string(), text.to_string())], "nodes/node1")
}

/// Paths, and how many lines each has.
fn paths(path: &str, text: &str) -> Vec<(String, usize)> {
    let files = gathered(path, text);
    files
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .collect()
}

const SAVE: &str = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j ACCEPT\nCOMMIT\n";

#[test]
fn a_paste_with_prompts_comes_apart() {
    let text = format!(
        "root@work001:~# iptables-save\n{SAVE}root@work001:~# ip r\ndefault via 10.0.0.1 dev eth0\nroot@work001:~# ip route show table 100\n\
         default via 10.0.0.2 dev eth1\nroot@work001:~# date\nThu Nov 26\nroot@work001:~#\n"
    );
    let files = gathered("paste.txt", &text);
    let route = "default via 10.0.0.1 dev eth0\ndefault via 10.0.0.2 dev eth1 table 100\n";
    let wanted = [
        ("nodes/work001/iptables-save.txt", SAVE),
        ("nodes/work001/ip-route.txt", route),
        ("paste.txt", "Thu Nov 26\n"),
    ];
    let wanted = wanted.map(|(path, text)| (path.to_string(), text.to_string()));
    assert_eq!(files, wanted);
}

#[test]
fn two_nodes_in_one_paste_stay_apart() {
    let text = "[root@n1 ~]# ip rule\n0:\tfrom all lookup local\n[root@n2 ~]$ sudo ip -6 ru\n0:\tfrom all lookup local\n$ ssh root@n3 ip neigh\n10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 STALE\n";
    let wanted = [
        ("nodes/n1/ip-rule.txt".to_string(), 1),
        ("nodes/n2/ip-6-rule.txt".to_string(), 1),
        ("nodes/n3/ip-neigh.txt".to_string(), 1),
    ];
    assert_eq!(paths("x", text), wanted);
}

#[test]
fn kubectl_exec_names_the_pod() {
    let text = "$ kubectl -n istio-system exec -it gw-1 -c istio-proxy -- ss -lnt\nState  Recv-Q Send-Q Local Address:Port\nLISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n$ kubectl exec web-1 -- curl -s localhost:15000/config_dump\n{}\n";
    let wanted = [("pods/web-1/config-dump.json".to_string(), 1)];
    let found = paths("x", text);
    assert_eq!(found.last(), wanted.last());
    assert_eq!(found[0].0, "pods/istio-system/gw-1/ss.txt");
}

#[test]
fn a_text_without_a_command_is_told_by_its_look() {
    let node = |file: &str| format!("nodes/node1/{file}");
    for (text, wanted) in [
        (SAVE, node("iptables-save.txt")),
        (
            "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s ::1/128 -j ACCEPT\nCOMMIT\n",
            node("ip6tables-save.txt"),
        ),
        (
            "Chain KUBE-SERVICES (2 references)\ntarget prot opt source destination\nKUBE-SVC-X  tcp  --  0.0.0.0/0  10.96.0.1\n",
            node("iptables-list-nat.txt"),
        ),
        (
            "Chain FORWARD (policy DROP)\n",
            node("iptables-list-filter.txt"),
        ),
        (
            "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n",
            node("iptables-list-filter.txt"),
        ),
        ("table ip kube-proxy {\n}\n", node("nft-ruleset.txt")),
        (
            "create KUBE-X hash:ip,port family inet\n",
            node("ipset-save.txt"),
        ),
        (
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue\n",
            node("ip-addr.txt"),
        ),
        (
            "7: veth1@if3: <BROADCAST,UP> mtu 1500 master cni0 state forwarding priority 32 cost 2\n",
            node("bridge-link.txt"),
        ),
        (
            "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n",
            node("ip-rule.txt"),
        ),
        (
            "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n",
            node("ip-6-rule.txt"),
        ),
        (
            "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink\n",
            node("ip-route.txt"),
        ),
        (
            "10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 REACHABLE\n",
            node("ip-neigh.txt"),
        ),
        (
            "02:00:00:00:00:09 dev flannel.1 dst 10.0.0.9 self permanent\n",
            node("bridge-fdb.txt"),
        ),
        (
            "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n",
            node("brctl-show.txt"),
        ),
        (
            "Netid State Recv-Q Send-Q Local Address:Port\n",
            node("ss.txt"),
        ),
        ("net.ipv4.ip_forward = 1\n", node("sysctl.txt")),
        (
            "NAME READY STATUS RESTARTS AGE IP NODE\n",
            "kubectl-get-pods.txt".to_string(),
        ),
        (
            "NAMESPACE NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE\n",
            "kubectl-get-svc.txt".to_string(),
        ),
        (
            "NAME STATUS ROLES AGE VERSION INTERNAL-IP\n",
            "kubectl-get-nodes.txt".to_string(),
        ),
        (
            "apiVersion: v1\nkind: Service\n",
            "manifests/what.yaml".to_string(),
        ),
        ("Dear all,\nsee below.\n", "what.txt".to_string()),
    ] {
        let found: Vec<_> = gathered("what.txt", text).into_iter().collect();
        assert_eq!(found, [(wanted, text.to_string())]);
    }
}

#[test]
fn what_terminals_and_markdown_add_is_taken_away() {
    let text = "\u{feff}Our node:\r\n\r\n```console\r\n    \u{1b}[32mdefault\u{1b}[0m via 10.0.0.1 dev eth0\r\n    10.0.0.0/24 dev eth0\r\n```\r\n";
    let files = gathered("issue.md", text);
    let routes = "default via 10.0.0.1 dev eth0\n10.0.0.0/24 dev eth0\n";
    assert_eq!(
        files[1],
        ("nodes/node1/ip-route.txt".to_string(), routes.to_string())
    );
    assert_eq!(files[0].0, "issue.md");
}

#[test]
fn kubectl_get_all_comes_apart() {
    let text = "NAME READY STATUS RESTARTS AGE IP NODE\npod/web-1 1/1 Running 0 1d 10.0.0.5 n1\n\nNAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE\nservice/web ClusterIP 10.96.0.9 <none> 80/TCP 1d\n";
    let wanted = [
        ("kubectl-get-pods.txt".to_string(), 3),
        ("kubectl-get-svc.txt".to_string(), 2),
    ];
    assert_eq!(paths("all.txt", text), wanted);
}

#[test]
fn folders_and_names_of_files_tell_the_machine() {
    for (path, machine) in [
        ("dump/work001/iptables.txt", Some("work001")),
        (
            "sosreport-work001-2026-01-31-abc/sos_commands/networking/ip_route_show_table_all",
            Some("work001"),
        ),
        ("iptables-save.work001.txt", Some("work001")),
        ("work001-ip-route.log", Some("work001")),
        ("iptables.txt", None),
        ("notes.txt", None),
    ] {
        assert_eq!(machine_of(path).as_deref(), machine, "{path}");
    }
    assert_eq!(placed("a/b/vpc.yaml").as_deref(), Some("vpc.yaml"));
    assert_eq!(
        placed("dump/nodes/n1/ip-route.txt").as_deref(),
        Some("nodes/n1/ip-route.txt")
    );
}

#[test]
fn reports_name_their_files_as_commands() {
    let texts = [
        (
            "sosreport-w1-2026-01-31-x/sos_commands/networking/ip_route_show_table_all",
            "default via 10.0.0.1 dev eth0\n",
        ),
        (
            "sosreport-w1-2026-01-31-x/sos_commands/networking/ip_-6_route_show_table_all",
            "default via fe80::1 dev eth0\n",
        ),
        (
            "sosreport-w1-2026-01-31-x/sos_commands/networking/ip_netns_exec_q_ip_route",
            "default via 10.9.9.9 dev q\n",
        ),
        (
            "sosreport-w1-2026-01-31-x/sos_commands/firewall_tables/iptables_-t_nat_-nvL",
            "Chain X (0 references)\n",
        ),
    ];
    let texts = texts.map(|(path, text)| (path.to_string(), text.to_string()));
    let paths: Vec<_> = gather(&texts, "nodes/node1")
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    let wanted = [
        "nodes/w1/ip-route.txt",
        texts[2].0.as_str(),
        "nodes/w1/iptables-list-nat.txt",
    ];
    assert_eq!(paths, wanted);
}

#[test]
fn scripts_in_manifests_are_no_commands() {
    let yaml =
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  run: |\n    iptables-save\n    $ ip route\n";
    for path in ["cm.yaml", "pasted.txt"] {
        let files = gathered(path, yaml);
        let stem = path.split('.').next().unwrap();
        assert_eq!(
            files,
            [(format!("manifests/{stem}.yaml"), yaml.to_string())]
        );
    }
}

#[test]
fn a_name_that_is_no_folder_is_no_place() {
    for typed in [
        "ssh ../../etc ip a",
        "kubectl exec -n . x -- ip a",
        "ssh a/b ip a",
    ] {
        assert_eq!(command::read(typed).unwrap().place, None, "{typed}");
    }
}

#[test]
fn questions_and_changes_list_nothing() {
    for typed in [
        "ip route get 10.0.0.1",
        "ip addr add 10.0.0.1/8 dev eth0",
        "iptables -t nat -A X -j Y",
        "date",
        "ip",
    ] {
        assert_eq!(command::read(typed), None, "{typed}");
    }
}

fn texts(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = all
        .iter()
        .map(|(path, text)| (path.to_string(), text.to_string()));
    all.collect()
}

#[test]
fn no_text_is_lost_or_glued_to_another() {
    let route = "default via 10.0.0.1 dev eth0";
    let more = "10.0.0.0/24 dev eth0\n";
    for (given, wanted) in [
        (
            [
                ("nodes/n1/ip-route.txt", route),
                ("a/nodes/n1/ip-route.txt", more),
            ],
            vec![("nodes/n1/ip-route.txt", &*format!("{route}\n{more}"))],
        ),
        (
            [
                ("manifests/a.yaml", "kind: A"),
                ("manifests/a.yaml", "kind: B\n"),
            ],
            vec![("manifests/a.yaml", "kind: A\n---\nkind: B\n")],
        ),
        (
            [("vpc.yaml", "a\n"), ("vpc.yaml", "b\n")],
            vec![("vpc.yaml", "a\n"), ("vpc-2.yaml", "b\n")],
        ),
        (
            [("vpc.yaml", "a\n"), ("b/vpc.yaml", "b\n")],
            vec![("vpc.yaml", "a\n"), ("b/vpc.yaml", "b\n")],
        ),
        (
            [("vpc.yaml", "a\n"), ("b/vpc.yaml", "a")],
            vec![("vpc.yaml", "a\n")],
        ),
    ] {
        assert_eq!(gather(&texts(&given), "nodes/n1"), texts(&wanted));
    }
    let paste =
        "$ date\nThu Nov 26\n$ ip addr\n1: lo: <UP> mtu 65536\n$ ip addr\n1: lo: <> mtu 65536\n";
    let wanted = [
        ("x", "Thu Nov 26\n1: lo: <> mtu 65536\n"),
        ("nodes/node1/ip-addr.txt", "1: lo: <UP> mtu 65536\n"),
    ];
    assert_eq!(gathered("x", paste), texts(&wanted));
}

#[test]
fn what_is_typed_in_a_pods_shell_is_the_pods() {
    let route = "default via 10.244.1.1 dev eth0\n";
    let of = |open: &str, prompt: &str, close: &str| {
        let text = format!(
            "root@n1:~# {open}\n{prompt}ip r\n{route}{prompt}cat rules\n{SAVE}{close}ip r\ndefault via 10.0.0.1 dev eth0\n"
        );
        let files = gathered("x", &text);
        files.into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    let pods = [
        "pods/web/ip-route.txt",
        "pods/web/iptables-save.txt",
        "nodes/n1/ip-route.txt",
    ];
    let open = "kubectl exec -it web -- sh";
    assert_eq!(of(open, "/ # ", "root@n1:~# "), pods);
    assert_eq!(of(open, "root@web:/# ", "root@n1:~# "), pods);
    assert_eq!(of(open, "/ # ", "/ # exit\n$ "), pods);
    // Whose they are is not told.
    let untold = ["x", "nodes/n1/ip-route.txt"];
    for (open, prompt) in [
        (
            "kubectl exec -it deploy/web -- bash",
            "root@web-7d9f-abcde:/# ",
        ),
        ("crictl exec -it 0a1b2c3d sh", "/ # "),
    ] {
        assert_eq!(of(open, prompt, "root@n1:~# "), untold, "{open}");
    }
    for open in ["nsenter -t 4711 -n", "ip netns exec q bash"] {
        let close = "root@n1:~# exit\nroot@n1:~# ";
        assert_eq!(of(open, "root@n1:~# ", close), untold, "{open}");
    }
}

#[test]
fn other_network_namespaces_are_not_the_nodes() {
    for typed in [
        "nsenter -t 4711 -n iptables-save",
        "sudo nsenter -nt 4711 ip a",
        "nsenter --net=/run/netns/q ip a",
        "ip -n q route",
        "ip -netns q -4 addr",
        "bridge -n q link",
        "ss -N q -lnt",
        "crictl exec 0a1b2c3d ip a",
        "ssh n1 sudo ip netns exec q ip a",
        "kubectl exec web -- ip netns exec q ip a",
    ] {
        let command = command::read(typed).unwrap();
        assert!(command.elsewhere && command.place.is_none(), "{typed}");
        let files = gathered(
            "x",
            &format!("root@n1:~# {typed}\ndefault via 10.0.0.1 dev eth0\n"),
        );
        assert_eq!(files[0].0, "x", "{typed}");
    }
    for typed in [
        "nsenter -t 1 -m -n ip a",
        "nsenter -t 7 -m ip a",
        "ip -4 a",
        "ss -lnt",
    ] {
        assert!(!command::read(typed).unwrap().elsewhere, "{typed}");
    }
}

#[test]
fn pods_and_nodes_are_told_however_they_are_spelt() {
    for (typed, place) in [
        ("kubectl --context prod exec web -- ip a", "pods/web"),
        ("kubectl --namespace=x exec web -- ip a", "pods/x/web"),
        ("kubectl exec -n=x web -- ip a", "pods/x/web"),
        ("kubectl -nx exec web -- ip a", "pods/x/web"),
        ("kubectl exec -itn x web -c app -- ip a", "pods/x/web"),
        ("kubectl exec pod/web -- sh -c 'ip a'", "pods/web"),
        ("kubectl exec web ip a", "pods/web"),
        ("kubectl exec web -- cat /tmp/rules", "pods/web"),
        ("ssh n1 'iptables-save'", "nodes/n1"),
        ("ssh n1 \"sudo ip a\"", "nodes/n1"),
        ("ssh -p 22 -i key root@n1 sudo -u root ip a", "nodes/n1"),
        ("ssh jump ssh n1 ip a", "nodes/n1"),
        ("docker exec -u 0 -it n1 ip a", "nodes/n1"),
    ] {
        let command = command::read(typed).unwrap_or_default();
        let found = command.place.map(|place| place.to_string());
        assert_eq!(found.as_deref(), Some(place), "{typed}");
        assert!(!command.elsewhere, "{typed}");
    }
    for typed in [
        "kubectl exec deploy/web -- ip a",
        "kubectl exec -n $NS web -- ip a",
        "kubectl exec web -- ip route get 10.0.0.1",
        "ssh a/b ip a",
    ] {
        let command = command::read(typed).unwrap();
        assert!(command.elsewhere && command.place.is_none(), "{typed}");
    }
}
