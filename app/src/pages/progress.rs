//! What the visitor has done, kept in the browser: a line for each exercise solved and each lesson read.

use northsouth::exercise::Score;

use crate::browser::storage;

const KEY: &str = "northsouth.progress";
/// The first line of a file of progress.
const HEAD: &str = "northsouth progress 1";

/// By the files' names: of an exercise the best points and the strokes of that time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    pub solved: Vec<(String, u32, u32)>,
    pub read: Vec<String>,
}

impl Progress {
    pub fn kept() -> Progress {
        storage::load(KEY)
            .and_then(|text| Progress::of(&text))
            .unwrap_or_default()
    }

    fn keep(&self) {
        storage::save(KEY, &self.text());
    }

    /// `None` where the text is no progress; lines that are none are passed over.
    pub fn of(text: &str) -> Option<Progress> {
        let mut lines = text.lines();
        lines.next().filter(|l| l.trim() == HEAD)?;
        let mut progress = Progress::default();
        for line in lines {
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["lesson", name] => progress.add_read(name),
                ["exercise", name, points, strokes] => {
                    if let (Ok(points), Ok(strokes)) = (points.parse(), strokes.parse()) {
                        progress.add_solved(name, points, strokes);
                    }
                }
                _ => {}
            }
        }
        Some(progress)
    }

    pub fn text(&self) -> String {
        let mut out = format!("{HEAD}\n");
        for name in &self.read {
            out.push_str(&format!("lesson {name}\n"));
        }
        for (name, points, strokes) in &self.solved {
            out.push_str(&format!("exercise {name} {points} {strokes}\n"));
        }
        out
    }

    fn add_read(&mut self, name: &str) {
        if !self.has_read(name) {
            self.read.push(name.to_string());
        }
    }

    /// The better one stays.
    fn add_solved(&mut self, name: &str, points: u32, strokes: u32) {
        match self.solved.iter_mut().find(|(n, ..)| n == name) {
            Some(known) if known.1 >= points => {}
            Some(known) => (known.1, known.2) = (points, strokes),
            None => self.solved.push((name.to_string(), points, strokes)),
        }
    }

    pub fn has_read(&self, name: &str) -> bool {
        self.read.iter().any(|n| n == name)
    }

    pub fn points(&self, name: &str) -> Option<u32> {
        let mut all = self.solved.iter();
        all.find(|(n, ..)| n == name).map(|(_, points, _)| *points)
    }

    /// Takes what another has, and keeps it.
    pub fn join(&mut self, other: &Progress) {
        other.read.iter().for_each(|name| self.add_read(name));
        for (name, points, strokes) in &other.solved {
            self.add_solved(name, *points, *strokes);
        }
        self.keep();
    }
}

pub fn solved(name: &str, score: Score) {
    let mut progress = Progress::kept();
    progress.add_solved(name, score.points, score.strokes);
    progress.keep();
}

pub fn read(name: &str) {
    let mut progress = Progress::kept();
    progress.add_read(name);
    progress.keep();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_result_stays() {
        let text =
            format!("{HEAD}\nexercise a.md 70 4\nlesson 01.md\nnonsense\nexercise a.md 60 6\n");
        let progress = Progress::of(&text).unwrap();
        assert_eq!(progress.points("a.md"), Some(70));
        assert_eq!(Progress::of(&progress.text()), Some(progress));
        assert_eq!(Progress::of("something else"), None);
    }
}
