//! Output styles: how the model should speak and work, in words that are added to its system prompt.
//! Files of `output-styles`, one style each; `output-style` in the settings names the one that counts.

use crate::config::STYLES;
use crate::extend::front;
use crate::extend::{Extensions, Folder, From, files, one_line};

#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    pub name: String,
    /// One line.
    pub description: String,
    /// For the system prompt.
    pub text: String,
    pub from: From,
}

const DESCRIPTION: usize = 200;

pub(super) fn built_in() -> Vec<Style> {
    let texts = [
        include_str!("../../assets/prompts/styles/concise.md"),
        include_str!("../../assets/prompts/styles/explanatory.md"),
    ];
    let style = |((name, description), text): (&(&str, &str), &str)| Style {
        name: (*name).to_owned(),
        description: (*description).to_owned(),
        text: text.trim().to_owned(),
        from: From::BuiltIn,
    };
    STYLES.iter().zip(texts).map(style).collect()
}

pub(super) fn defined(folder: &Folder, found: &mut Extensions) {
    for file in files::markdown(&folder.path.join("output-styles")) {
        let mut tell = |why: &str| found.problems.push(format!("{} {why}", file.display()));
        let parts = match files::text(&file) {
            Ok(text) => front::split(&text),
            Err(why) => {
                tell(&why);
                continue;
            }
        };
        let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = parts.text("name").or_else(stem).unwrap_or_default();
        let name = match &folder.prefix {
            Some(plugin) => format!("{plugin}:{name}"),
            None => name,
        };
        if let Some(problem) = &parts.problem {
            tell(problem);
        } else if name.trim().is_empty() || name.chars().any(char::is_control) {
            tell("has a name that cannot be used");
        } else if parts.body.is_empty() {
            tell("has no text that would say what the style is");
        } else {
            let description = one_line(&parts.text("description").unwrap_or_default(), DESCRIPTION);
            found.styles.retain(|other| !other.name.eq_ignore_ascii_case(&name));
            found.styles.push(Style { name, description, text: parts.body, from: folder.from });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::extend::load;
    use crate::extend::tests::staged;

    #[test]
    fn styles_of_files_stand_beside_those_built_in_and_may_replace_them() {
        let files = [
            ("home/.claude/output-styles/Pirate.md", "---\ndescription: arr\n---\nSpeak so."),
            ("config/output-styles/concise.md", "Mine."),
            ("config/output-styles/empty.md", "---\ndescription: x\n---\n"),
            ("project/.tern/output-styles/team.md", "---\nname: Our team\n---\nOurs."),
        ];
        for (trusted, names) in [
            (false, vec!["explanatory", "Pirate", "concise"]),
            (true, vec!["explanatory", "Pirate", "concise", "Our team"]),
        ] {
            let (_dir, places) = staged(&files, trusted);
            let found = load(&places);
            let all: Vec<&str> = found.styles.iter().map(|style| style.name.as_str()).collect();
            assert_eq!(all, names);
            assert_eq!(found.style("CONCISE").unwrap().text, "Mine.");
            assert_eq!(found.style("default"), None);
            assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
        }
    }
}
