//! Rulesets of nftables read without a fault, and walked.

use northsouth::netfilter::walk::{StepKind, Verdict};
use northsouth::netfilter::{Context, nft};
use northsouth::text::{FileId, Lang};

pub fn read(text: &str) -> nft::Ruleset {
    let (rules, diagnostics) = nft::read(text, FileId(0));
    let said: Vec<_> = diagnostics
        .iter()
        .map(|d| d.message.text(Lang::En))
        .collect();
    assert!(said.is_empty(), "{said:?}");
    rules
}

/// All base chains of the packet's hook in the order in which they were written, up to a verdict that ends the way:
/// `CHAIN NUMBER` for each rule that matched, `CHAIN policy`, and the verdict.
pub fn walk(rules: &nft::Ruleset, ctx: &mut Context, state: &mut nft::State) -> String {
    let mut out = Vec::new();
    for (base, _) in rules.base_chains(ctx.hook, ctx.packet.dst.is_ipv6()) {
        let walked = nft::traverse(rules, base, ctx, state).unwrap();
        for step in &walked.steps {
            let chain = &rules
                .table(base.table)
                .unwrap()
                .chain(step.chain)
                .unwrap()
                .name;
            out.push(match step.kind {
                StepKind::Rule => format!("{chain} {}", step.index + 1),
                StepKind::Policy => format!("{chain} policy"),
                StepKind::Return => format!("{chain} end"),
            });
        }
        if walked.verdict != Verdict::Accept {
            out.push(match walked.verdict {
                Verdict::Nat(nat) => {
                    let addr = nat
                        .range
                        .addrs
                        .map(|a| a.low.to_string())
                        .unwrap_or_default();
                    let port = nat
                        .range
                        .ports
                        .map(|p| format!(":{}", p.low))
                        .unwrap_or_default();
                    format!("{:?} {addr}{port}", nat.kind).trim().to_lowercase()
                }
                Verdict::CannotTell(what) => format!("cannot tell {}", what.text),
                other => format!("{other:?}").to_lowercase(),
            });
            break;
        }
    }
    out.join(", ")
}
