//! The permission layer against `permission.jsonl`, and against further hostile and harmless commands.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be staged should fail loudly"
)]

mod allowed;
mod bash;
mod harmless;
mod hostile;
mod laws;
#[cfg(target_os = "linux")]
mod truth;

use std::collections::BTreeMap;

use serde_json::Value;
use tern::permissions::{access, check, explain, facts};
use tern::protocol::{Mode, Ruling};

use crate::support::gate::{Stage, case_rules};

fn cases() -> Vec<Value> {
    include_str!("permission.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a case"))
        .collect()
}

fn name(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Allow => "allow",
        Ruling::Ask => "ask",
        Ruling::Deny => "deny",
    }
}

#[test]
fn every_case_is_decided_as_accepted() {
    let mut wrong = Vec::new();
    let mut stages: BTreeMap<String, Stage> = BTreeMap::new();
    let (mut strict, mut bypasses, mut fatigue, mut false_prompts, mut skipped) = (0, 0, 0, 0, 0);
    for case in cases() {
        let id = case["id"].as_str().expect("an id");
        let tool = case["tool"].as_str().expect("a tool");
        if tool.starts_with("event:") {
            skipped += 1;
            println!("SKIPPED {id}: {tool} is a behaviour, not a decision: {}", case["why"]);
            continue;
        }
        // Deciding changes nothing, so cases with the same set-up share a stage.
        let stage = stages.entry(case["setup"].to_string()).or_insert_with(|| {
            let stage = Stage::new();
            for entry in case["setup"].as_array().into_iter().flatten() {
                stage.set_up(entry);
            }
            stage
        });
        let mode = Mode::parse(case["mode"].as_str().expect("a mode")).expect("a known mode");
        let trusted = case["trusted"].as_bool().unwrap_or(true);
        let policy = stage.policy(mode, &case_rules(stage, &case), trusted);
        let input = stage.fill_value(&case["input"]);
        let access = access::of(tool, &input, &policy.cwd);
        let verdict = check::check(&access, &policy, &facts::gather(&access, &policy));
        let accept: Vec<&str> =
            case["accept"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let found = name(verdict.decision);
        let is_strict = case["hostile"] == true && !accept.contains(&"allow");
        let is_fatigue = case["fatigue"] == true;
        strict += usize::from(is_strict);
        fatigue += usize::from(is_fatigue);
        bypasses += usize::from(is_strict && found == "allow");
        false_prompts += usize::from(is_fatigue && found != "allow");
        if !accept.contains(&found) {
            wrong.push(format!(
                "{id} {found}, not {accept:?}: {} | {}",
                case["input"], verdict.because
            ));
        }
        let shown = explain::prompt(&access);
        for must in case["prompt_must_show"].as_array().into_iter().flatten() {
            let must = must.as_str().expect("text");
            if !shown.contains(must) || shown.chars().any(|c| c.is_control() && c != '\n') {
                wrong.push(format!("{id} does not show {must}: {shown}"));
            }
        }
        if case["prompt_must_show"].is_array() && !verdict.suggestions.is_empty() {
            wrong.push(format!("{id} offers a rule for a command that hides something"));
        }
    }
    println!("{bypasses} bypasses of {strict} strict cases");
    println!("{false_prompts} false prompts of {fatigue} harmless cases");
    println!("{skipped} event cases skipped");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
