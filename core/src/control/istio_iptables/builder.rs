//! Source: `tools/istio-iptables/pkg/builder/iptables_builder_impl.go`.

const BUILT_IN: [&str; 8] = [
    "INPUT",
    "OUTPUT",
    "FORWARD",
    "PREROUTING",
    "POSTROUTING",
    "ACCEPT",
    "RETURN",
    "DROP",
];

/// The rules of one family in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Builder {
    rules: Vec<Rule>,
}

struct Rule {
    table: &'static str,
    chain: &'static str,
    text: String,
}

impl Rule {
    /// The chain that it jumps to.
    fn target(&self) -> Option<&str> {
        let (before, target) = self.text.rsplit_once(' ')?;
        before.ends_with(" -j").then_some(target)
    }
}

impl Builder {
    pub(super) fn append(&mut self, table: &'static str, chain: &'static str, rule: &str) {
        let text = format!("-A {chain} {rule}");
        self.rules.push(Rule { table, chain, text });
    }

    pub(super) fn insert(
        &mut self,
        table: &'static str,
        chain: &'static str,
        position: usize,
        rule: &str,
    ) {
        let text = format!("-I {chain} {position} {rule}");
        self.rules.push(Rule { table, chain, text });
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for table in ["filter", "mangle", "nat", "raw"] {
            let rules = || self.rules.iter().filter(|r| r.table == table);
            if rules().next().is_none() {
                continue;
            }
            out.push_str(&format!("* {table}\n"));
            let mut chains: Vec<&str> = Vec::new();
            let with_rules = rules().map(|r| r.chain);
            for chain in with_rules.chain(rules().filter_map(Rule::target)) {
                if !chains.contains(&chain) && !BUILT_IN.contains(&chain) {
                    out.push_str(&format!("-N {chain}\n"));
                    chains.push(chain);
                }
            }
            for rule in rules() {
                out.push_str(&rule.text);
                out.push('\n');
            }
            out.push_str("COMMIT\n");
        }
        out
    }
}
