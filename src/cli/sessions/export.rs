//! `tern sessions export`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use crate::cli::sessions::{blobs, for_output, load, places, printable};
use crate::cli::{Env, warn};
use crate::config::layer::{self, Inputs};
use crate::session::export::redaction::{Redaction, What};
use crate::session::export::{self, Format};
use crate::session::redact::Secrets;

#[derive(clap::Args, Debug, Clone)]
pub struct ExportArgs {
    /// The beginning of its id, or words of its title or text
    #[arg(required = true)]
    pub session: Vec<String>,
    #[arg(long, value_enum, default_value_t = FormatArg::Md)]
    pub format: FormatArg,
    /// Take out keys, home folders and e-mail addresses, and list them on standard error
    #[arg(long)]
    pub redact: bool,
    /// Write to this file instead of standard output; it must not exist
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatArg {
    Md,
    Html,
    Jsonl,
}

/// Names of environment variables whose values are keys.
const KEY_NAMES: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD"];

pub fn run(args: &ExportArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (_, loaded) = load(&args.session, env)?;
    let format = match args.format {
        FormatArg::Md => Format::Markdown,
        FormatArg::Html => Format::Html,
        FormatArg::Jsonl => Format::Jsonl,
    };
    let mut redaction = match args.redact {
        true => Some(Redaction::new(secrets(env), env.dirs.home.to_str())?),
        false => None,
    };
    let text = export::export(&loaded, &blobs(&places(env)), format, redaction.as_mut());
    match &args.output {
        Some(path) => std::fs::File::create_new(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => out.write_all(for_output(text).as_bytes())?,
    }
    for replaced in redaction.iter().flat_map(Redaction::replaced) {
        let what = match replaced.what {
            What::Key => "key",
            What::HomePath => "home folder",
            What::Email => "e-mail address",
        };
        warn(&format!("replaced {what} {} ({} ×)", printable(&replaced.text), replaced.times));
    }
    Ok(0)
}

/// The keys that this machine's environment and configuration hold.
fn secrets(env: &Env) -> Secrets {
    let config = layer::load(&Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone())).0.config;
    let configured = config.providers.into_values().filter_map(|provider| provider.key.value);
    let variables = env
        .vars
        .iter()
        .filter(|(name, _)| KEY_NAMES.iter().any(|key| name.to_ascii_uppercase().ends_with(key)))
        .map(|(_, value)| value.clone());
    Secrets::new(configured.chain(variables))
}
