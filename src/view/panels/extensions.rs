//! Panels about what the person and the project add: hooks, and commands and skills of files.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::Hook;
use crate::app::scroll::Inner;
use crate::protocol::{CommandInfo, HookEnd, HookEvent, HookRun, Sourced};
use crate::text::{clip, width};
use crate::view::panels::{Draw, origin, text};

/// Hooks by event with the place that sets each, and those that have run.
pub fn hooks(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let query = draw.panel.query().to_lowercase();
    let mut lines = Vec::new();
    for event in HookEvent::ALL {
        let of = draw.model.hook_list.iter().filter(|(hook, _)| hook.value.event == event);
        let fits = |(hook, _): &&(Sourced<Hook>, bool)| {
            hook.value.command.to_lowercase().contains(&query)
                || event.name().to_lowercase().contains(&query)
        };
        let of: Vec<_> = of.filter(fits).collect();
        if of.is_empty() {
            continue;
        }
        lines.push(Line::from(vec![
            Span::styled(event.name(), theme.strong),
            Span::styled(format!("  {}", event.help()), theme.faint),
        ]));
        for (hook, counts) in of {
            let matcher = match hook.value.matcher.as_str() {
                "" => "all".to_owned(),
                matcher => matcher.to_owned(),
            };
            let waits = if *counts { "" } else { "  waits for trust" };
            lines.push(Line::from(vec![
                Span::styled(format!("  {matcher}  "), theme.accent),
                Span::styled(hook.value.command.clone(), theme.text),
                Span::styled(format!("  {}", origin(hook)), theme.faint),
                Span::styled(waits, theme.asked),
            ]));
        }
    }
    if lines.is_empty() {
        let text = "no hooks; [[hooks.pre-tool-use]] in config.toml adds one";
        lines.push(Line::styled(text, theme.faint));
    }
    let runs: Vec<&HookRun> = draw.model.hooks.iter().rev().take(50).collect();
    if !runs.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("Have run, the newest first", theme.strong));
    }
    for run in runs {
        let style = match run.end {
            HookEnd::Passed => theme.faint,
            HookEnd::Decided => theme.done,
            HookEnd::Blocked => theme.asked,
            HookEnd::Failed => theme.failed,
        };
        let end = match run.end {
            HookEnd::Passed => "passed",
            HookEnd::Decided => "decided",
            HookEnd::Blocked => "said no",
            HookEnd::Failed => "failed",
        };
        let first = run.text.lines().next().unwrap_or_default();
        lines.push(Line::from(vec![
            Span::styled(format!("  {end:<8}"), style),
            Span::styled(format!("{}  {}", run.event.name(), run.command), theme.text),
            Span::styled(format!("  {} ms  {first}", run.duration_ms), theme.faint),
        ]));
    }
    text(&lines, draw.panel.scroll, area, buf)
}

/// Commands and skills that files describe, by whose they are.
pub fn skills(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let query = draw.panel.query().to_lowercase();
    let fits = |recipe: &&CommandInfo| {
        format!("{} {}", recipe.name, recipe.help).to_lowercase().contains(&query)
    };
    let recipes: Vec<&CommandInfo> = draw.model.recipes.iter().filter(fits).collect();
    let mut lines: Vec<Line<'static>> = Vec::new();
    if recipes.is_empty() {
        let text = "none; a file in .claude/commands, or a folder with a SKILL.md in .claude/skills, \
                    makes one";
        lines.push(Line::styled(text, theme.faint));
    }
    let call =
        |recipe: &CommandInfo| format!("/{} {}", recipe.name, recipe.args).trim_end().to_owned();
    let column = recipes.iter().map(|recipe| width(&call(recipe))).max().unwrap_or(0).min(36);
    for recipe in recipes {
        let call = clip::end(&call(recipe), column).into_owned();
        let pad = " ".repeat(column.saturating_sub(width(&call)) + 2);
        lines.push(Line::from(vec![
            Span::styled(call, theme.accent),
            Span::raw(pad),
            Span::styled(recipe.help.clone(), theme.text),
            Span::styled(format!("  {}", recipe.source), theme.faint),
        ]));
    }
    text(&lines, draw.panel.scroll, area, buf)
}
