//! The lines that can be asked why they did not take a packet.

use northsouth::topology::HostId;
use northsouth::workspace::{Run, Subject};

/// Those in which, or in whose file's name, each word that is typed stands, `most` at most. Those of the machine where the
/// packet is come first.
pub fn offered(
    run: &Run,
    all: &[Subject],
    typed: &str,
    here: Option<HostId>,
    most: usize,
) -> Vec<Subject> {
    let wanted: Vec<&str> = typed.split_whitespace().collect();
    let fits = |subject: &Subject| {
        let (file, text) = (file(run, subject), run.subject_text(subject));
        let mut wanted = wanted.iter();
        wanted.all(|word| file.contains(word) || text.contains(word))
    };
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for subject in all {
        let list = match here == Some(subject.kind.host()) {
            true => &mut first,
            false => &mut others,
        };
        if list.len() < most && fits(subject) {
            list.push(*subject);
        }
    }
    first.extend(others);
    first.truncate(most);
    first
}

/// The name of the file that it is written in.
pub fn file<'a>(run: &'a Run, subject: &Subject) -> &'a str {
    let file = run.files.get(subject.span.file.index());
    file.map_or("", |f| &*f.name)
}

#[cfg(test)]
mod tests {
    use northsouth::text::File;
    use northsouth::workspace::{DEFAULT, Scenario, run};

    use super::*;

    #[test]
    fn lines_of_the_machine_at_hand_come_first_and_of_no_other_whose_name_begins_so() {
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        let rules = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 192.0.2.1 -j DROP\nCOMMIT\n";
        for node in ["node-10", "node-1"] {
            let name = format!("nodes/{node}/iptables-save.txt");
            workspace.files.push(File::new(&name, rules));
        }
        let run = run(&workspace);
        let all = run.subjects();
        let told = |typed: &str, here: &str, most: usize| -> Vec<String> {
            let found = offered(&run, &all, typed, run.world.find(here), most);
            let files = found.iter().map(|s| file(&run, s).to_string());
            files.collect()
        };
        let (one, ten) = (
            "nodes/node-1/iptables-save.txt",
            "nodes/node-10/iptables-save.txt",
        );
        assert_eq!(told("192.0.2.1 FORWARD", "node-1", 9), [one, ten]);
        assert_eq!(told("192.0.2.1 FORWARD", "node-10", 9), [ten, one]);
        assert_eq!(told("192.0.2.1", "node-1", 1), [one]);
        assert_eq!(told("192.0.2.1 node-10", "node-1", 9), [ten]);
        assert!(told("192.0.2.1 nowhere", "node-1", 9).is_empty());
        assert_eq!(told("", "node-1", 40).len(), 40);
    }
}
