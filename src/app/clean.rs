//! The border that foreign text crosses on its way into the app: whatever the model, a tool, a
//! file or a server wrote is made safe to draw here, once. The log and the model keep the exact
//! bytes.

use std::path::PathBuf;

use crate::app::panels::history::{Preview, SessionRow};
use crate::protocol::{
    CommandInfo, DenialInfo, FileStep, PartVerdict, Preview as Question, Request, Rewind, Role,
    RuleBook, RuleInfo, Sourced, StepConflict, Title, Todo, Trust, TrustItem,
};
use crate::text::Piece;
use crate::text::clean::{Mark, Mode, clean, marked};

/// Text that is read: escapes go, the rest stays as it was meant.
pub fn prose(text: &str) -> String {
    clean(text, Mode::Prose).into_owned()
}

/// Text that something hangs on (a command, a path, a rule): what cannot be seen is made visible.
pub fn exact(text: &str) -> String {
    clean(text, Mode::Security).into_owned()
}

/// The same on one line.
pub fn line(text: &str) -> String {
    clean(text, Mode::Name).into_owned()
}

/// The output of a program, as a terminal would have left it.
pub fn output(text: &str) -> String {
    clean(text, Mode::Output).into_owned()
}

/// Text that the person must judge, with what was spelled out kept apart.
pub fn judged(text: &str) -> Vec<Piece<Mark>> {
    marked(text, Mode::Security)
}

pub fn title(title: &Title) -> Title {
    Title { doing: line(&title.doing), done: line(&title.done), object: line(&title.object) }
}

pub fn commands(commands: Vec<CommandInfo>) -> Vec<CommandInfo> {
    let clean = |command: CommandInfo| CommandInfo {
        name: line(&command.name),
        args: line(&command.args),
        help: line(&command.help),
        source: line(&command.source),
    };
    commands.into_iter().map(clean).collect()
}

pub fn todos(todos: Vec<Todo>) -> Vec<Todo> {
    let clean = |todo: Todo| Todo {
        content: line(&todo.content),
        active_form: line(&todo.active_form),
        ..todo
    };
    todos.into_iter().map(clean).collect()
}

pub fn rule_book(book: RuleBook) -> RuleBook {
    let rule = |info: RuleInfo| {
        let file = info.rule.file.map(|file| PathBuf::from(line(&file.to_string_lossy())));
        RuleInfo {
            rule: Sourced { value: line(&info.rule.value), file, ..info.rule },
            problem: info.problem.map(|problem| line(&problem)),
            ..info
        }
    };
    let denial = |denial: DenialInfo| DenialInfo {
        tool: line(&denial.tool),
        what: line(&denial.what),
        because: line(&denial.because),
        ..denial
    };
    RuleBook {
        rules: book.rules.into_iter().map(rule).collect(),
        denials: book.denials.into_iter().map(denial).collect(),
        ..book
    }
}

pub fn session(row: SessionRow) -> SessionRow {
    SessionRow {
        title: line(&row.title),
        age: line(&row.age),
        project: line(&row.project),
        branch: line(&row.branch),
        snippet: row.snippet.map(|snippet| line(&snippet)),
        ..row
    }
}

pub fn preview(preview: Preview) -> Preview {
    let clean = |messages: Vec<(Role, String)>| {
        messages.into_iter().map(|(role, text)| (role, prose(&text))).collect()
    };
    Preview { head: clean(preview.head), tail: clean(preview.tail), ..preview }
}

pub fn trust(trust: Trust) -> Trust {
    let item = |item: TrustItem| TrustItem {
        kind: line(&item.kind),
        text: line(&item.text),
        file: line(&item.file),
        line: item.line,
    };
    Trust {
        folder: line(&trust.folder),
        items: trust.items.into_iter().map(item).collect(),
        ..trust
    }
}

/// Hunks stay as they are: the view shows what cannot be seen in them, and needs every byte for
/// that.
pub fn file_step(file: FileStep) -> FileStep {
    let conflict = |conflict: StepConflict| match conflict {
        StepConflict::Impossible { why } => StepConflict::Impossible { why: line(&why) },
        StepConflict::ChangedSince => StepConflict::ChangedSince,
    };
    FileStep {
        path: line(&file.path),
        from: file.from.map(|from| line(&from)),
        note: line(&file.note),
        conflict: file.conflict.map(conflict),
        ..file
    }
}

pub fn rewind(rewind: Rewind) -> Rewind {
    Rewind {
        prompt: line(&rewind.prompt),
        files: rewind.files.into_iter().map(file_step).collect(),
        ..rewind
    }
}

pub fn request(request: Request) -> Request {
    let preview = match request.preview {
        Question::Edit { path, hunks, added, removed, new_file } => {
            Question::Edit { path: line(&path), hunks, added, removed, new_file }
        }
        // These are judged by their very characters: see `judged`.
        other => other,
    };
    let part = |part: PartVerdict| PartVerdict {
        text: line(&part.text),
        because: line(&part.because),
        ..part
    };
    Request {
        preview,
        tool: line(&request.tool),
        parts: request.parts.into_iter().map(part).collect(),
        because: line(&request.because),
        reason: request.reason.map(|reason| line(&reason)),
        sandbox: request.sandbox.map(|sandbox| line(&sandbox)),
        ..request
    }
}
