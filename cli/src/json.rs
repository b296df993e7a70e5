//! Results as JSON. The shape carries a version; what is added later keeps it.

use northsouth::text::{Diagnostic, File, Lang};
use northsouth::trace::tell;
use northsouth::workspace::{Run, Workspace};
use serde_json::{Value, json};

/// A trace with its hosts' names and every step's sentence beside the step.
pub fn trace(workspace: &Workspace, run: &Run, lang: Lang) -> Value {
    let journeys: Vec<Value> = run
        .trace
        .journeys
        .iter()
        .map(|journey| {
            let hops: Vec<Value> = journey
                .hops
                .iter()
                .map(|hop| {
                    let steps: Vec<Value> = hop
                        .steps
                        .iter()
                        .map(|step| {
                            json!({
                                "said": tell(&run.world, hop.host, step).text(lang),
                                "part": step.part,
                                "action": step.action,
                                "changes": step.changes,
                                "after": step.after,
                            })
                        })
                        .collect();
                    let name = run.world.host(hop.host).map(|h| h.name.to_string());
                    json!({ "host": name, "steps": steps })
                })
                .collect();
            json!({
                "role": journey.role,
                "cause": journey.cause,
                "packet": journey.packet,
                "disposition": journey.disposition,
                "hops": hops,
            })
        })
        .collect();
    let diagnostics: Vec<Value> = run
        .diagnostics
        .iter()
        .map(|d| diagnostic(&run.files, d, lang))
        .collect();
    json!({
        "version": 1,
        "probe": workspace.probe.to_string(),
        "seed": workspace.seed,
        "disposition": run.trace.disposition,
        "journeys": journeys,
        "diagnostics": diagnostics,
    })
}

fn diagnostic(files: &[File], diagnostic: &Diagnostic, lang: Lang) -> Value {
    let file = files.get(diagnostic.span.file.index());
    let at = file.map(|f| f.line_column(diagnostic.span.start));
    json!({
        "code": diagnostic.code(),
        "severity": diagnostic.severity,
        "message": diagnostic.message.text(lang),
        "help": diagnostic.help.as_ref().map(|h| h.text(lang)),
        "file": file.map(|f| f.name.to_string()),
        "line": at.map(|at| at.line),
        "column": at.map(|at| at.column),
    })
}
