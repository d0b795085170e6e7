//! The machine and the folder, as the model needs to know them.

use crate::context::{Place, inside_tags, line_of};

/// Characters of one fact.
const LONGEST: usize = 400;

pub fn block(place: &Place, work_tree: bool) -> String {
    let mut text = String::from("<environment>\n");
    let mut fact = |name: &str, value: &str| {
        text.push_str(&format!("{name}: {}\n", inside_tags(&line_of(value, LONGEST))));
    };
    fact("Working directory", &place.cwd.to_string_lossy());
    if place.root != place.cwd {
        fact("Project root", &place.root.to_string_lossy());
    }
    fact("Git work tree", if work_tree { "yes" } else { "no" });
    fact("Platform", &place.platform);
    if let Some(shell) = &place.shell {
        fact("Shell", shell);
    }
    fact("Date", &place.date);
    text.push_str("</environment>\n");
    text
}
