//! tern: a full-screen terminal coding assistant.

pub mod agent;
pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod context;
pub mod cost;
pub mod diff;
pub mod headless;
pub mod highlight;
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
