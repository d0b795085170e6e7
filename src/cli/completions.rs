//! `tern completions SHELL` and `tern man`: both made from the command line's own description.

use std::io::Write;

use clap::Command;
use clap_complete::Shell;

#[derive(clap::Args, Debug, Clone)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    pub shell: Shell,
}

#[derive(clap::Args, Debug, Clone)]
pub struct ManArgs {}

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

/// The page of the program, then one section for each subcommand, in roff.
pub fn man(_args: &ManArgs, command: &Command, out: &mut dyn Write) -> anyhow::Result<u8> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
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
        man(&ManArgs {}, &command(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(".TH tern 1") && text.contains("model"), "{text}");
    }
}
