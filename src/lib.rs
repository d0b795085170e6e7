//! tern: a full-screen terminal coding assistant.
//!
//! # The map
//!
//! Two cores that never see each other: [`app`], a pure state machine (what the screen knows), and
//! [`agent`], an async task (what talks to the model and runs tools). They meet only in
//! [`protocol`]: plain data, a `Command` enum going in, an `Event` enum coming out, over two
//! bounded channels. A thin shell joins them: [`terminal`] (crossterm events, ratatui frames),
//! [`headless`] (text and JSON) or `acp` (editors). The event stream is at once the screen's input, the scripting
//! format, what tests compare and what a bug report holds.
//!
//! ```text
//! 8   cli                      chooses a driver, maps errors to exit codes
//! 7   terminal     headless     acp
//!        |    \      |         /
//! 6   view     \     |        /
//!        |      \    |       /
//! 5   app        `---+------ agent        same layer, may not name each other
//!      |                       |
//! 4    |                     tools
//!      |                       |
//! 3    |        session   context   api   mcp   hooks   extend
//!      |                       |
//! 2   config  permissions  trust  cost  diff  highlight  process  net
//!                              |
//! 1                          models
//! 0                     protocol   text
//! ```
//!
//! A module names only modules of a strictly lower layer; `app` and `view` name even fewer. The
//! compiler does not check that inside one crate, so `tests/layers.rs` does.
//!
//! # Three flows
//!
//! **A key becomes a frame.** [`terminal`] reads a key, `app::update` turns it into a changed
//! `Model` and a list of effects (plain data: send this, copy that), `view::draw` draws the model.
//! `update` and `draw` know no clock, no disk and no runtime, so tests drive them with a script.
//!
//! **A token becomes a row.** Bytes pass the guard of `api::sse`, become a `StreamPart`, are folded
//! by `agent::fold`, arrive as `Event::TextAdded`, and mark one transcript entry as changed. Closed
//! Markdown blocks are parsed and wrapped once; only the open block is done again. Rows are cached
//! by entry and width with prefix sums, so a frame costs the same at 10 and at 100,000 entries.
//!
//! **A call becomes a deed.** `agent::dispatch` takes the calls of a message: neighbours that only
//! read run together, others alone and in order. Each passes `agent::gate`, which looks up facts
//! (`permissions::facts`) and asks the one pure function that decides (`permissions::check`). If
//! that says ask, the tool computes a preview, the person answers, and what was shown is what is
//! done: the file's mark at the time of the preview is compared at the time of the write.
//!
//! # Order on disk
//!
//! A record of the session log is one `write(2)` on an append-only descriptor and counts after it
//! returns; it is synced at a user message, before a call that may change something, and at the end
//! of a turn. A call writes its intent, runs, writes its result. Nothing written is written again.
//!
//! # Foreign text
//!
//! What the model, tools, files, branches and servers say passes `text::clean` where it enters
//! [`app`], and where it goes to a terminal in [`headless`]; the log and the model keep the exact
//! bytes.
//!
//! # Deliberately absent
//!
//! No globals but the tracing subscriber and the panic hook. No listening socket. No callbacks as
//! messages. No `if headless` in the agent. No async in [`app`] or [`view`]. No second place that
//! decides permissions. No database: files a person can read, and an index that can be rebuilt.

#[cfg(feature = "acp")]
pub mod acp;
pub mod agent;
pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod context;
pub mod cost;
pub mod diff;
pub mod extend;
pub mod headless;
pub mod highlight;
pub mod hooks;
pub mod mcp;
pub mod models;
pub mod net;
pub mod permissions;
pub mod process;
pub mod protocol;
pub mod session;
pub mod terminal;
pub mod text;
pub mod tools;
pub mod trust;
pub mod view;
