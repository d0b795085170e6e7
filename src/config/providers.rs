//! The providers that tern knows without being told, and how a user's own table is laid over one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::config::{Auth, KeySource, Network, ProviderConfig, Wire};

/// A provider of the built-in list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BuiltIn {
    pub name: &'static str,
    pub wire: Wire,
    pub base_url: &'static str,
    /// The variable that usually holds its key; empty: none.
    pub key_env: &'static str,
    pub local: bool,
}

#[rustfmt::skip] // One line a provider: this is read as a table.
pub const BUILT_IN: &[BuiltIn] = &[
    row("anthropic", Wire::Anthropic, "https://api.anthropic.com", "ANTHROPIC_API_KEY", false),
    row("openai", Wire::OpenaiResponses, "https://api.openai.com/v1", "OPENAI_API_KEY", false),
    row("openrouter", Wire::OpenaiChat, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", false),
    row("ollama", Wire::OpenaiChat, "http://127.0.0.1:11434/v1", "", true),
    row("llamacpp", Wire::OpenaiChat, "http://127.0.0.1:8080/v1", "", true),
    row("lmstudio", Wire::OpenaiChat, "http://127.0.0.1:1234/v1", "", true),
    row("vllm", Wire::OpenaiChat, "http://127.0.0.1:8000/v1", "", true),
    row("demo", Wire::Demo, "", "", true),
];

/// The variable whose value goes out as a bearer token to anthropic, as in the vendor's own SDK.
pub const BEARER_ENV: &str = "ANTHROPIC_AUTH_TOKEN";

const fn row(
    name: &'static str,
    wire: Wire,
    base_url: &'static str,
    key_env: &'static str,
    local: bool,
) -> BuiltIn {
    BuiltIn { name, wire, base_url, key_env, local }
}

/// A provider's table as the user's files have it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stated {
    pub wire: Option<Wire>,
    pub base_url: Option<String>,
    pub key: Option<String>,
    pub key_command: Option<String>,
    pub key_env: Option<Vec<String>>,
    pub auth: Option<Auth>,
    pub headers: BTreeMap<String, String>,
    pub local: Option<bool>,
}

/// The provider as meant, or the name of the setting that it lacks. `network` is given what the
/// provider's own table and the general one say; `header_timeout_stated` whether its own does.
pub fn settle(
    name: &str,
    stated: Stated,
    mut network: Network,
    header_timeout_stated: bool,
    env: &BTreeMap<String, String>,
) -> Result<ProviderConfig, &'static str> {
    let known = BUILT_IN.iter().find(|known| known.name == name);
    let wire = stated.wire.or(known.map(|known| known.wire)).ok_or("api")?;
    let base_url =
        stated.base_url.or(known.map(|known| known.base_url.to_owned())).ok_or("base-url")?;
    let local = match (stated.local, known) {
        (Some(local), _) => local,
        (None, Some(known)) => known.local,
        (None, None) => is_loopback(&base_url),
    };
    if local && !header_timeout_stated {
        network.header_timeout = None;
    }
    let own_key = stated.key.is_some() || stated.key_command.is_some() || stated.key_env.is_some();
    let token = env.get(BEARER_ENV).is_some_and(|token| !token.trim().is_empty());
    let by_token = name == "anthropic" && token && !own_key && stated.auth != Some(Auth::Wire);
    let key_env = match (stated.key_env, known) {
        (Some(names), _) => names,
        (None, _) if by_token => vec![BEARER_ENV.to_owned()],
        (None, Some(known)) if !known.key_env.is_empty() => vec![known.key_env.to_owned()],
        (None, _) => Vec::new(),
    };
    Ok(ProviderConfig {
        wire,
        base_url,
        key: KeySource {
            value: stated.key,
            command: stated.key_command,
            env: key_env,
            saved: Some(name.to_owned()),
        },
        auth: if by_token { Auth::Bearer } else { stated.auth.unwrap_or_default() },
        headers: stated.headers,
        network,
        local,
    })
}

fn is_loopback(base_url: &str) -> bool {
    let Ok(url) = url::Url::parse(base_url) else { return false };
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(
        name: &str,
        stated: Stated,
        env: &[(&str, &str)],
    ) -> Result<ProviderConfig, &'static str> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        settle(name, stated, crate::config::Config::default().network, false, &env)
    }

    #[test]
    fn the_auth_token_goes_out_as_a_bearer_unless_a_key_is_stated() {
        let token = [(BEARER_ENV, "t"), ("ANTHROPIC_API_KEY", "k")];
        let keyed = Stated { key: Some("k".into()), ..Stated::default() };
        let plain = Stated { auth: Some(Auth::Wire), ..Stated::default() };
        for (name, stated, env, auth, variables) in [
            ("anthropic", Stated::default(), &token[..], Auth::Bearer, vec![BEARER_ENV]),
            ("anthropic", Stated::default(), &[], Auth::Wire, vec!["ANTHROPIC_API_KEY"]),
            (
                "anthropic",
                Stated::default(),
                &[(BEARER_ENV, " ")],
                Auth::Wire,
                vec!["ANTHROPIC_API_KEY"],
            ),
            ("anthropic", keyed, &token, Auth::Wire, vec!["ANTHROPIC_API_KEY"]),
            ("anthropic", plain, &token, Auth::Wire, vec!["ANTHROPIC_API_KEY"]),
            ("openai", Stated::default(), &token, Auth::Wire, vec!["OPENAI_API_KEY"]),
            ("ollama", Stated::default(), &token, Auth::Wire, vec![]),
        ] {
            let got = settled(name, stated, env).unwrap();
            assert_eq!(
                (got.auth, got.key.env),
                (auth, variables.iter().map(|v| (*v).to_owned()).collect())
            );
        }
    }

    #[test]
    fn a_loopback_server_of_the_users_own_is_local_and_may_think_long() {
        for (url, local) in [
            ("http://127.0.0.1:9/v1", true),
            ("http://localhost:9", true),
            ("http://[::1]:9", true),
            ("https://127.0.0.1.example.com", false),
        ] {
            let stated = Stated {
                wire: Some(Wire::OpenaiChat),
                base_url: Some(url.into()),
                ..Stated::default()
            };
            let got = settled("mine", stated, &[]).unwrap();
            assert_eq!((got.local, got.network.header_timeout.is_none()), (local, local), "{url}");
        }
    }

    #[test]
    fn what_an_unknown_provider_lacks_is_named() {
        assert_eq!(settled("mine", Stated::default(), &[]), Err("api"));
        let stated = Stated { wire: Some(Wire::Anthropic), ..Stated::default() };
        assert_eq!(settled("mine", stated, &[]), Err("base-url"));
    }
}
