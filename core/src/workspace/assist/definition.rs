//! Where what a word names is written.

use super::{ends_word, host, yaml};
use crate::text::{FileId, Span};
use crate::topology::Host;
use crate::workspace::{FileKind, HostFile, Run};

/// The chain that a rule jumps to, the Service, subset or object that a manifest names, the machine that a table lists: where
/// it is written. `None` where the word at that byte names nothing that these texts have.
pub fn definition(run: &Run, file: FileId, offset: u32) -> Option<Span> {
    let text = &run.files.get(file.index())?.text;
    let offset = offset as usize;
    let head = text.get(..offset)?;
    let start = head.rfind(ends_word).map_or(0, |at| at + 1);
    let rest = text.get(offset..)?;
    let end = offset + rest.find(ends_word).unwrap_or(rest.len());
    let word = text.get(start..end)?;
    if word.is_empty() {
        return None;
    }
    match FileKind::of(&run.files.get(file.index())?.name) {
        FileKind::Host(place, HostFile::IptablesSave | HostFile::Ip6tablesSave) => {
            chain(host(run, &place)?, text, (file, start), word)
        }
        FileKind::Manifests => object(run, file, start, word),
        _ => None,
    }
}

/// The line `:CHAIN` of the table that the word is in, unless it is that line.
fn chain(host: &Host, text: &str, (file, at): (FileId, usize), word: &str) -> Option<Span> {
    let tables = host.iptables.tables.iter();
    let above = tables.filter(|t| t.span.file == file && t.span.start as usize <= at);
    let table = above.max_by_key(|t| t.span.start)?;
    let chain = table.chains.iter().find(|chain| *chain.name == *word)?;
    let line = chain.span.range();
    // One that is built in may be without a line of its own.
    let declared = text.get(line.clone())?.starts_with(':') && !line.contains(&at);
    declared.then(|| Span::new(file, line.start + 1, line.start + 1 + word.len()))
}

/// `name: WORD` in a manifest: of an object, or of a subset where the field asks for one.
fn object(run: &Run, file: FileId, at: usize, word: &str) -> Option<Span> {
    let text = &run.files.get(file.index())?.text;
    let line = text.get(..at)?.rsplit('\n').next()?;
    let part = yaml::flow(line).map_or(line, |(_, part)| part);
    let field = part.trim_start_matches([' ', '-']).split(':').next()?;
    let field = field.trim();
    let kinds: &[&str] = match field {
        "host" | "hosts" => &["Service", "ServiceEntry"],
        "gateways" => &["Gateway"],
        "subset" => &["DestinationRule"],
        "delegate" => &["VirtualService"],
        "name" => &["VirtualService", "Service", "Gateway"],
        "nodeName" => &["Node"],
        // An item of a list: the field above tells.
        _ => &[
            "Service",
            "ServiceEntry",
            "Gateway",
            "Node",
            "Pod",
            "DestinationRule",
            "VirtualService",
        ],
    };
    let short = word.split('.').next().unwrap_or(word);
    let short = short.rsplit('/').next().unwrap_or(short);
    let mut found = None;
    for (file_at, other) in run.files.iter().enumerate() {
        if FileKind::of(&other.name) != FileKind::Manifests {
            continue;
        }
        let mut start = 0;
        for document in other.text.split_inclusive("\n---") {
            let kind = document.lines().find_map(|l| l.strip_prefix("kind:"));
            let fits = kind.is_some_and(|k| kinds.contains(&k.trim()));
            let mut line_at = start;
            for line in document.split_inclusive('\n').filter(|_| fits) {
                let subset = field == "subset";
                let wanted = if subset { word } else { short };
                let of_object = line.starts_with("  name:") || line.starts_with("metadata:");
                let own = file.index() == file_at && (line_at..line_at + line.len()).contains(&at);
                if let Some(column) = named(line, wanted)
                    && of_object != subset
                    && !own
                    && found.is_none()
                {
                    found = Some(Span::new(
                        FileId::at(file_at),
                        line_at + column,
                        line_at + column + wanted.len(),
                    ));
                }
                line_at += line.len();
            }
            start += document.len();
        }
    }
    found
}

/// Where a line gives something that name, as `name: WORD` or in braces.
fn named(line: &str, wanted: &str) -> Option<usize> {
    line.match_indices("name:").find_map(|(at, key)| {
        let is_key = line.get(..at)?.ends_with([' ', '{', ',', '-']) || at == 0;
        let from = at + key.len();
        let rest = line.get(from..)?;
        let value = rest.split([',', '}', '\n', '#']).next()?;
        let bare = value.trim().trim_matches(['"', '\'']);
        (is_key && bare == wanted).then(|| rest.find(wanted).map(|n| from + n))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::File;
    use crate::workspace::{DEFAULT, Scenario, run};

    /// The line that the word at the bar leads to.
    fn leads(name: &str, text: &str) -> Option<String> {
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        let offset = text.find('|').unwrap();
        workspace.files.retain(|f| &*f.name != name);
        workspace
            .files
            .push(File::new(name, &text.replace('|', "")));
        let run = run(&workspace);
        let at = run.files.iter().position(|f| &*f.name == name).unwrap();
        let span = definition(&run, FileId::at(at), offset as u32)?;
        let file = &run.files[span.file.index()];
        let line = file.line_column(span.start).line as usize;
        file.text.lines().nth(line - 1).map(str::to_string)
    }

    #[test]
    fn a_jump_leads_to_its_chain() {
        let rules = "*nat\n:PREROUTING ACCEPT [0:0]\n:A - [0:0]\n-A PREROUTING -j |A\nCOMMIT\n*filter\n:A - [1:1]\nCOMMIT\n";
        let found = leads("nodes/work001/iptables-save.txt", rules);
        assert_eq!(found.as_deref(), Some(":A - [0:0]"));
    }

    #[test]
    fn a_route_leads_to_the_service_and_the_subset() {
        let texts = "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n---\nkind: DestinationRule\nmetadata:\n  name: shop\nspec:\n  subsets:\n  - name: v2\n---\nkind: VirtualService\nmetadata:\n  name: shop\nspec:\n  http:\n  - route:\n    - destination:\n        host: shop.default.svc\n        subset: v2\n";
        let host = texts.replace("host: shop.", "host: sh|op.");
        assert_eq!(
            leads("manifests/a.yaml", &host).as_deref(),
            Some("  name: shop")
        );
        let flow = "kind: Service\nmetadata: {name: shop, namespace: default}\n---\nkind: DestinationRule\nmetadata:\n  name: shop\nspec:\n  subsets:\n  - {name: v2, labels: {version: v2}}\n---\nkind: VirtualService\nmetadata:\n  name: x\nspec:\n  http:\n  - route:\n    - destination: {host: shop, subset: v2}\n";
        let host = flow.replace("{host: shop", "{host: sh|op");
        assert_eq!(
            leads("manifests/a.yaml", &host).as_deref(),
            Some("metadata: {name: shop, namespace: default}")
        );
        let subset = flow.replace("subset: v2}", "subset: v|2}");
        assert_eq!(
            leads("manifests/a.yaml", &subset).as_deref(),
            Some("  - {name: v2, labels: {version: v2}}")
        );
        let subset = texts.replace("subset: v2", "subset: v|2");
        assert_eq!(
            leads("manifests/a.yaml", &subset).as_deref(),
            Some("  - name: v2")
        );
    }
}
