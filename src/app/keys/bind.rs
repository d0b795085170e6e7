//! Which key does what: the table's own keys, changed by the user's.

use std::collections::{BTreeMap, HashMap};

use crate::app::keys::context::Context;
use crate::app::keys::press::Key;
use crate::app::keys::table::{ACTIONS, Action, Row};
use crate::config;

/// A binding that cannot be used. `name` is the action as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[keys] {name}: {message}")]
pub struct KeyProblem {
    pub name: String,
    pub message: String,
}

/// What a press meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    Action(Action),
    /// The first keys of a longer combination.
    Prefix,
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bound: HashMap<(Context, Vec<Key>), Action>,
    /// Keys of each row of the table, in the order they are shown.
    keys: Vec<Vec<Vec<Key>>>,
}

/// Keys by action name, as in the configuration.
pub type Written = BTreeMap<String, Vec<String>>;

/// What a named keymap changes; the default one changes nothing.
const NAMED: [(config::Keymap, &str); 2] = [
    (config::Keymap::Vim, include_str!("../../../assets/keymaps/vim.toml")),
    (config::Keymap::Emacs, include_str!("../../../assets/keymaps/emacs.toml")),
];

impl Default for Keymap {
    fn default() -> Keymap {
        Keymap::new(config::Keymap::Default, &Written::new()).0
    }
}

impl Keymap {
    /// The table's keys, changed by the named keymap, changed by the user's `own`. A name with
    /// wrong keys keeps those that it has; an empty list unbinds.
    pub fn new(base: config::Keymap, own: &Written) -> (Keymap, Vec<KeyProblem>) {
        let mut problems = Vec::new();
        let mut keys: Vec<Vec<Vec<Key>>> = ACTIONS.iter().map(table_keys).collect();
        change(&mut keys, &named(base), &mut problems);
        change(&mut keys, own, &mut problems);
        let bound = bind(&mut keys, &mut problems);
        (Keymap { bound, keys }, problems)
    }
    /// What `pressed` means in the contexts that are active, innermost first. An inner context's
    /// key hides the same key further out.
    pub fn press(&self, contexts: &[Context], pressed: &[Key]) -> Pressed {
        for context in contexts {
            if let Some(action) = self.bound.get(&(*context, pressed.to_vec())) {
                return Pressed::Action(*action);
            }
            if self.continuations(&[*context], pressed).next().is_some() {
                return Pressed::Prefix;
            }
        }
        Pressed::Nothing
    }

    /// The rows that `prefix` begins, with the keys that are still missing.
    pub fn continuations<'a>(
        &'a self,
        contexts: &'a [Context],
        prefix: &'a [Key],
    ) -> impl Iterator<Item = (&'static Row, &'a [Key])> + 'a {
        ACTIONS.iter().zip(&self.keys).filter(|(row, _)| contexts.contains(&row.context)).flat_map(
            move |(row, combinations)| {
                combinations
                    .iter()
                    .filter(move |keys| keys.len() > prefix.len() && keys.starts_with(prefix))
                    .map(move |keys| (row, &keys[prefix.len()..]))
            },
        )
    }

    /// The rows of a context with their keys, as text.
    pub fn rows(&self, context: Context) -> impl Iterator<Item = (&'static Row, Vec<String>)> {
        ACTIONS
            .iter()
            .zip(&self.keys)
            .filter(move |(row, _)| row.context == context)
            .map(|(row, keys)| (row, keys.iter().map(|keys| spell(keys)).collect()))
    }

    /// The first key of an action in a context, as text; empty where it has none.
    pub fn key(&self, context: Context, action: Action) -> String {
        let at = ACTIONS.iter().position(|row| row.context == context && row.action == action);
        at.and_then(|at| self.keys[at].first()).map(|keys| spell(keys)).unwrap_or_default()
    }
}

/// `ctrl+x ctrl+e`
pub fn spell(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

fn table_keys(row: &Row) -> Vec<Vec<Key>> {
    row.keys.iter().filter_map(|text| Key::parse_all(text)).collect()
}

/// Keymap files are part of the program; a test reads them all.
fn named(keymap: config::Keymap) -> Written {
    let text = NAMED.iter().find(|(name, _)| *name == keymap).map_or("", |(_, text)| text);
    toml::from_str(text).unwrap_or_default()
}

fn change(keys: &mut [Vec<Vec<Key>>], own: &Written, problems: &mut Vec<KeyProblem>) {
    let mut changed = vec![false; ACTIONS.len()];
    for (name, written) in own {
        let Some(at) = ACTIONS.iter().position(|row| row.name == name) else {
            problems.push(problem(name, unknown(name)));
            continue;
        };
        let mut parsed = Vec::new();
        for text in written {
            match Key::parse_all(text) {
                Some(combination) => parsed.push(combination),
                None => problems.push(problem(
                    name,
                    format!("\"{text}\" is no key; keys look like ctrl+x, alt+enter, f2, G"),
                )),
            }
        }
        if parsed.len() == written.len() {
            keys[at] = parsed;
            changed[at] = true;
        }
    }
    give_way(keys, &changed);
}

/// A key that the user gave to another action of the same context leaves its old action.
fn give_way(keys: &mut [Vec<Vec<Key>>], changed: &[bool]) {
    for mine in (0..keys.len()).filter(|at| changed[*at]) {
        let taken = keys[mine].clone();
        for other in 0..keys.len() {
            if !changed[other] && ACTIONS[other].context == ACTIONS[mine].context {
                keys[other].retain(|combination| !taken.contains(combination));
            }
        }
    }
}

fn bind(
    keys: &mut [Vec<Vec<Key>>],
    problems: &mut Vec<KeyProblem>,
) -> HashMap<(Context, Vec<Key>), Action> {
    let mut bound: HashMap<(Context, Vec<Key>), usize> = HashMap::new();
    for (at, row) in ACTIONS.iter().enumerate() {
        keys[at].retain(|combination| {
            match bound.get(&(row.context, combination.clone())) {
                Some(first) => problems.push(problem(
                    row.name,
                    format!("{} is {} already", spell(combination), ACTIONS[*first].name),
                )),
                None => {
                    bound.insert((row.context, combination.clone()), at);
                    return true;
                }
            }
            false
        });
    }
    let shadowed: Vec<_> = bound
        .iter()
        .filter_map(|((context, combination), at)| {
            let shorter = (1..combination.len()).find_map(|n| {
                bound.get(&(*context, combination[..n].to_vec())).map(|first| (*first, n))
            })?;
            Some((*context, combination.clone(), *at, shorter))
        })
        .collect();
    for (context, combination, at, (first, n)) in shadowed {
        bound.remove(&(context, combination.clone()));
        keys[at].retain(|keys| *keys != combination);
        problems.push(problem(
            ACTIONS[at].name,
            format!(
                "{} can never be pressed, as {} is {}",
                spell(&combination),
                spell(&combination[..n]),
                ACTIONS[first].name
            ),
        ));
    }
    bound.into_iter().map(|(keys, at)| (keys, ACTIONS[at].action)).collect()
}

fn unknown(name: &str) -> String {
    let near = ACTIONS
        .iter()
        .map(|row| (strsim::damerau_levenshtein(row.name, name), row.name))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    match near {
        Some((_, near)) => format!("there is no such action; did you mean {near}?"),
        None => "there is no such action; the help panel lists them".to_owned(),
    }
}

fn problem(name: &str, message: String) -> KeyProblem {
    KeyProblem { name: name.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&str, &[&str])]) -> Written {
        pairs
            .iter()
            .map(|(name, keys)| {
                ((*name).to_owned(), keys.iter().map(|key| (*key).to_owned()).collect())
            })
            .collect()
    }

    fn user(own: &Written) -> (Keymap, Vec<KeyProblem>) {
        Keymap::new(config::Keymap::Default, own)
    }

    fn press(keymap: &Keymap, context: Context, keys: &str) -> Pressed {
        keymap.press(&[context, Context::Global], &Key::parse_all(keys).unwrap())
    }

    #[test]
    fn no_keymap_has_conflicts() {
        for base in [config::Keymap::Default, config::Keymap::Vim, config::Keymap::Emacs] {
            assert_eq!(Keymap::new(base, &Written::new()).1, []);
        }
        for (base, text) in NAMED {
            assert!(!named(base).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_default_keymap_is_written_down() {
        let mut text = String::from(
            "# Every action and its keys, as they are without any configuration. A line of your\n\
             # own goes into the [keys] table of config.toml. This file is checked against the\n\
             # table of actions by a test.\n",
        );
        for context in Context::ALL.iter().copied() {
            text.push_str(&format!("\n# {}\n", context.heading()));
            for row in ACTIONS.iter().filter(|row| row.context == context) {
                let keys: Vec<String> = row.keys.iter().map(|key| format!("{key:?}")).collect();
                text.push_str(&format!("{} = [{}] # {}\n", row.name, keys.join(", "), row.help));
            }
        }
        if std::env::var_os("UPDATE_KEYMAP").is_some() {
            std::fs::write("assets/keymaps/default.toml", &text).unwrap();
        }
        let file = include_str!("../../../assets/keymaps/default.toml");
        assert_eq!(file, text, "UPDATE_KEYMAP=1 writes the file anew");
        let read: Written = toml::from_str(file).unwrap();
        assert_eq!(read.len(), ACTIONS.len());
    }

    #[test]
    fn an_inner_context_hides_an_outer_one() {
        let keymap = Keymap::default();
        assert_eq!(press(&keymap, Context::Dialog, "pageup"), Pressed::Action(Action::PanelPageUp));
        assert_eq!(press(&keymap, Context::Prompt, "pageup"), Pressed::Action(Action::PageUp));
        assert_eq!(press(&keymap, Context::Prompt, "ctrl+x"), Pressed::Prefix);
        assert_eq!(press(&keymap, Context::Prompt, "ctrl+x c"), Pressed::Action(Action::CostPanel));
        assert_eq!(press(&keymap, Context::Prompt, "z"), Pressed::Nothing);
    }

    #[test]
    fn users_keys_take_over_and_mistakes_are_told() {
        let (keymap, problems) =
            user(&own(&[("cost", &["f2"]), ("history", &["f2"]), ("todos", &["ctrl+c"])]));
        assert_eq!(press(&keymap, Context::Prompt, "f2"), Pressed::Action(Action::CostPanel));
        assert_eq!(press(&keymap, Context::Prompt, "ctrl+c"), Pressed::Action(Action::Todos));
        assert_eq!(press(&keymap, Context::Prompt, "ctrl+x c"), Pressed::Nothing);
        let told: Vec<String> = problems.iter().map(KeyProblem::to_string).collect();
        assert_eq!(told, ["[keys] history: f2 is cost already"]);

        for (name, keys, told) in [
            ("cots", "f2", "[keys] cots: there is no such action; did you mean cost?"),
            (
                "cost",
                "hyper+x",
                "[keys] cost: \"hyper+x\" is no key; keys look like ctrl+x, alt+enter, f2, G",
            ),
            ("cost", "ctrl+c k", "[keys] cost: ctrl+c k can never be pressed, as ctrl+c is stop"),
        ] {
            let (_, problems) = user(&own(&[(name, &[keys])]));
            assert_eq!(problems.iter().map(KeyProblem::to_string).collect::<Vec<_>>(), [told]);
        }
    }
}
