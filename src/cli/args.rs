//! What can be typed after `tern`. Help, completions and the man page are made from this.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::cli;

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  any other error
    2  bad usage or configuration
    3  denied: a tool was denied and the model could not go on
    4  authentication
    5  rate limit or overload after all retries
    6  network
    7  budget or turn limit reached
    8  context cannot be made to fit
  130  interrupted

`tern --demo` shows everything with a scripted model and no network.";

/// A full-screen terminal coding assistant
#[derive(Debug, Clone, Parser)]
#[command(name = "tern", version, about, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// A task to begin with
    pub prompt: Option<String>,

    /// Scripted model, no network, a temporary copy of a sample project
    #[arg(long)]
    pub demo: bool,

    /// Without a screen: one turn, then exit. Standard input is added to the prompt
    #[arg(short, long)]
    pub print: bool,

    /// Continue the newest session of this directory
    #[arg(short = 'c', long = "continue", conflicts_with = "resume")]
    pub continue_: bool,

    /// Resume a session by its id or by words of its title; without either, pick one
    #[arg(short, long, value_name = "ID or words", num_args = 0..=1, default_missing_value = "")]
    pub resume: Option<String>,

    /// With --continue or --resume: leave the old log as it is and go on in a copy
    #[arg(long)]
    pub fork: bool,

    #[command(flatten)]
    pub session: SessionArgs,

    #[command(flatten)]
    pub headless: HeadlessArgs,

    /// Lines that are only ever added, in the place of a screen: for screen readers and simple
    /// terminals
    #[arg(long, conflicts_with = "print")]
    pub linear: bool,

    /// Stay in the terminal's own scrollback: what has been said scrolls away like the output of
    /// any program, and is still there afterwards
    #[arg(long, conflicts_with_all = ["print", "linear"])]
    pub inline: bool,

    /// Theme of the screen
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,

    #[command(subcommand)]
    pub command: Option<Sub>,
}

/// What a session runs with.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SessionArgs {
    /// The model, as PROVIDER/MODEL
    #[arg(short, long, value_name = "PROVIDER/MODEL")]
    pub model: Option<String>,

    /// Takes over when the model stays overloaded
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub fallback_model: Option<String>,

    /// default, acceptEdits, plan, dontAsk or bypassPermissions
    #[arg(long, value_name = "MODE")]
    pub permission_mode: Option<String>,

    /// Allow what the rule covers, e.g. 'Bash(cargo test *)'
    #[arg(long, value_name = "RULE", visible_alias = "allowedTools")]
    pub allow: Vec<String>,

    /// Always ask for what the rule covers
    #[arg(long, value_name = "RULE")]
    pub ask: Vec<String>,

    /// Deny what the rule covers
    #[arg(long, value_name = "RULE", visible_alias = "disallowedTools")]
    pub deny: Vec<String>,

    /// Tools to offer, by name, separated by commas; empty for none
    #[arg(long, value_name = "LIST")]
    pub tools: Option<String>,

    /// A further folder to work in
    #[arg(long, value_name = "DIR")]
    pub add_dir: Vec<String>,

    /// Work in this folder
    #[arg(short = 'C', long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,

    /// Replaces tern's system prompt
    #[arg(long, value_name = "TEXT", conflicts_with = "system_prompt_file")]
    pub system_prompt: Option<String>,

    #[arg(long, value_name = "FILE", help = "The same, from a file")]
    pub system_prompt_file: Option<PathBuf>,

    /// Added to the end of the system prompt
    #[arg(long, value_name = "TEXT")]
    pub append_system_prompt: Option<String>,

    #[arg(long, value_name = "FILE", help = "The same, from a file")]
    pub append_system_prompt_file: Option<PathBuf>,

    /// Requests of one turn before it stops
    #[arg(long, value_name = "N")]
    pub max_turns: Option<u32>,

    /// Stop when the session has cost this much
    #[arg(long, value_name = "X")]
    pub max_budget_usd: Option<f64>,

    /// A further configuration file, above the project's
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,

    /// MCP servers of this run, as in .mcp.json
    #[arg(long, value_name = "FILE")]
    pub mcp_config: Option<PathBuf>,

    /// The same, brought by an editor
    #[arg(skip)]
    pub mcp_given: Option<serde_json::Value>,

    /// How hard the model thinks
    #[arg(long, value_name = "low|medium|high|max")]
    pub effort: Option<String>,

    /// Write no session log
    #[arg(long)]
    pub no_session: bool,

    /// Trust this directory for this run; only with --print or tern acp
    #[arg(long)]
    pub trust: bool,

    /// Write diagnostics to this file
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Write the event stream to this file, for bug reports
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// How --print reads and writes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct HeadlessArgs {
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text", requires = "print")]
    pub output_format: OutputFormat,

    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text", requires = "print")]
    pub input_format: InputFormat,

    /// With stream-json output: text in the pieces it came in
    #[arg(long, requires = "print")]
    pub include_partial_messages: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Text,
    Json,
    StreamJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    Text,
    StreamJson,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Sub {
    /// Earlier sessions: list, show, search, export, import, prune
    Sessions(cli::sessions::SessionsArgs),
    /// What it cost
    Cost(cli::cost::CostArgs),
    /// What the permission layer would decide
    Permissions(cli::permissions::PermissionsArgs),
    /// The settings, and where each comes from
    Config(cli::config::ConfigArgs),
    /// Known models, windows and prices
    Models(cli::models::ModelsArgs),
    /// Servers of the Model Context Protocol
    Mcp(cli::mcp::McpArgs),
    /// An agent for editors: the Agent Client Protocol on standard input and output
    #[cfg(feature = "acp")]
    Acp(Box<cli::acp::AcpArgs>),
    /// Save a provider's key
    Login(cli::login::LoginArgs),
    /// Forget a provider's key
    Logout(cli::login::LogoutArgs),
    /// Plugins: commands, agents, skills and hooks in one folder
    Plugin(cli::plugins::PluginArgs),
    /// What tern finds on this machine
    Doctor(cli::doctor::DoctorArgs),
    /// Completions for a shell
    Completions(cli::completions::CompletionsArgs),
    /// The man page
    Man(cli::completions::ManArgs),
    #[command(hide = true)]
    Debug(cli::debug::DebugArgs),
}
