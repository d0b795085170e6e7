//! The panel of the model's window: what fills it, by source, and each thing below its source where
//! that is open. Things are pinned, dropped, brought back, or shown whole.

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel, open as open_panel};
use crate::protocol::{Command, Filler, Item, ItemId, Window, WindowAct};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filled {
    /// `None`: the agent has not answered yet.
    pub window: Option<Window>,
    /// Sources whose things are shown.
    pub open: Vec<Filler>,
    /// One thing, whole.
    pub shown: Option<Shown>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub item: ItemId,
    pub name: String,
    /// `None`: on its way.
    pub text: Option<String>,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    Source { source: &'a Filler, tokens: u64, count: usize, open: bool },
    Item(&'a Item),
}

pub fn open(model: &mut Model) -> Vec<Effect> {
    open_panel(model, Kind::Window(Filled::default()));
    vec![Effect::Send(Command::ShowWindow { exact: false })]
}

/// The answer is there. One that nobody looks at any more is dropped.
pub fn told(model: &mut Model, window: Window) {
    model.spending.context = window.tokens;
    let Some(filled) = panel(model) else { return };
    let item = |item: Item| Item { name: clean::line(&item.name), ..item };
    let items = window.items.into_iter().map(item).collect();
    filled.window = Some(Window { items, ..window });
    let last = lines(model).len().saturating_sub(1);
    if let Some(panel) = &mut model.panel {
        panel.at = panel.at.min(last);
    }
}

pub fn item_told(model: &mut Model, item: &ItemId, text: &str) {
    if let Some(shown) = panel(model).and_then(|filled| filled.shown.as_mut())
        && shown.item == *item
    {
        shown.text = Some(clean::prose(text));
    }
}

fn panel(model: &mut Model) -> Option<&mut Filled> {
    match &mut model.panel {
        Some(Panel { kind: Kind::Window(filled), .. }) => Some(filled),
        _ => None,
    }
}

/// Sources, the largest first, with what is below the open ones in the order of the request.
pub fn lines(model: &Model) -> Vec<Line<'_>> {
    let Some(Panel { kind: Kind::Window(filled), filter, .. }) = &model.panel else {
        return Vec::new();
    };
    let Some(window) = &filled.window else { return Vec::new() };
    let query = filter.text().trim().to_lowercase();
    let mut sources: Vec<(&Filler, u64, usize)> = Vec::new();
    for item in &window.items {
        match sources.iter_mut().find(|(source, ..)| **source == item.source) {
            Some((_, tokens, count)) => {
                *tokens += item.tokens;
                *count += 1;
            }
            None => sources.push((&item.source, item.tokens, 1)),
        }
    }
    sources.sort_by_key(|(_, tokens, _)| std::cmp::Reverse(*tokens));
    let mut lines = Vec::new();
    for (source, tokens, count) in sources {
        let open = filled.open.contains(source);
        // What is looked for is shown also where its source is folded.
        let show = |item: &&Item| {
            item.source == *source
                && if query.is_empty() { open } else { item.name.to_lowercase().contains(&query) }
        };
        let items: Vec<Line<'_>> = window.items.iter().filter(show).map(Line::Item).collect();
        if query.is_empty() || !items.is_empty() || source.name().contains(&query) {
            lines.push(Line::Source { source, tokens, count, open: open || !items.is_empty() });
            lines.extend(items);
        }
    }
    lines
}

fn chosen(model: &Model) -> Option<Line<'_>> {
    let at = model.panel.as_ref()?.at;
    lines(model).into_iter().nth(at)
}

/// Enter: opens or folds a source, shows a thing.
pub fn enter(model: &mut Model) -> Vec<Effect> {
    match chosen(model) {
        Some(Line::Source { source, .. }) => {
            let source = source.clone();
            if let Some(filled) = panel(model) {
                match filled.open.iter().position(|open| *open == source) {
                    Some(at) => drop(filled.open.remove(at)),
                    None => filled.open.push(source),
                }
            }
            Vec::new()
        }
        Some(Line::Item(Item { id: Some(item), name, .. })) => {
            let (item, name) = (item.clone(), name.clone());
            if let Some(panel) = &mut model.panel {
                panel.scroll = 0;
            }
            if let Some(filled) = panel(model) {
                filled.shown = Some(Shown { item: item.clone(), name, text: None });
            }
            vec![Effect::Send(Command::ShowWindowItem { item })]
        }
        Some(Line::Item(_)) => {
            model.say("this is the same in every request; only its size can be told");
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// From the whole text back to the list; false if the list is what is shown.
pub fn back(model: &mut Model) -> bool {
    panel(model).is_some_and(|filled| filled.shown.take().is_some())
}

/// `d`: drops the chosen thing, or brings it back.
pub fn drop_chosen(model: &mut Model) -> Vec<Effect> {
    change(model, |item| match (item.dropped, item.pinned) {
        (true, _) => Ok(WindowAct::Restore),
        (false, true) => Err("it is pinned; p unpins it"),
        (false, false) => Ok(WindowAct::Drop),
    })
}

/// `p`: pins the chosen thing, or unpins it.
pub fn pin_chosen(model: &mut Model) -> Vec<Effect> {
    change(model, |item| match (item.pinned, item.dropped) {
        (true, _) => Ok(WindowAct::Unpin),
        (false, true) => Err("it is dropped; d brings it back"),
        (false, false) => Ok(WindowAct::Pin),
    })
}

pub fn count(model: &mut Model) -> Vec<Effect> {
    if let Some(filled) = panel(model) {
        filled.window = None;
    }
    vec![Effect::Send(Command::ShowWindow { exact: true })]
}

fn change(
    model: &mut Model,
    act: impl Fn(&Item) -> Result<WindowAct, &'static str>,
) -> Vec<Effect> {
    let wish = match chosen(model) {
        Some(Line::Item(item)) => match &item.id {
            Some(id) => act(item).map(|act| (id.clone(), act)),
            None => Err("what every request begins with stays"),
        },
        Some(Line::Source { .. }) => Err("choose one thing: enter opens the source"),
        None => return Vec::new(),
    };
    match wish {
        Ok(_) if model.is_working() => {
            model.say("stop the turn first: esc");
            Vec::new()
        }
        Ok((item, act)) => vec![Effect::Send(Command::EditWindow { item, act })],
        Err(why) => {
            model.say(why);
            Vec::new()
        }
    }
}
