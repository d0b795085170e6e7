//! `tern completions SHELL` and `tern man`: both made from the command line's own description.

use std::io::Write;

use clap::Command;
use clap_complete::Shell;

use crate::cli::Failure;
use crate::protocol::ErrorKind;

#[derive(clap::Args, Debug, Clone)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    pub shell: Shell,
}

#[derive(clap::Args, Debug, Clone)]
pub struct ManArgs {
    /// A subcommand, or `lines` for the format of stream-json; unset: the program
    pub topic: Option<String>,
}

/// What each line of stream-json holds, in Markdown.
const LINES: &str = include_str!("../../assets/lines.md");

pub fn run(
    args: &CompletionsArgs,
    mut command: Command,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    // The generator panics where it cannot write, and a closed pipe is no reason for that.
    let mut text = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut text);
    out.write_all(&text)?;
    Ok(0)
}

/// The page of the program or of one subcommand, in roff.
pub fn man(args: &ManArgs, command: &Command, out: &mut dyn Write) -> anyhow::Result<u8> {
    let page = match args.topic.as_deref() {
        None => command.clone(),
        Some("lines") => {
            out.write_all(LINES.as_bytes())?;
            return Ok(0);
        }
        Some(topic) => {
            let found = command.get_subcommands().find(|sub| sub.get_name() == topic);
            let Some(found) = found.filter(|sub| !sub.is_hide_set()) else {
                let names: Vec<&str> = command
                    .get_subcommands()
                    .filter(|sub| !sub.is_hide_set())
                    .map(Command::get_name)
                    .collect();
                let message = format!("there is no page about {topic}");
                return Err(Failure::new(ErrorKind::Config, message)
                    .hint(format!("There are: lines, {}.", names.join(", ")))
                    .into());
            };
            found.clone().display_name(format!("{}-{topic}", command.get_name()))
        }
    };
    let title = page.get_display_name().unwrap_or(page.get_name()).to_owned();
    let mut text = Vec::new();
    clap_mangen::Man::new(page).title(title).render(&mut text)?;
    out.write_all(&text)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn command() -> Command {
        Command::new("tern")
            .about("A coding assistant")
            .arg(Arg::new("model").long("model").help("The model"))
            .subcommand(Command::new("cost").about("The money"))
    }

    #[test]
    fn each_shell_is_offered_flags_and_subcommands() {
        use clap::ValueEnum;
        for shell in Shell::value_variants() {
            let mut out = Vec::new();
            let code = run(&CompletionsArgs { shell: *shell }, command(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(code, 0);
            assert!(text.contains("model") && text.contains("cost"), "{shell}");
        }
    }

    #[test]
    fn the_man_page_is_roff_with_the_flags() {
        let mut out = Vec::new();
        man(&ManArgs { topic: None }, &command(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(".TH tern 1") && text.contains("model"), "{text}");
    }

    #[test]
    fn each_subcommand_has_a_page() {
        let page = |topic: &str| {
            let mut out = Vec::new();
            man(&ManArgs { topic: Some(topic.to_owned()) }, &command(), &mut out)
                .map(|_| String::from_utf8(out).unwrap())
        };
        assert!(page("cost").unwrap().contains(".TH tern-cost 1"));
        assert!(page("dance").unwrap_err().to_string().contains("no page about dance"));
    }

    /// The format is a promise: what it can hold stands in its description.
    #[test]
    fn every_line_that_can_be_written_or_read_is_described() {
        use crate::protocol::{Command, ErrorKind, Event};
        let unknown = r#"{"type":"?"}"#;
        let commands = serde_json::from_str::<Command>(unknown).unwrap_err().to_string();
        let events = serde_json::from_str::<Event>(unknown).unwrap_err().to_string();
        let kinds = serde_json::from_str::<ErrorKind>("\"?\"").unwrap_err().to_string();
        let mut names = 0;
        for told in [commands, events, kinds] {
            // "unknown variant `?`, expected one of `submit`, `queue`, .."
            for name in told.split('`').skip(3).step_by(2) {
                // Within a line the agent stands in the envelope.
                let described = LINES.contains(&format!("`{name}`")) || name == "within";
                assert!(described, "assets/lines.md says nothing of {name}");
                names += 1;
            }
        }
        assert!(names > 90, "{names} names were looked for");
    }
}
