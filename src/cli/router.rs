//! From the configuration to models that can be asked: which one to begin with, and the keys.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::agent::route::{Route, Router};
use crate::api::demo::{Demo, Pace};
use crate::api::{self, ApiError, ApiErrorKind, key};
use crate::cli::{Env, Failure, Vars};
use crate::config::dirs::Dirs;
use crate::config::{Config, KeySource, ProviderConfig, Wire, login};
use crate::models::{self, Model};
use crate::net;
use crate::protocol::ErrorKind;
use crate::session::redact::Secrets;

/// What tern begins with where only a key says which provider is meant.
const DEFAULTS: &[(&str, &str)] =
    &[("anthropic", "anthropic/claude-sonnet-5-5"), ("openai", "openai/gpt-6.2-sol")];

/// The model to begin with: the configured one, else that of the first provider with a key.
pub fn model(config: &Config, env: &Env) -> Result<String, Failure> {
    if let Some(model) = &config.model {
        return checked(config, model).map(|()| model.clone());
    }
    if let Some(model) = by_key(config, env) {
        return Ok(model);
    }
    Err(Failure::new(ErrorKind::Auth, "no model is configured and no key was found")
        .hint("Set ANTHROPIC_API_KEY or OPENAI_API_KEY, or run `tern login PROVIDER`.")
        .hint("With a local server: tern -m ollama/MODEL. Without either: tern --demo."))
}

/// The default model of the first provider that has a key.
pub fn by_key(config: &Config, env: &Env) -> Option<String> {
    DEFAULTS
        .iter()
        .find(|(provider, _)| config.providers.get(*provider).is_some_and(|p| has_key(p, env)))
        .map(|(_, model)| (*model).to_owned())
}

/// What tern begins with on this provider.
pub fn default_of(provider: &str) -> Option<String> {
    DEFAULTS.iter().find(|(name, _)| *name == provider).map(|(_, model)| (*model).to_owned())
}

/// Whether a key stands ready; runs nothing.
pub fn has_key(provider: &ProviderConfig, env: &Env) -> bool {
    let source = &provider.key;
    let set = |name: &String| env.vars.get(name).is_some_and(|value| !value.trim().is_empty());
    let saved = |name: &String| matches!(login::saved(&env.dirs, name), Ok(Some(_)));
    source.value.is_some()
        || source.command.is_some()
        || source.env.iter().any(set)
        || source.saved.as_ref().is_some_and(saved)
}

fn checked(config: &Config, name: &str) -> Result<(), Failure> {
    split(config, name).map(|_| ()).map_err(|error| Failure {
        kind: ErrorKind::Config,
        message: error.message,
        hints: error.hints,
    })
}

/// Keys that stand in the configuration and the environment: none of them may be written anywhere.
pub fn secrets(config: &Config, env: &Env) -> Secrets {
    let mut known = Vec::new();
    for provider in config.providers.values() {
        known.extend(provider.key.value.clone());
        known.extend(provider.key.env.iter().filter_map(|name| env.vars.get(name).cloned()));
        let saved = provider.key.saved.as_ref().and_then(|name| login::saved(&env.dirs, name).ok());
        known.extend(saved.flatten().map(|key| key.expose_secret().to_owned()));
    }
    known.extend(config.web_search.iter().flat_map(|search| search.headers.values().cloned()));
    Secrets::new(known)
}

/// Routes by the configuration. Makes its HTTP client when it is first needed.
#[derive(Debug)]
pub struct Configured {
    config: Config,
    dirs: Dirs,
    vars: Vars,
    /// The built-in knowledge of models, with the user's own on top.
    table: models::Table,
    client: OnceLock<reqwest::Client>,
}

impl Configured {
    pub fn new(config: &Config, env: &Env) -> Configured {
        Configured {
            config: config.clone(),
            dirs: env.dirs.clone(),
            vars: env.vars.clone(),
            // What is wrong in it was told when the configuration was read.
            table: models::built_in().with(&config.models).0,
            client: OnceLock::new(),
        }
    }

    fn client(&self) -> Result<reqwest::Client, ApiError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = net::client(self.config.network.connect_timeout)
            .map_err(|error| ApiError::new(ApiErrorKind::Connect, error.to_string()))?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    /// A key command runs each time, so that asking again brings a fresh key.
    async fn key(
        &self,
        name: &str,
        provider: &ProviderConfig,
    ) -> Result<Option<SecretString>, ApiError> {
        let env = |variable: &str| self.vars.get(variable).cloned();
        let saved = |login: &str| login::saved(&self.dirs, login).ok().flatten();
        key::resolve(&provider.key, &key::Lookup { env: &env, saved: &saved }).await.map_err(
            |error| ApiError::new(ApiErrorKind::Auth, format!("no key for {name}: {error}")),
        )
    }

    fn known(&self, name: &str) -> Option<Model> {
        self.table.find(name).cloned()
    }
}

#[async_trait]
impl Router for Configured {
    async fn route(&self, name: &str) -> Result<Route, ApiError> {
        let (provider_name, model, provider) = split(&self.config, name)?;
        if provider.wire == Wire::Demo {
            return demo(name, Pace::Natural);
        }
        let key = self.key(provider_name, provider).await?;
        if key.is_none() && !provider.local {
            return Err(no_key(provider_name, provider));
        }
        let known = self.known(name).map(Arc::new);
        let to = api::To { known: known.clone(), cache: self.config.cache_ttl };
        Ok(Route {
            name: name.to_owned(),
            model: model.to_owned(),
            provider: api::connect_to(provider, self.client()?, key, to),
            known,
            network: provider.network.clone(),
            scripted: false,
        })
    }

    /// A written key and the environment stay what they are; a command may print another one, and
    /// a login may have been saved meanwhile.
    fn key_may_change(&self, name: &str) -> bool {
        split(&self.config, name).is_ok_and(|(_, _, provider)| {
            let KeySource { value, command, env, saved } = &provider.key;
            let set =
                |name: &String| self.vars.get(name).is_some_and(|value| !value.trim().is_empty());
            let fixed = value.is_some() || (command.is_none() && env.iter().any(set));
            !fixed && (command.is_some() || saved.is_some())
        })
    }

    fn small(&self, main: &str) -> Option<String> {
        if let Some(small) = &self.config.small_model {
            return Some(small.clone());
        }
        let (provider, _) = main.split_once('/')?;
        let today = jiff::Zoned::now().date();
        self.table.cheapest(provider, today).map(Model::full_name)
    }
}

/// Plays the script whatever the model's name is.
#[derive(Debug)]
pub struct Scripted(pub Pace);

#[async_trait]
impl Router for Scripted {
    async fn route(&self, _name: &str) -> Result<Route, ApiError> {
        demo("demo/scripted", self.0)
    }
}

fn demo(name: &str, pace: Pace) -> Result<Route, ApiError> {
    Ok(Route {
        name: name.to_owned(),
        model: "scripted".to_owned(),
        provider: Arc::new(Demo::new(pace)?),
        known: models::find("demo/scripted").cloned().map(Arc::new),
        network: Config::default().network,
        scripted: true,
    })
}

/// Provider and model of a name. The model's own name may hold slashes.
fn split<'a>(
    config: &'a Config,
    name: &'a str,
) -> Result<(&'a str, &'a str, &'a ProviderConfig), ApiError> {
    let unknown = |message: String| ApiError::new(ApiErrorKind::UnknownModel, message);
    let Some((provider, model)) = name.split_once('/').filter(|(_, model)| !model.is_empty())
    else {
        let near = models::all().iter().find(|model| model.name == name);
        let hint = match near {
            Some(model) => format!("Did you mean {}?", model.full_name()),
            None => "Write it as PROVIDER/MODEL; `tern models` lists the known ones.".to_owned(),
        };
        return Err(unknown(format!("{name:?} names no provider")).hint(hint));
    };
    let Some(found) = config.providers.get(provider) else {
        let names: Vec<&str> = config.providers.keys().map(String::as_str).collect();
        return Err(unknown(format!("there is no provider {provider:?}"))
            .hint(format!("The providers are: {}.", names.join(", "))));
    };
    config.managed.model(name).map_err(unknown)?;
    Ok((provider, model, found))
}

fn no_key(name: &str, provider: &ProviderConfig) -> ApiError {
    let error = ApiError::new(ApiErrorKind::Auth, format!("there is no key for {name}"))
        .hint(format!("Run `tern login {name}`."));
    match provider.key.env.first() {
        Some(variable) => error.hint(format!("Or set {variable}.")),
        None => error,
    }
}
