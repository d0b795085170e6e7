//! Commands and skills: instructions in a file, called by the person with a slash or read by the
//! model when they fit. A command is a file, a skill a folder with a `SKILL.md`; else they are the
//! same.

use std::path::{Path, PathBuf};

use crate::extend::front::{self, Parts};
use crate::extend::{Extensions, Folder, From, files, one_line};

#[derive(Debug, Clone, PartialEq)]
pub struct Skill {
    /// Without the slash; folders within `commands` stand before it: `frontend:test`.
    pub name: String,
    /// One line.
    pub description: String,
    /// When the model should use it, where the file says so besides.
    when: String,
    /// What may follow the name.
    pub hint: String,
    pub body: String,
    pub file: PathBuf,
    /// The folder that it may name files of.
    pub folder: PathBuf,
    pub from: From,
    /// Rules that hold while it is carried out.
    pub allowed: Vec<String>,
    /// Whether the person can call it.
    pub for_person: bool,
    model_may: bool,
    described: bool,
}

/// Characters of a description in the list that the model gets.
const DESCRIPTION: usize = 300;
const HINT: usize = 60;

pub(super) fn commands(folder: &Folder, found: &mut Extensions) {
    let top = folder.path.join("commands");
    for file in files::markdown(&top) {
        let relative = file.strip_prefix(&top).unwrap_or(&file).with_extension("");
        let parts: Vec<String> =
            relative.components().map(|part| part.as_os_str().to_string_lossy().into()).collect();
        let home = file.parent().unwrap_or(&top).to_owned();
        add(&file, &parts.join(":"), home, folder, found);
    }
}

pub(super) fn skills(folder: &Folder, found: &mut Extensions) {
    for home in files::folders(&folder.path.join("skills")) {
        let file = home.join("SKILL.md");
        if file.is_file() {
            let name = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
            add(&file, &name, home, folder, found);
        }
    }
}

fn add(file: &Path, name: &str, home: PathBuf, folder: &Folder, found: &mut Extensions) {
    let name = match &folder.prefix {
        Some(plugin) => format!("{plugin}:{name}"),
        None => name.to_owned(),
    };
    let mut tell = |why: String| found.problems.push(format!("{} {why}", file.display()));
    if !files::is_name(&name) {
        return tell("has a name that cannot be typed as a command".to_owned());
    }
    let text = match files::text(file) {
        Ok(text) => text,
        Err(why) => return tell(why),
    };
    let parts = front::split(&text);
    if let Some(problem) = &parts.problem {
        // Its front matter may have narrowed what it does.
        return tell(format!("{problem}, so it does not count"));
    }
    let skill = of(parts, name, file, home, folder.from);
    found.skills.retain(|other| other.name != skill.name);
    found.skills.push(skill);
}

fn of(parts: Parts, name: String, file: &Path, folder: PathBuf, from: From) -> Skill {
    let described = parts.text("description");
    let first = parts.body.lines().map(|line| line.trim_start_matches('#').trim());
    let first = first.into_iter().find(|line| !line.is_empty()).unwrap_or_default();
    Skill {
        name,
        description: one_line(described.as_deref().unwrap_or(first), DESCRIPTION),
        when: one_line(&parts.text("when_to_use").unwrap_or_default(), DESCRIPTION),
        hint: one_line(&parts.text("argument-hint").unwrap_or_default(), HINT),
        file: file.to_owned(),
        folder,
        from,
        allowed: parts.list("allowed-tools").unwrap_or_default(),
        for_person: parts.flag("user-invocable").unwrap_or(true),
        model_may: !parts.flag("disable-model-invocation").unwrap_or(false),
        described: described.is_some(),
        body: parts.body,
    }
}

impl Skill {
    /// Only what describes itself is worth a line in every request.
    pub fn for_model(&self) -> bool {
        self.model_may && self.described
    }

    /// Whether the model may call it at all.
    pub fn model_may(&self) -> bool {
        self.model_may
    }

    pub(super) fn line(&self) -> String {
        let when = if self.when.is_empty() { String::new() } else { format!(" {}", self.when) };
        format!("- {}: {}{when}", self.name, self.description)
    }
}

#[cfg(test)]
mod tests {
    use crate::extend::load;
    use crate::extend::tests::staged;

    #[test]
    fn commands_and_skills_with_their_front_matter() {
        let (_dir, places) = staged(
            &[
                (
                    "config/commands/frontend/test.md",
                    "---\ndescription: run tests\nargument-hint: [name]\nallowed-tools: Bash(npm test *), Read\n---\nRun $1",
                ),
                ("config/commands/plain.md", "# Do it\n\nnow"),
                ("config/commands/bad name.md", "x"),
                ("config/commands/broken.md", "---\na: [\n - x: {\n---\nx"),
                (
                    "config/skills/pdf/SKILL.md",
                    "---\nname: pdf\ndescription: reads PDFs\n---\nBody",
                ),
                (
                    "config/skills/off/SKILL.md",
                    "---\ndescription: x\ndisable-model-invocation: true\n---\n",
                ),
                ("config/skills/empty/readme.txt", ""),
            ],
            false,
        );
        let found = load(&places);
        let names: Vec<&str> = found.skills.iter().map(|skill| skill.name.as_str()).collect();
        assert_eq!(names, ["frontend:test", "off", "pdf", "plain"]);
        let test = found.skill("frontend:test").unwrap();
        assert_eq!(test.allowed, ["Bash(npm test *)", "Read"]);
        assert_eq!(found.skill("plain").unwrap().description, "Do it");
        let listing = found.listing();
        assert!(listing.contains("- pdf: reads PDFs") && !listing.contains("plain"), "{listing}");
        assert!(!listing.contains("- off"), "{listing}");
        assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
    }
}
