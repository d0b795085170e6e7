//! `tern login PROVIDER` and `tern logout PROVIDER`: save or forget a key. The key is read without
//! being shown, or from standard input, never from the command line, which others can see.

use std::io::{BufRead, IsTerminal, Read, Write};

use anyhow::{Context, bail};
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use secrecy::SecretString;

use crate::cli::Env;
use crate::config::layer::{Inputs, load};
use crate::config::table::nearest;
use crate::config::{Config, login};

#[derive(clap::Args, Debug, Clone)]
pub struct LoginArgs {
    /// anthropic, openai, openrouter, or a provider of your own; without one: list them
    pub provider: Option<String>,
}

#[derive(clap::Args, Debug, Clone)]
pub struct LogoutArgs {
    pub provider: String,
}

pub fn run(args: &LoginArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let config = load(&Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone())).0.config;
    let Some(provider) = &args.provider else { return list(&config, env, out) };
    known(&config, provider)?;
    let stdin = std::io::stdin();
    let key = if stdin.is_terminal() {
        write!(out, "Key for {provider} (not shown, Enter ends it): ")?;
        out.flush()?;
        let typed = read_unseen();
        writeln!(out)?;
        match typed? {
            Some(typed) => typed,
            None => {
                writeln!(out, "nothing was saved")?;
                return Ok(130);
            }
        }
    } else {
        read_line(&mut stdin.lock())?
    };
    save(&config, provider, &key, env, out)
}

/// Every provider, and whether there is a key for it.
fn list(config: &Config, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let saved = login::names(&env.dirs)?;
    for (name, provider) in config.providers.iter().filter(|(name, _)| *name != "demo") {
        let set = |variable: &&String| {
            env.vars.get(*variable).is_some_and(|value| !value.trim().is_empty())
        };
        let state = match provider.key.env.iter().find(set) {
            _ if provider.local => "a server of this machine, needs no key".to_owned(),
            Some(variable) => format!("the key in {variable} is used"),
            None if saved.contains(name) => "a key is saved".to_owned(),
            None => match provider.key.env.first() {
                Some(variable) => format!("no key; {variable} or `tern login {name}`"),
                None => format!("no key; `tern login {name}`"),
            },
        };
        writeln!(out, "{name:<12}  {state}")?;
    }
    writeln!(
        out,
        "\n`tern login PROVIDER` saves a key; others go into config.toml as [providers.NAME]"
    )?;
    Ok(0)
}

pub fn run_logout(args: &LogoutArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    if login::forget(&env.dirs, &args.provider)? {
        writeln!(out, "forgot the key for {}", args.provider)?;
        return Ok(0);
    }
    let saved = login::names(&env.dirs)?;
    match saved.as_slice() {
        [] => bail!("no key is saved for {}; none is saved at all", args.provider),
        names => {
            bail!("no key is saved for {}; there are keys for {}", args.provider, names.join(", "))
        }
    }
}

fn known(config: &Config, provider: &str) -> anyhow::Result<()> {
    let names = || config.providers.keys().map(String::as_str).filter(|name| *name != "demo");
    if names().any(|name| name == provider) {
        return Ok(());
    }
    match nearest(provider, names()) {
        Some(near) => bail!("unknown provider {provider:?}; did you mean {near}?"),
        None => bail!(
            "unknown provider {provider:?}; there are {}; others go into config.toml as [providers.NAME]",
            names().collect::<Vec<_>>().join(", ")
        ),
    }
}

fn save(
    config: &Config,
    provider: &str,
    key: &str,
    env: &Env,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let key = key.trim();
    if key.is_empty() {
        bail!("the key is empty; nothing was saved");
    }
    if key.contains(|c: char| c.is_whitespace() || c.is_control()) || !key.is_ascii() {
        bail!("that is no key: it has spaces or odd characters in it; nothing was saved");
    }
    login::save(&env.dirs, provider, &SecretString::from(key))?;
    writeln!(out, "saved the key for {provider} in {}", env.dirs.keys().display())?;
    let source = config.providers.get(provider).map(|provider| &provider.key);
    let set = source.and_then(|source| {
        source.env.iter().find(|name| env.vars.get(*name).is_some_and(|value| !value.is_empty()))
    });
    if let Some(name) = set {
        writeln!(out, "note: {name} is set and is used before a saved key")?;
    } else if source.is_some_and(|source| source.value.is_some() || source.command.is_some()) {
        writeln!(out, "note: your settings name a key for it, which is used before a saved one")?;
    }
    Ok(0)
}

/// Characters of a key.
const LONGEST: usize = 8 * 1024;

fn read_line(input: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    input
        .take(LONGEST as u64)
        .read_line(&mut line)
        .context("cannot read the key from standard input")?;
    Ok(line)
}

/// What is typed or pasted up to Enter; `None`: Ctrl+C, Ctrl+D or Esc.
fn read_unseen() -> anyhow::Result<Option<String>> {
    /// The terminal is put back whatever happens.
    struct Raw;
    impl Drop for Raw {
        fn drop(&mut self) {
            let _ = crossterm::terminal::disable_raw_mode();
        }
    }
    crossterm::terminal::enable_raw_mode().context("cannot hide what is typed")?;
    let _raw = Raw;
    let mut typed = String::new();
    loop {
        let Event::Key(key) = crossterm::event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(typed)),
            KeyCode::Esc => return Ok(None),
            KeyCode::Char('c' | 'd') if control => return Ok(None),
            KeyCode::Char('j' | 'm') if control => return Ok(Some(typed)),
            KeyCode::Char('u') if control => typed.clear(),
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Char(c) if !control && typed.len() < LONGEST => typed.push(c),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::dirs::Dirs;
    use secrecy::ExposeSecret;

    fn with_env(vars: &[(&str, &str)], test: impl FnOnce(&Env, &Config)) {
        let top = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(&top.path().join("t"), top.path());
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let env = Env { dirs, cwd: top.path().to_owned(), vars };
        test(&env, &Config::default());
    }

    fn told(done: anyhow::Result<u8>, out: &[u8], env: &Env) -> String {
        let text = match done {
            Ok(code) => format!("{code}: {}", String::from_utf8_lossy(out)),
            Err(error) => error.to_string(),
        };
        text.replace(&env.dirs.data.display().to_string(), "DATA")
    }

    #[test]
    fn a_key_is_saved_and_never_shown() {
        with_env(&[("OPENAI_API_KEY", "x")], |env, config| {
            for (provider, key, expected) in [
                ("anthropic", " sk-1\n", "0: saved the key for anthropic in DATA/keys.toml\n"),
                (
                    "openai",
                    "sk-2",
                    "0: saved the key for openai in DATA/keys.toml\nnote: OPENAI_API_KEY is set and is used before a saved key\n",
                ),
                ("openai", " \n", "the key is empty; nothing was saved"),
                (
                    "openai",
                    "sk 3",
                    "that is no key: it has spaces or odd characters in it; nothing was saved",
                ),
            ] {
                let mut out = Vec::new();
                let done = save(config, provider, key, env, &mut out);
                assert_eq!(told(done, &out, env), expected);
            }
            let key = login::saved(&env.dirs, "anthropic").unwrap().unwrap();
            assert_eq!(key.expose_secret(), "sk-1");
        });
    }

    #[test]
    fn without_a_provider_all_are_listed() {
        with_env(&[("OPENAI_API_KEY", "x")], |env, config| {
            save(config, "openrouter", "k", env, &mut Vec::new()).unwrap();
            let mut out = Vec::new();
            assert_eq!(list(config, env, &mut out).unwrap(), 0);
            let text = String::from_utf8(out).unwrap();
            for line in [
                "anthropic     no key; ANTHROPIC_API_KEY or `tern login anthropic`",
                "ollama        a server of this machine, needs no key",
                "openai        the key in OPENAI_API_KEY is used",
                "openrouter    a key is saved",
            ] {
                assert!(text.contains(line), "{line}: {text}");
            }
        });
    }

    #[test]
    fn an_unknown_provider_is_refused_with_the_nearest() {
        let told = |name| known(&Config::default(), name).map_err(|error| error.to_string());
        assert_eq!(told("anthropic"), Ok(()));
        assert_eq!(
            told("antropic"),
            Err("unknown provider \"antropic\"; did you mean anthropic?".into())
        );
        let all = "unknown provider \"demo\"; there are anthropic, llamacpp, lmstudio, ollama, openai, openrouter, vllm; others go into config.toml as [providers.NAME]";
        assert_eq!(told("demo"), Err(all.into()));
    }

    #[test]
    fn logout_says_what_there_is() {
        with_env(&[], |env, config| {
            let logout = |provider: &str| {
                let mut out = Vec::new();
                let args = LogoutArgs { provider: provider.into() };
                let done = run_logout(&args, env, &mut out);
                told(done, &out, env)
            };
            assert_eq!(logout("openai"), "no key is saved for openai; none is saved at all");
            save(config, "anthropic", "k", env, &mut Vec::new()).unwrap();
            assert_eq!(
                logout("openai"),
                "no key is saved for openai; there are keys for anthropic"
            );
            assert_eq!(logout("anthropic"), "0: forgot the key for anthropic\n");
        });
    }

    #[test]
    fn one_line_is_read_from_a_pipe() {
        assert_eq!(read_line(&mut &b"sk-1\nrest"[..]).unwrap(), "sk-1\n");
        let long = vec![b'x'; 2 * LONGEST];
        assert_eq!(read_line(&mut &long[..]).unwrap().len(), LONGEST);
    }
}
