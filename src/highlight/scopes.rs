//! From the scope names of the grammars, and the names people give languages, to tern's own.

use std::sync::OnceLock;

use syntect::parsing::Scope;

use crate::highlight::Class;

/// What a scope says of its text; `None` leaves it to the scope around it.
pub(super) fn class(scope: Scope) -> Option<Class> {
    static TABLE: OnceLock<Vec<(Scope, Class)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let entries = CLASSES.iter().map(|(name, class)| Some((Scope::new(name).ok()?, *class)));
        entries.flatten().collect()
    });
    let matching = table.iter().filter(|(prefix, _)| prefix.is_prefix_of(scope));
    matching.max_by_key(|(prefix, _)| prefix.len()).map(|(_, class)| *class)
}

/// The name that a grammar goes by, for names that are in use beside it.
pub(super) fn alias(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, name)| *name)
}

/// Scope names follow the conventions of TextMate and Sublime Text; the longest match counts.
const CLASSES: &[(&str, Class)] = &[
    ("comment", Class::Comment),
    ("constant", Class::Constant),
    ("constant.numeric", Class::Number),
    ("entity.name", Class::Type),
    ("entity.name.constant", Class::Constant),
    ("entity.name.function", Class::Function),
    ("entity.name.label", Class::Attribute),
    ("entity.name.macro", Class::Function),
    ("entity.name.section", Class::Heading),
    ("entity.name.tag", Class::Keyword),
    ("entity.other.attribute-name", Class::Attribute),
    ("entity.other.inherited-class", Class::Type),
    ("keyword", Class::Keyword),
    ("keyword.operator", Class::Operator),
    ("keyword.operator.word", Class::Keyword),
    ("markup.deleted", Class::Deleted),
    ("markup.heading", Class::Heading),
    ("markup.inserted", Class::Inserted),
    ("markup.raw", Class::String),
    ("meta.annotation", Class::Attribute),
    ("meta.interpolation", Class::Plain),
    ("meta.property-name", Class::Attribute),
    ("punctuation", Class::Punctuation),
    ("punctuation.definition.annotation", Class::Attribute),
    ("punctuation.definition.comment", Class::Comment),
    ("punctuation.definition.deleted", Class::Deleted),
    ("punctuation.definition.heading", Class::Heading),
    ("punctuation.definition.inserted", Class::Inserted),
    ("punctuation.definition.string", Class::String),
    ("source", Class::Plain),
    ("storage", Class::Keyword),
    ("string", Class::String),
    ("support.class", Class::Type),
    ("support.constant", Class::Constant),
    ("support.function", Class::Function),
    ("support.macro", Class::Function),
    ("support.type", Class::Type),
    ("support.type.property-name", Class::Attribute),
    ("variable", Class::Variable),
    ("variable.annotation", Class::Attribute),
    ("variable.function", Class::Function),
    ("variable.language", Class::Keyword),
    ("variable.other.constant", Class::Constant),
];

const ALIASES: &[(&str, &str)] = &[
    ("c#", "cs"),
    ("cjs", "js"),
    ("console", "bash"),
    ("cts", "ts"),
    ("csharp", "cs"),
    ("docker", "dockerfile"),
    ("golang", "go"),
    ("jsonc", "json"),
    ("json5", "json"),
    ("jsonl", "json"),
    ("mts", "ts"),
    ("node", "js"),
    ("objc", "m"),
    ("patch", "diff"),
    ("python3", "python"),
    ("shell", "bash"),
    ("shell-session", "bash"),
    ("sh-session", "bash"),
    ("udiff", "diff"),
    ("viml", "vim"),
    ("zsh", "bash"),
];
