//! From the syntax tree to the simple commands, with the directories each may run in.
//!
//! A `cd` moves what follows. `cd a && ls` runs in `a`; `cd a; ls` in `a` or, if that failed, where it
//! was before: both are then checked.

use std::collections::BTreeMap;
use std::path::Path;

use tree_sitter::Node;

use super::lex::{Kind, Token};
use super::places::{Flow, MOVES, Places, after, union};
use super::word::{Piece, Shape, Word};
use super::{Assignment, Part, Redirect, RedirectKind, tree};

pub(super) struct Walked {
    pub parts: Vec<Part>,
    pub doubt: Option<String>,
}

pub(super) fn parts(root: Node<'_>, text: &str, tokens: &[Token], cwd: &Path) -> Walked {
    let mut words = BTreeMap::new();
    collect(tokens, &mut words);
    let mut walk =
        Walk { text, words, parts: Vec::new(), doubt: None, stray: None, loops: Vec::new() };
    walk.sequence(root, &Some(vec![cwd.to_owned()]));
    Walked { parts: walk.parts, doubt: walk.doubt }
}

/// Every word of every level by the byte where it begins.
fn collect<'t>(tokens: &'t [Token], words: &mut BTreeMap<usize, &'t Word>) {
    for token in tokens {
        if let Kind::Word(word) | Kind::Here(word) = &token.kind {
            words.insert(token.start, word);
        }
        for inner in &token.inner {
            collect(&inner.tokens, words);
        }
    }
}

/// Words that are no commands when they stand where a command begins.
const RESERVED: [&str; 21] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac",
    "in", "function", "select", "{", "}", "!", "[[", "]]", "coproc",
];

struct Walk<'a, 't> {
    text: &'a str,
    words: BTreeMap<usize, &'t Word>,
    parts: Vec<Part>,
    doubt: Option<String>,
    /// Where commands on the first line of a here-document have left the shell.
    stray: Option<Places>,
    /// What the variables of the loops around stand for.
    loops: Vec<(String, Vec<Shape>)>,
}

impl Walk<'_, '_> {
    fn doubt(&mut self, why: &str) {
        self.doubt.get_or_insert_with(|| why.to_owned());
    }

    fn sequence(&mut self, node: Node<'_>, places: &Places) -> Flow {
        let mut flow = Flow::stay(places);
        for child in named(node) {
            let before = flow.clone().either();
            flow = self.statement(child, &before);
        }
        flow
    }

    fn statement(&mut self, node: Node<'_>, places: &Places) -> Flow {
        match node.kind() {
            "comment" => Flow::stay(places),
            "list" => self.list(node, places),
            "pipeline" => {
                // The grammar may hold `a && b | c` as one pipeline of a list: so the parts are taken
                // as if one came after the other, which covers both readings.
                let after = self.sequence(node, places).either();
                Flow::stay(&after)
            }
            "subshell" => {
                self.sequence(node, places);
                Flow::stay(places)
            }
            "negated_command" => {
                let flow = self.sequence(node, places);
                Flow { ok: flow.failed, failed: flow.ok }
            }
            "compound_statement" => {
                if self.text[node.byte_range()].starts_with("((") {
                    self.doubt("it computes an expression that may run commands");
                }
                self.sequence(node, places)
            }
            "if_statement" | "elif_clause" | "else_clause" => {
                let after = self.sequence(node, places).either();
                Flow::stay(&union(after, places.clone()))
            }
            "while_statement" | "do_group" => {
                let around = if self.may_move(node) { None } else { places.clone() };
                self.sequence(node, &around);
                Flow::stay(&around)
            }
            "for_statement" => self.for_statement(node, places),
            "file_redirect" => self.simple(node, &[node], places),
            "function_definition" => {
                self.doubt("it defines a function, so that a name may mean something else");
                self.sequence(node, &None);
                Flow::stay(places)
            }
            "redirected_statement" => self.redirected(node, places),
            "command"
            | "declaration_command"
            | "unset_command"
            | "test_command"
            | "variable_assignment"
            | "variable_assignments" => self.simple(node, &[], places),
            "word" if self.text[node.byte_range()].is_empty() => Flow::stay(places),
            kind => {
                let why = format!("it uses a form that is not judged by its parts ({kind})");
                self.doubt(&why);
                self.sequence(node, &None);
                Flow::stay(&None)
            }
        }
    }

    fn list(&mut self, node: Node<'_>, places: &Places) -> Flow {
        let mut flow: Option<(Flow, bool)> = None;
        for child in children(node) {
            let operator = &self.text[child.byte_range()];
            match (&mut flow, operator) {
                (Some((_, and)), "&&") if !child.is_named() => *and = true,
                (Some((_, and)), "||") if !child.is_named() => *and = false,
                (None, _) => flow = Some((self.statement(child, places), true)),
                (Some((before, true)), _) => {
                    let next = self.statement(child, &before.ok.clone());
                    let failed = union(before.failed.clone(), next.failed);
                    flow = Some((Flow { ok: next.ok, failed }, true));
                }
                (Some((before, false)), _) => {
                    let next = self.statement(child, &before.failed.clone());
                    let ok = union(before.ok.clone(), next.ok);
                    flow = Some((Flow { ok, failed: next.failed }, false));
                }
            }
        }
        flow.map_or_else(|| Flow::stay(places), |(flow, _)| flow)
    }

    fn for_statement(&mut self, node: Node<'_>, places: &Places) -> Flow {
        let around = if self.may_move(node) { None } else { places.clone() };
        let mut name = String::new();
        let mut values = Vec::new();
        for child in named(node) {
            match child.kind() {
                "variable_name" => {
                    name = self.text[child.byte_range()].to_owned();
                    let text = format!("for {name}");
                    let assignments = vec![Assignment { name: name.clone(), value: None }];
                    let places = around.clone();
                    self.parts.push(Part { text, assignments, places, ..Part::default() });
                }
                "do_group" => {
                    let text = &self.text[child.byte_range()];
                    let known = !values.is_empty() && !values.contains(&Shape::Dynamic);
                    if known && !sets(text, &name) {
                        self.loops.push((name.clone(), values.clone()));
                        self.sequence(child, &around);
                        self.loops.pop();
                    } else {
                        self.sequence(child, &around);
                    }
                }
                "comment" => {}
                kind if tree::is_word(kind) => {
                    let word = self.words.get(&child.start_byte());
                    values.push(word.map_or(Shape::Dynamic, |word| word.shape()));
                    self.inside(child, places);
                }
                _ => self.doubt("it has an unusual loop"),
            }
        }
        Flow::stay(&around)
    }

    /// The word, with what it stands for where it is the variable of a loop.
    fn bound(&self, word: &Word) -> Word {
        let mut word = word.clone();
        if let Some(name) = word.lone_variable()
            && let Some((_, values)) = self.loops.iter().rev().find(|(known, _)| known == name)
        {
            word.among = values.clone();
        }
        word
    }

    fn may_move(&self, node: Node<'_>) -> bool {
        self.text[node.byte_range()]
            .split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_'))
            .any(|word| MOVES.contains(&word))
    }

    fn redirected(&mut self, node: Node<'_>, places: &Places) -> Flow {
        let body = node.child_by_field_name("body");
        let others: Vec<Node<'_>> =
            named(node).into_iter().filter(|child| Some(*child) != body).collect();
        match body.map(|body| (body, body.kind())) {
            None => self.simple(node, &others, places),
            Some((
                body,
                "command"
                | "test_command"
                | "declaration_command"
                | "unset_command"
                | "variable_assignment"
                | "variable_assignments",
            )) => self.simple(body, &others, places),
            Some((body, _)) => {
                // The grammar may give `cd x && a > f` the redirection of its last command as its own.
                let flow = self.statement(body, places);
                let around = union(flow.clone().either(), places.clone());
                let mut part = Part {
                    text: others.iter().map(|n| &self.text[n.byte_range()]).collect::<String>(),
                    places: around,
                    ..Part::default()
                };
                for other in others {
                    self.redirect(other, &mut part, places);
                }
                if !part.words.is_empty() {
                    self.doubt("words after a redirection belong to an unclear command");
                }
                self.parts.push(part);
                flow
            }
        }
    }

    /// A command of its own words, with redirections that the tree keeps beside it.
    fn simple(&mut self, node: Node<'_>, beside: &[Node<'_>], places: &Places) -> Flow {
        let end = beside.iter().map(Node::end_byte).max().unwrap_or(0).max(node.end_byte());
        let start = beside.iter().map(Node::start_byte).min().unwrap_or(usize::MAX);
        let whole = &self.text[start.min(node.start_byte())..end];
        let mut part =
            Part { text: whole.trim().to_owned(), places: places.clone(), ..Part::default() };
        let index = self.parts.len();
        self.parts.push(Part::default());
        match node.kind() {
            "redirected_statement" | "file_redirect" => {}
            "variable_assignment" => self.assignment(node, &mut part, places),
            "test_command" => self.test(node, &mut part, places),
            "declaration_command" | "unset_command" => {
                for child in children(node) {
                    self.push_word(child, &mut part, places);
                }
            }
            _ => {
                for child in children(node) {
                    self.command_child(child, &mut part, places);
                }
            }
        }
        for node in beside {
            self.redirect(*node, &mut part, places);
        }
        part.words.sort_by_key(|word| word.start);
        self.check_words(&part);
        let mut flow = after(&part, places);
        if let Some(stray) = self.stray.take() {
            flow = Flow::stay(&union(flow.either(), stray));
        }
        if let Some(slot) = self.parts.get_mut(index) {
            *slot = part;
        }
        flow
    }

    fn command_child(&mut self, child: Node<'_>, part: &mut Part, places: &Places) {
        match child.kind() {
            "variable_assignment" => self.assignment(child, part, places),
            "file_redirect" | "herestring_redirect" | "heredoc_redirect" => {
                self.redirect(child, part, places);
            }
            "command_name" => {
                for word in children(child) {
                    self.push_word(word, part, places);
                }
            }
            "comment" => {}
            "subshell" => self.doubt("it has brackets where words belong"),
            _ => self.push_word(child, part, places),
        }
    }

    fn push_word(&mut self, node: Node<'_>, part: &mut Part, places: &Places) {
        match self.words.get(&node.start_byte()) {
            Some(word) if word.end == node.end_byte() => part.words.push(self.bound(word)),
            _ => self.doubt("it can be read in two ways"),
        }
        self.inside(node, places);
    }

    /// The commands in the outermost substitutions of a word, or in the word if it is one.
    fn inside(&mut self, node: Node<'_>, places: &Places) {
        if tree::is_substitution(node.kind()) {
            self.sequence(node, places);
        } else {
            for child in children(node) {
                self.inside(child, places);
            }
        }
    }

    fn assignment(&mut self, node: Node<'_>, part: &mut Part, places: &Places) {
        let Some(word) = self.words.get(&node.start_byte()).filter(|w| w.end == node.end_byte())
        else {
            return self.doubt("it can be read in two ways");
        };
        let Some((name, value)) = split_assignment(word) else {
            return self.doubt("it sets an element of a list");
        };
        part.assignments.push(Assignment { name, value });
        self.inside(node, places);
    }

    fn test(&mut self, node: Node<'_>, part: &mut Part, places: &Places) {
        let range = node.byte_range();
        let double = self.text[range.clone()].starts_with("[[");
        if self.text[range.clone()].starts_with("((") {
            self.doubt("it computes an expression that may run commands");
        }
        let inside: Vec<Word> = self.words.range(range).map(|(_, word)| (*word).clone()).collect();
        // Words of substitutions lie within another word.
        let mut end = 0;
        for word in inside {
            if word.start >= end {
                end = word.end;
                part.words.push(word);
            }
        }
        let operators = has_leaf(node, &["redirected_statement", "<", ">"]);
        if !double && operators {
            self.doubt("it redirects inside [ ]");
        }
        self.inside(node, places);
    }

    /// The grammar takes `-o2` of `sort -o2>&1` for the number of a descriptor; the shell does not.
    fn descriptors(&mut self, node: Node<'_>) {
        let number =
            |node: &Node<'_>| self.text[node.byte_range()].bytes().all(|b| b.is_ascii_digit());
        let descriptor = |node: &Node<'_>| node.kind() == "file_descriptor";
        if named(node).iter().filter(|child| descriptor(child)).any(|child| !number(child)) {
            self.doubt("it can be read in two ways");
        }
    }

    fn redirect(&mut self, node: Node<'_>, part: &mut Part, places: &Places) {
        self.descriptors(node);
        match node.kind() {
            "file_redirect" => self.file_redirect(node, part, places),
            "herestring_redirect" => {
                for child in named(node) {
                    if child.kind() != "file_descriptor" {
                        self.feed(child, part, places);
                    }
                }
            }
            "heredoc_redirect" => self.heredoc(node, part, places),
            "comment" => {}
            _ => self.doubt("it has an unusual redirection"),
        }
    }

    fn feed(&mut self, node: Node<'_>, part: &mut Part, places: &Places) {
        match self.words.get(&node.start_byte()) {
            Some(word) if word.end == node.end_byte() => {
                let target = (*word).clone();
                part.redirects.push(Redirect { kind: RedirectKind::Feeds, target });
            }
            _ => self.doubt("it can be read in two ways"),
        }
        self.inside(node, places);
    }

    fn file_redirect(&mut self, node: Node<'_>, part: &mut Part, places: &Places) {
        let mut operator = "";
        let mut targets = Vec::new();
        for child in children(node) {
            match child.kind() {
                "file_descriptor" | "comment" => {}
                kind if child.is_named() && tree::is_word(kind) => targets.push(child),
                _ => operator = &self.text[child.byte_range()],
            }
        }
        let mut targets = targets.into_iter();
        let kind = match operator {
            "<&-" | ">&-" => None,
            "<" | "<&" => Some(RedirectKind::Reads),
            ">" | ">>" | ">|" | "&>" | "&>>" | ">&" => Some(RedirectKind::Writes),
            _ => return self.doubt("it has an unusual redirection"),
        };
        if let Some(kind) = kind {
            let Some(target) = targets.next() else {
                return self.doubt("a redirection has no target");
            };
            match self.words.get(&target.start_byte()).copied() {
                Some(word) if word.end == target.end_byte() => {
                    let copies = matches!(operator, ">&" | "<&");
                    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
                    if copies && !word.source.chars().all(plain) {
                        // bash expands this word a second time: `>& '$(x)'` runs x.
                        self.doubt("it redirects to a word that the shell expands twice");
                    }
                    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
                    let descriptor = copies && digits(&word.source);
                    if !descriptor {
                        part.redirects.push(Redirect { kind, target: (*word).clone() });
                    }
                }
                _ => self.doubt("it can be read in two ways"),
            }
            self.inside(target, places);
        }
        // The grammar takes the words after a target for more targets; to the shell they are arguments.
        for argument in targets {
            self.push_word(argument, part, places);
        }
    }

    fn heredoc(&mut self, node: Node<'_>, part: &mut Part, places: &Places) {
        for child in named(node) {
            match child.kind() {
                "file_descriptor" | "heredoc_start" | "heredoc_end" | "comment" => {}
                "heredoc_body" => {
                    if let Some(body) = self.words.get(&child.start_byte()) {
                        let target = (*body).clone();
                        part.redirects.push(Redirect { kind: RedirectKind::Feeds, target });
                    }
                    self.inside(child, places);
                }
                "file_redirect" | "herestring_redirect" => self.redirect(child, part, places),
                kind if tree::is_word(kind) && kind != "variable_assignment" => {
                    self.push_word(child, part, places);
                }
                // `cat <<END | next` and `cat <<END && next`.
                _ => {
                    let after = self.statement(child, places).either();
                    let before = self.stray.take().unwrap_or_else(|| after.clone());
                    self.stray = Some(union(before, after));
                }
            }
        }
    }

    fn check_words(&mut self, part: &Part) {
        if let Some(first) = part.words.first() {
            let reserved = !first.is_quoted() && RESERVED.contains(&first.source.as_str());
            if reserved && !first.source.starts_with("[[") {
                self.doubt("a word of the shell's grammar stands where a command belongs");
            }
        }
        for word in &part.words {
            // `2>f` written so that the grammar sees an argument and the shell a descriptor.
            let digits = word.source.bytes().all(|b| b.is_ascii_digit());
            if digits && self.text[word.end..].starts_with(['<', '>']) {
                self.doubt("it can be read in two ways");
            }
        }
        for pair in part.words.windows(2) {
            let [a, b] = pair else { continue };
            let gap = self.text.get(a.end..b.start).unwrap_or("\n");
            if gap.replace("\\\n", "").contains('\n') {
                self.doubt("it can be read in two ways");
            }
        }
    }
}

/// Name and value of `NAME=value` or `NAME+=value`.
fn split_assignment(word: &Word) -> Option<(String, Option<String>)> {
    let (name, _) = word.source.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let valid = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if !valid {
        return None;
    }
    let known =
        word.pieces.iter().all(|piece| matches!(piece, Piece::Text { .. } | Piece::Glob(_)));
    let value = word.loose().split_once('=').map(|(_, value)| value.to_owned());
    Some((name.to_owned(), value.filter(|_| known)))
}

/// Whether a loop's body may give its variable another value: the name stands there without a `$`.
fn sets(body: &str, name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    body.match_indices(name).any(|(at, _)| {
        let before = body[..at].chars().next_back();
        let whole = !before.is_some_and(word) && !body[at + name.len()..].starts_with(word);
        whole && !body[..at].ends_with('$') && !body[..at].ends_with("${")
    })
}

fn has_leaf(node: Node<'_>, kinds: &[&str]) -> bool {
    children(node).iter().any(|child| kinds.contains(&child.kind()) || has_leaf(*child, kinds))
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    (0..node.child_count()).filter_map(|i| node.child(i)).collect()
}

fn named(node: Node<'_>) -> Vec<Node<'_>> {
    children(node).into_iter().filter(Node::is_named).collect()
}
