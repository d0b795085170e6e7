//! The environment of a child: the person's own, less keys, plus what keeps a program from
//! waiting for a person who cannot answer.

use std::ffi::{OsStr, OsString};

/// Set for every child. No pager, no editor, no prompt, no colours: nobody sees the terminal.
const QUIET: [(&str, &str); 13] = [
    ("TERM", "dumb"),
    ("NO_COLOR", "1"),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("MANPAGER", "cat"),
    ("SYSTEMD_PAGER", "cat"),
    ("EDITOR", "true"),
    ("VISUAL", "true"),
    ("GIT_EDITOR", "true"),
    ("GIT_SEQUENCE_EDITOR", "true"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("SSH_ASKPASS_REQUIRE", "never"),
    ("DEBIAN_FRONTEND", "noninteractive"),
];

/// Taken out because they would bring colours or a size that is not there.
const LOUD: [&str; 6] =
    ["FORCE_COLOR", "CLICOLOR_FORCE", "CARGO_TERM_COLOR", "COLORTERM", "COLUMNS", "LINES"];

/// Model providers whose keys a child never sees.
const PROVIDERS: [&str; 17] = [
    "ANTHROPIC",
    "CLAUDE",
    "OPENAI",
    "AZURE_OPENAI",
    "OPENROUTER",
    "GEMINI",
    "GOOGLE",
    "GROQ",
    "MISTRAL",
    "DEEPSEEK",
    "XAI",
    "TOGETHER",
    "FIREWORKS",
    "CEREBRAS",
    "COHERE",
    "PERPLEXITY",
    "TERN",
];

/// Whether a variable of this name holds a key of a model provider.
pub fn secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    let keyish = ["KEY", "TOKEN", "SECRET"].iter().any(|word| name.contains(word));
    let provider = PROVIDERS.iter().any(|provider| {
        name.strip_prefix(provider).is_some_and(|rest| rest.starts_with('_') || rest.is_empty())
    });
    keyish && provider
}

/// `vars` as a child may have them. `also_secret` names further variables that hold keys. A
/// variable that repeats the value of a key under another name goes as well.
pub fn child_env(
    vars: impl IntoIterator<Item = (OsString, OsString)>,
    also_secret: &[String],
) -> Vec<(OsString, OsString)> {
    let vars: Vec<(OsString, OsString)> = vars.into_iter().collect();
    let hidden = |name: &OsStr| secret(name) || also_secret.iter().any(|s| name == s.as_str());
    // A short value is a coincidence ("1", "none"), not a key.
    let keys: Vec<OsString> = vars
        .iter()
        .filter(|(name, value)| hidden(name) && value.len() >= 12)
        .map(|(_, value)| value.clone())
        .collect();
    let replaced = |name: &OsStr| {
        LOUD.iter().any(|loud| name == *loud) || QUIET.iter().any(|(quiet, _)| name == *quiet)
    };
    vars.into_iter()
        .filter(|(name, value)| !hidden(name) && !replaced(name) && !keys.contains(value))
        .chain(QUIET.iter().map(|(name, value)| ((*name).into(), (*value).into())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_providers_are_secret() {
        for (name, expected) in [
            ("ANTHROPIC_API_KEY", true),
            ("ANTHROPIC_AUTH_TOKEN", true),
            ("CLAUDE_CODE_OAUTH_TOKEN", true),
            ("openai_api_key", true),
            ("ANTHROPIC_BASE_URL", false),
            ("OPENAISH_KEY", false),
            ("GITHUB_TOKEN", false),
            ("PATH", false),
        ] {
            assert_eq!(secret(OsStr::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_key_goes_under_every_name() {
        let vars = [
            ("PATH", "/bin"),
            ("OPENAI_API_KEY", "sk-canary-canary"),
            ("MY_COPY", "sk-canary-canary"),
            ("WORK_KEY", "sk-work-work-work"),
            ("PAGER", "less"),
            ("FORCE_COLOR", "1"),
        ];
        let env = child_env(
            vars.iter().map(|(n, v)| (OsString::from(n), OsString::from(v))),
            &["WORK_KEY".to_owned()],
        );
        let mut expected: Vec<(OsString, OsString)> = vec![("PATH".into(), "/bin".into())];
        expected.extend(QUIET.iter().map(|(n, v)| (OsString::from(n), OsString::from(v))));
        assert_eq!(env, expected);
    }
}
