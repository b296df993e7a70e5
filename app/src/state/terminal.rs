use northsouth::console::{self, Output};
use northsouth::workspace::Run;

/// How many answers stay to be read.
const KEPT: usize = 100;

/// The commands that were given to hosts, and what they answered then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terminal {
    /// The host that was chosen; `None` follows the packet.
    pub host: Option<String>,
    pub answers: Vec<Answer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub host: String,
    pub command: String,
    pub output: Output,
}

impl Terminal {
    pub fn run(&mut self, run: &Run, host: String, command: String) {
        let output = console::run(run.into(), &host, &command);
        if self.answers.len() == KEPT {
            self.answers.remove(0);
        }
        self.answers.push(Answer {
            host,
            command,
            output,
        });
    }

    /// The commands to go back to, the last one last, without what was only repeated.
    pub fn history(&self) -> Vec<&str> {
        let mut all: Vec<_> = self.answers.iter().map(|a| a.command.as_str()).collect();
        all.dedup();
        all
    }
}
