//! `tern sessions show`

use std::io::Write;

use crate::cli::Env;
use crate::cli::sessions::{blobs, for_output, load, places};
use crate::session::export::{Format, export};
use crate::session::replay;

#[derive(clap::Args, Debug, Clone)]
pub struct ShowArgs {
    /// The beginning of its id, or words of its title or text
    #[arg(required = true)]
    pub session: Vec<String>,
    /// One JSON object: what a list shows, and the messages as the model would get them
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &ShowArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (summary, loaded) = load(&args.session, env)?;
    let blobs = blobs(&places(env));
    if args.json {
        let conversation = replay::messages(&loaded, &blobs);
        let state = replay::state(&loaded);
        let json = serde_json::json!({
            "summary": summary,
            "mode": state.mode,
            "model": state.model,
            "todos": state.todos,
            "messages": conversation.messages,
            "unknown": conversation.unknown,
            "problems": conversation.problems,
        });
        writeln!(out, "{json}")?;
    } else {
        let page = export(&loaded, &blobs, Format::Markdown, None);
        out.write_all(for_output(page).as_bytes())?;
    }
    Ok(0)
}
