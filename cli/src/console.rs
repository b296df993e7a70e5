//! `northsouth run`: what commands print on a machine, after the request.

use std::process::ExitCode;

use northsouth::console::{self, AfterRun};
use northsouth::text::{File, Severity};
use northsouth::workspace;

use crate::diagnose;
use crate::options::{Options, misused};
use crate::trace;

pub const USAGE: &str = "\
northsouth run [DIR] --on MACHINE COMMAND [OPTIONS]   what COMMAND prints there after the request
  --on MACHINE COMMAND   may stand several times: --on work001 'iptables -t nat -L KUBE-SERVICES -n -v'
  OPTIONS             --scenario, --file, --probe, --mode, --seed, --lang as of trace";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let (asked, rest) = asked(words)?;
    let mut options = Options::new(&rest);
    let lang = options.lang()?;
    let workspace = trace::workspace(options, lang)?;
    let run = workspace::run(&workspace);
    let said = diagnose::render(&workspace.files, &run.diagnostics, lang);
    eprint!("{said}");
    if let Some(refused) = &run.refused {
        return Err(refused.text(lang));
    }
    let mut understood = true;
    for (machine, line) in &asked {
        let output = console::run(AfterRun::from(&run), machine, line);
        if asked.len() > 1 {
            println!("[{machine}]$ {line}");
        }
        print!("{}", output.text);
        let command = File::new("command", line);
        eprint!(
            "{}",
            diagnose::render(&[command], &output.diagnostics, lang)
        );
        understood &= output
            .diagnostics
            .iter()
            .all(|d| d.severity != Severity::Error);
    }
    Ok(ExitCode::from(if understood { 0 } else { 2 }))
}

/// A machine and a command.
type Asked<'a> = (&'a str, &'a str);

/// Each `--on` with its machine and command, and the words that are left.
fn asked<'a>(words: &[&'a str]) -> Result<(Vec<Asked<'a>>, Vec<&'a str>), String> {
    let (mut asked, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if word != "--on" {
            rest.push(word);
            continue;
        }
        match (words.next(), words.next()) {
            (Some(machine), Some(command)) => asked.push((machine, command)),
            _ => return Err("--on wants a machine and a command".to_string()),
        }
    }
    match asked.is_empty() {
        true => Err(misused(USAGE, "--on is wanted")),
        false => Ok((asked, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_on_takes_a_machine_and_a_command() {
        let words = [
            "dir", "--on", "n1", "ip route", "--seed", "7", "--on", "n2", "ss -l",
        ];
        let (asked, rest) = asked(&words).unwrap();
        assert_eq!(asked, [("n1", "ip route"), ("n2", "ss -l")]);
        assert_eq!(rest, ["dir", "--seed", "7"]);
        assert!(super::asked(&["--on", "n1"]).is_err());
        assert!(super::asked(&["dir"]).is_err());
    }
}
