//! The border that foreign text crosses on its way into the app: whatever the model, a tool, a
//! file or a server wrote is made safe to draw here, once. The log and the model keep the exact
//! bytes.

use crate::protocol::{Hunk, PartVerdict, Preview, Request, Title, Todo};
use crate::text::clean;

/// Text that is read: escapes go, the rest stays as it was meant.
pub fn prose(text: &str) -> String {
    clean::prose(text).into_owned()
}

/// Text that something hangs on (a command, a path, a rule): what cannot be seen is made visible.
pub fn exact(text: &str) -> String {
    clean::exact(text).into_owned()
}

/// The same on one line.
pub fn line(text: &str) -> String {
    exact(text).replace('\n', "⏎")
}

pub fn title(title: Title) -> Title {
    Title { doing: line(&title.doing), done: line(&title.done), object: line(&title.object) }
}

pub fn todos(todos: Vec<Todo>) -> Vec<Todo> {
    let clean = |todo: Todo| Todo {
        content: line(&todo.content),
        active_form: line(&todo.active_form),
        ..todo
    };
    todos.into_iter().map(clean).collect()
}

/// Word marks are byte ranges of the text, so a line that changes loses them.
pub fn hunks(hunks: Vec<Hunk>) -> Vec<Hunk> {
    let mut hunks = hunks;
    for line in hunks.iter_mut().flat_map(|hunk| &mut hunk.lines) {
        let clean = exact(&line.text).replace('\n', "⏎");
        if clean != line.text {
            line.text = clean;
            line.changed.clear();
        }
    }
    hunks
}

pub fn request(request: Request) -> Request {
    let preview = match request.preview {
        Preview::Command { command, cwd } => {
            Preview::Command { command: exact(&command), cwd: line(&cwd) }
        }
        Preview::Edit { path, hunks: changed, added, removed, new_file } => Preview::Edit {
            path: line(&path),
            hunks: hunks(changed),
            added,
            removed,
            new_file,
        },
        Preview::Url { url } => Preview::Url { url: line(&url) },
        Preview::Other { text } => Preview::Other { text: exact(&text) },
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
