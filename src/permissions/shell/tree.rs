//! The syntax tree of a command, and whether it sees the same words as the scanner.

use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use super::lex::{Doubt, Inner, Kind, Token};

/// Steps of the parser's own progress counter after which a command is called too complicated.
const MOST_STEPS: usize = 4_000;

pub(super) fn parse(text: &str) -> Result<Tree, Doubt> {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_bash::LANGUAGE.into())
        .map_err(|error| format!("the shell grammar could not be loaded ({error})"))?;
    let mut steps = 0usize;
    let mut stop_late = |_: &tree_sitter::ParseState| {
        steps += 1;
        if steps > MOST_STEPS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let bytes = text.as_bytes();
    parser
        .parse_with_options(
            &mut |at, _| bytes.get(at..).unwrap_or_default(),
            None,
            Some(ParseOptions::new().progress_callback(&mut stop_late)),
        )
        .ok_or_else(|| "it takes too long to parse".to_owned())
}

/// Node kinds that are one word, or a piece of one.
pub(super) fn is_word(kind: &str) -> bool {
    matches!(
        kind,
        "word"
            | "string"
            | "raw_string"
            | "ansi_c_string"
            | "translated_string"
            | "number"
            | "concatenation"
            | "expansion"
            | "simple_expansion"
            | "command_substitution"
            | "process_substitution"
            | "arithmetic_expansion"
            | "brace_expression"
            | "extglob_pattern"
            | "regex"
            | "variable_assignment"
            | "variable_name"
            | "special_variable_name"
            | "test_operator"
            | "file_descriptor"
            | "heredoc_start"
    )
}

/// What both readings must have in common: a word, an operator or a line end at the same bytes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Unit {
    Span(usize, usize),
    /// The end of a here-document.
    HereEnd(usize),
}

/// Whether the tree under `node` and the tokens name the same words, operators and substitutions.
/// Line ends count where the tree has one; `walk` looks for those inside a command.
pub(super) fn agree(node: Node<'_>, tokens: &[Token]) -> Result<(), Doubt> {
    let mut reading = Reading::default();
    reading.level(node);
    reading.units.sort_unstable();
    let scanned: Vec<Unit> = tokens
        .iter()
        .filter_map(|token| match token.kind {
            Kind::Newline => None,
            Kind::Here(_) => Some(Unit::HereEnd(token.end)),
            Kind::Word(_) | Kind::Operator => Some(Unit::Span(token.start, token.end)),
        })
        .collect();
    let mut sorted = scanned;
    sorted.sort_unstable();
    let line_ends = reading
        .line_ends
        .iter()
        .all(|at| tokens.iter().any(|token| token.kind == Kind::Newline && token.start == *at));
    if reading.units != sorted || !line_ends {
        return Err("it can be read in two ways".to_owned());
    }
    let inners: Vec<&Inner> = tokens.iter().flat_map(|token| &token.inner).collect();
    if inners.len() != reading.substitutions.len() {
        return Err("it can be read in two ways".to_owned());
    }
    for (inner, node) in inners.into_iter().zip(reading.substitutions) {
        let (start, end) = inside(node);
        if (inner.start, inner.end) != (start, end) {
            return Err("it can be read in two ways".to_owned());
        }
        agree(node, &inner.tokens)?;
    }
    Ok(())
}

/// The bytes between the brackets of a substitution.
fn inside(node: Node<'_>) -> (usize, usize) {
    let count = node.child_count();
    let start = node.child(0).map_or(node.start_byte(), |open| open.end_byte());
    let end = node.child(count.saturating_sub(1)).map_or(node.end_byte(), |c| c.start_byte());
    (start, end)
}

#[derive(Default)]
struct Reading<'t> {
    units: Vec<Unit>,
    line_ends: Vec<usize>,
    substitutions: Vec<Node<'t>>,
}

impl<'t> Reading<'t> {
    /// The children of a program or of a substitution (whose brackets are not its own level).
    fn level(&mut self, node: Node<'t>) {
        let substitution = is_substitution(node.kind());
        let count = node.child_count();
        for i in 0..count {
            if substitution && (i == 0 || i + 1 == count) {
                continue;
            }
            if let Some(child) = node.child(i) {
                self.node(child);
            }
        }
    }

    fn node(&mut self, node: Node<'t>) {
        let kind = node.kind();
        match kind {
            "comment" => {}
            "\n" => self.line_ends.push(node.start_byte()),
            "heredoc_body" => self.substitutions_in(node),
            "heredoc_end" => self.units.push(Unit::HereEnd(node.end_byte())),
            _ if is_word(kind) => {
                self.units.push(Unit::Span(node.start_byte(), node.end_byte()));
                self.substitutions_in(node);
            }
            _ if node.child_count() == 0 => {
                if node.start_byte() < node.end_byte() {
                    self.units.push(Unit::Span(node.start_byte(), node.end_byte()));
                }
            }
            _ => self.level(node),
        }
    }

    /// The outermost substitutions of a word, in order.
    fn substitutions_in(&mut self, node: Node<'t>) {
        if is_substitution(node.kind()) {
            self.substitutions.push(node);
            return;
        }
        for i in 0..node.child_count() {
            if let Some(child) = node.child(i) {
                self.substitutions_in(child);
            }
        }
    }
}

pub(super) fn is_substitution(kind: &str) -> bool {
    matches!(kind, "command_substitution" | "process_substitution")
}
