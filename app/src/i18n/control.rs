//! Words of the panels about the cluster as a whole: its roads, its controllers, its life.

use northsouth::insight::Choice;

pub struct ControlWords {
    pub roads: &'static str,
    pub roads_about: &'static str,
    pub who: &'static str,
    pub chance: &'static str,
    /// Of so many connections.
    pub of_connections: fn(u32) -> String,
    /// A name, and how many of how many.
    pub bar: fn(&str, u32, u32) -> String,
    pub sees: fn(&str) -> String,
    /// Roads and forks of a share.
    pub forks: fn(usize) -> String,
    pub straight: &'static str,
    pub where_endpoint_is: &'static str,

    pub cluster: &'static str,
    pub no_manifests: &'static str,
    pub built_with: &'static str,
    pub choice: fn(Choice) -> &'static str,
    pub choice_word: fn(Choice, &'static str) -> String,
    pub dialects: &'static str,
    pub dialects_about: &'static str,
    pub service: &'static str,
    pub lines: fn(usize) -> String,
    pub life: &'static str,
    pub life_about: &'static str,
    pub changed: &'static str,
    pub before: &'static str,
    pub after: &'static str,
    pub existing: &'static str,
    pub gone: &'static str,
    pub come: &'static str,
    pub more_lines: fn(usize) -> String,
    pub drift: &'static str,
    pub drift_about: &'static str,
    pub missing: &'static str,
    pub own: &'static str,
    pub holds: &'static str,
    pub passed_over: &'static str,
    pub sharing: &'static str,
    pub anonymise: &'static str,
    pub anonymise_about: &'static str,

    /// Who makes it, and of which file.
    pub generated: fn(&str, &str) -> String,
    pub taken: fn(&str) -> String,
    pub show_diff: &'static str,
    pub give_back: fn(&str) -> String,
    /// Lines, files, steps.
    pub field_made: fn(usize, usize, usize) -> String,
    pub step: fn(usize) -> String,
}

pub const EN: ControlWords = ControlWords {
    roads: "Roads",
    roads_about: "Everybody who may take a new connection like this one: how likely by the rules, and how so many connections with this seed were shared out.",
    who: "Who",
    chance: "Chance",
    of_connections: |n| format!("of {n}"),
    bar: |name, count, all| format!("{name}: {count} of {all} connections"),
    sees: |peers| format!("sees {peers}"),
    forks: |n| plural(n, "road", "roads"),
    straight: "no fork on this road",
    where_endpoint_is: "the endpoint",

    cluster: "Cluster",
    no_manifests: "This workspace has no manifests: its machines are described by what was printed on them. Open a scenario that is made of manifests, or add a file cluster.yaml with yours.",
    built_with: "Built with",
    choice: |choice| match choice {
        Choice::Kubernetes => "Kubernetes",
        Choice::ProxyMode => "kube-proxy’s mode",
        Choice::Cloud => "Load balancer",
        Choice::Plugin => "Pods hang on",
        Choice::Routes => "Between nodes",
    },
    choice_word: |choice, word| match (choice, word) {
        (Choice::Cloud, "alibaba-slb") => "Alibaba SLB: destination rewritten".to_string(),
        (Choice::Cloud, "aws-nlb-instance") => "AWS NLB, instance targets".to_string(),
        (Choice::Cloud, "aws-nlb-ip") => "AWS NLB, IP targets".to_string(),
        (Choice::Cloud, "gcp-passthrough") => "GCP passthrough: nothing rewritten".to_string(),
        (Choice::Cloud, "metallb-l2") => "MetalLB, layer 2".to_string(),
        (Choice::Cloud, "full-nat") => "a proxy with full NAT".to_string(),
        (Choice::Plugin, "bridge") => "a bridge (flannel)".to_string(),
        (Choice::Plugin, "routed") => "routes of their own (Calico)".to_string(),
        (Choice::Routes, "vpc") => "the VPC’s route table (alloc)".to_string(),
        (Choice::Routes, "host-gw") => "routes on every node (host-gw)".to_string(),
        (_, word) => word.to_string(),
    },
    dialects: "One Service in every dialect",
    dialects_about: "What each release of kube-proxy programs for this Service on the first node. Only its own lines are shown.",
    service: "Service",
    lines: |n| plural(n, "line", "lines"),
    life: "Life",
    life_about: "Let something happen. It becomes an edit of the manifests, which you can undo.",
    changed: "What it changed",
    before: "Before",
    after: "New connection",
    existing: "The connection that was there",
    gone: "gone",
    come: "new",
    more_lines: |n| format!("and {} more", plural(n, "line", "lines")),
    drift: "Rules that kube-proxy would not write",
    drift_about: "Chains of these nodes that differ from what kube-proxy would program for the manifests.",
    missing: "missing here",
    own: "only here",
    holds: "What the manifests hold",
    passed_over: "Kept, but not modelled:",
    sharing: "Before sharing",
    anonymise: "Rename everything",
    anonymise_about: "Gives nodes, pods, Services, namespaces and addresses other names, the same ones everywhere, and empties annotations, environment and images. It can be undone.",

    generated: |who, from| format!("Generated: {who}, from {from}. Edit it, and it is yours."),
    taken: |who| format!("Yours, in the place of what {who} would write."),
    show_diff: "Difference",
    give_back: |who| format!("Give back to {who}"),
    field_made: |lines, files, steps| {
        let used = match steps {
            0 => "no step used them".to_string(),
            n => format!("used by {}", plural(n, "step", "steps")),
        };
        format!(
            "This field made {} in {}; {used}",
            plural(lines, "line", "lines"),
            plural(files, "file", "files")
        )
    },
    step: |n| format!("Step {n}:"),
};

fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

pub const ZH_CN: ControlWords = ControlWords {
    roads: "岔路",
    roads_about: "这样的新连接可能落到谁手里：按规则算出的精确概率，以及用当前种子实际建立一批连接的分布。",
    who: "谁",
    chance: "概率",
    of_connections: |n| format!("{n} 次中"),
    bar: |name, count, all| format!("{name}：{all} 个连接中有 {count} 个"),
    sees: |peers| format!("看到的对端是 {peers}"),
    forks: |n| format!("{n} 条路"),
    straight: "这条路上没有岔口",
    where_endpoint_is: "端点所在",

    cluster: "集群",
    no_manifests: "这个工作区没有清单，各台机器由命令输出描述。可以打开由清单组成的场景，或加入自己的 cluster.yaml。",
    built_with: "集群的构成",
    choice: |choice| match choice {
        Choice::Kubernetes => "Kubernetes 版本",
        Choice::ProxyMode => "kube-proxy 模式",
        Choice::Cloud => "负载均衡",
        Choice::Plugin => "Pod 的接入",
        Choice::Routes => "跨节点",
    },
    choice_word: |choice, word| match (choice, word) {
        (Choice::Cloud, "alibaba-slb") => "阿里云 SLB：改写目的地址".to_string(),
        (Choice::Cloud, "aws-nlb-instance") => "AWS NLB，实例目标".to_string(),
        (Choice::Cloud, "aws-nlb-ip") => "AWS NLB，IP 目标".to_string(),
        (Choice::Cloud, "gcp-passthrough") => "GCP 直通：什么都不改".to_string(),
        (Choice::Cloud, "metallb-l2") => "MetalLB 二层模式".to_string(),
        (Choice::Cloud, "full-nat") => "全 NAT 的代理".to_string(),
        (Choice::Plugin, "bridge") => "网桥（flannel）".to_string(),
        (Choice::Plugin, "routed") => "每个 Pod 一条路由（Calico）".to_string(),
        (Choice::Routes, "vpc") => "VPC 路由表（alloc）".to_string(),
        (Choice::Routes, "host-gw") => "节点上的路由（host-gw）".to_string(),
        (_, word) => word.to_string(),
    },
    dialects: "同一 Service 的各版写法",
    dialects_about: "各版 kube-proxy 在第一个节点上为这个 Service 下发的规则，只列出属于它的行。",
    service: "Service",
    lines: |n| format!("{n} 行"),
    life: "集群的变化",
    life_about: "让一件事发生。它会变成对清单的一次修改，可以撤销。",
    changed: "带来的变化",
    before: "之前",
    after: "新连接",
    existing: "原有的连接",
    gone: "删去",
    come: "新增",
    more_lines: |n| format!("另有 {n} 行"),
    drift: "与 kube-proxy 不一致的规则",
    drift_about: "这些节点上的链，与 kube-proxy 按清单应下发的规则不同。",
    missing: "这里缺少",
    own: "只有这里有",
    holds: "清单里有什么",
    passed_over: "已保留但未建模：",
    sharing: "分享之前",
    anonymise: "全部改名",
    anonymise_about: "给节点、Pod、Service、命名空间和地址换上别的名字，处处一致，并清空注解、环境变量和镜像。可以撤销。",

    generated: |who, from| format!("由 {who} 根据 {from} 生成。一经编辑就归你所有。"),
    taken: |who| format!("这是你自己的版本，代替了 {who} 会写的内容。"),
    show_diff: "差异",
    give_back: |who| format!("交还给 {who}"),
    field_made: |lines, files, steps| {
        let used = match steps {
            0 => "没有步骤用到".to_string(),
            n => format!("有 {n} 步用到"),
        };
        format!("这个字段产生了 {files} 个文件中的 {lines} 行，{used}")
    },
    step: |n| format!("第 {n} 步："),
};
