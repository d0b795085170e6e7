//! From a provider's configuration to something that answers requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::api::answer::Answer;
use crate::api::http::{self, Endpoint};
use crate::api::openai_chat::request::Dialect;
use crate::api::{ApiError, ApiErrorKind, PartStream, Provider, Request, To};
use crate::api::{anthropic, openai_chat, openai_responses};
use crate::config::{Auth, CacheTtl, ProviderConfig, Wire};
use crate::net;

/// A provider for `config`. Cheap, and no request is made: what is wrong with an address or a key
/// shows in the first answer. A key that was renewed makes a new provider.
///
/// `client` is not used for servers on this machine, as its proxies could not reach them.
pub fn connect(
    config: &ProviderConfig,
    client: reqwest::Client,
    key: Option<SecretString>,
) -> Arc<dyn Provider> {
    connect_to(config, client, key, To::default())
}

/// The same for one model, of which something is known.
pub fn connect_to(
    config: &ProviderConfig,
    client: reqwest::Client,
    key: Option<SecretString>,
    to: To,
) -> Arc<dyn Provider> {
    let base_url = base_url(config);
    let host = url::Url::parse(&base_url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .and_then(|url| url.host_str().map(str::to_owned));
    let headers = match &host {
        Some(host) => headers(config, host, key.as_ref()),
        None => Err(http::not_an_address()),
    };
    let host = host.unwrap_or_default();
    let client = if net::is_loopback(&host) {
        net::direct(config.network.connect_timeout).unwrap_or(client)
    } else {
        client
    };
    Arc::new(Server {
        wire: config.wire,
        to,
        host,
        headers,
        endpoint: Endpoint {
            client,
            base_url,
            network: config.network.clone(),
            local: config.local,
            secret: key,
        },
    })
}

/// A model's server over HTTP.
#[derive(Debug)]
struct Server {
    wire: Wire,
    to: To,
    host: String,
    headers: Result<HeaderMap, ApiError>,
    endpoint: Endpoint,
}

#[async_trait]
impl Provider for Server {
    async fn stream(&self, request: Request) -> Result<PartStream, ApiError> {
        let (outgoing, answer) = match self.wire {
            Wire::Anthropic => {
                let answer = Answer::anthropic_caching(self.to.cache);
                (anthropic::request::build(&request, &self.to), answer)
            }
            Wire::OpenaiChat => {
                let dialect = Dialect::of(&self.host);
                let outgoing = openai_chat::request::build(&request, dialect, self.to.cache);
                (outgoing, Answer::openai_chat())
            }
            Wire::OpenaiResponses => {
                (openai_responses::request::build(&request, &self.to), Answer::openai_responses())
            }
            Wire::Demo => return Err(no_server()),
        };
        http::send(&self.endpoint, self.headers.clone()?, &outgoing, answer).await
    }

    async fn count(&self, request: Request) -> Option<Result<u64, ApiError>> {
        if self.wire != Wire::Anthropic {
            return None;
        }
        let outgoing = anthropic::request::counting(&request, &self.to);
        let headers = match self.headers.clone() {
            Ok(headers) => headers,
            Err(error) => return Some(Err(error)),
        };
        let answer = http::ask(&self.endpoint, headers, &outgoing).await;
        Some(answer.and_then(|answer| anthropic::counted(&answer)))
    }

    fn searches(&self) -> bool {
        match self.wire {
            Wire::Anthropic | Wire::OpenaiResponses => true,
            Wire::OpenaiChat | Wire::Demo => false,
        }
    }

    fn cache_life(&self) -> Duration {
        match self.wire {
            Wire::Anthropic => self.to.cache.duration(),
            Wire::OpenaiChat | Wire::OpenaiResponses | Wire::Demo => CacheTtl::default().duration(),
        }
    }
}

/// A script plays this provider; it is made by whoever has the script.
fn no_server() -> ApiError {
    ApiError::new(ApiErrorKind::BadRequest, "The demo provider has no server.")
        .hint("`tern --demo` plays it.")
}

/// Without a slash at its end; the Anthropic one without `/v1`, which many write from habit.
fn base_url(config: &ProviderConfig) -> String {
    let url = config.base_url.trim().trim_end_matches('/');
    let url = match config.wire {
        Wire::Anthropic => url.strip_suffix("/v1").unwrap_or(url),
        Wire::OpenaiChat | Wire::OpenaiResponses | Wire::Demo => url,
    };
    url.to_owned()
}

/// The user's own headers, and the key where none of them carries one.
fn headers(
    config: &ProviderConfig,
    host: &str,
    key: Option<&SecretString>,
) -> Result<HeaderMap, ApiError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
        let (Some(name), Ok(mut value)) = (parsed, HeaderValue::from_str(value)) else {
            return Err(ApiError::new(
                ApiErrorKind::BadRequest,
                format!("The header {name:?} of this provider cannot be sent."),
            )
            .hint("A header's name has letters, digits and dashes; its value is one line."));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let api_key = HeaderName::from_static("x-api-key");
    let Some(key) = key else { return Ok(headers) };
    if headers.contains_key(AUTHORIZATION) || headers.contains_key(&api_key) {
        return Ok(headers);
    }
    let key = key.expose_secret();
    let sensitive = |text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| {
            ApiError::new(ApiErrorKind::Auth, "The key holds characters that no key has.")
                .hint("Check it for a line break or for quotes.")
        })?;
        value.set_sensitive(true);
        Ok(value)
    };
    let own_host = host == "api.anthropic.com";
    // Anthropic takes keys in its own header, and its short-lived tokens as a bearer. A gateway in
    // front may want either, and both say the same.
    let bearer_only = config.auth == Auth::Bearer || (own_host && key.starts_with("sk-ant-oat"));
    let as_key = config.wire == Wire::Anthropic && !bearer_only;
    let as_bearer = !(config.wire == Wire::Anthropic && own_host && as_key);
    if as_key {
        headers.insert(api_key, sensitive(key)?);
    }
    if as_bearer {
        headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {key}"))?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{KeySource, Network};

    fn config(wire: Wire, base_url: &str, own: &[(&str, &str)]) -> ProviderConfig {
        ProviderConfig {
            wire,
            base_url: base_url.to_owned(),
            key: KeySource::default(),
            auth: Auth::Wire,
            headers: own
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            network: Network {
                connect_timeout: Duration::from_secs(1),
                header_timeout: None,
                idle_timeout: Duration::from_secs(1),
                retries: 0,
                max_retry_wait: Duration::from_secs(1),
            },
            local: false,
        }
    }

    #[test]
    fn a_key_goes_where_its_server_looks_for_it() {
        let anthropic = "api.anthropic.com";
        for (wire, host, own, key, expected) in [
            (
                Wire::Anthropic,
                anthropic,
                &[][..],
                "sk-ant-api-1",
                &[("x-api-key", "sk-ant-api-1")][..],
            ),
            (
                Wire::Anthropic,
                anthropic,
                &[],
                "sk-ant-oat-1",
                &[("authorization", "Bearer sk-ant-oat-1")],
            ),
            (
                Wire::Anthropic,
                "gateway",
                &[],
                "k",
                &[("x-api-key", "k"), ("authorization", "Bearer k")],
            ),
            (
                Wire::Anthropic,
                "gateway",
                &[("Authorization", "Basic x")],
                "k",
                &[("authorization", "Basic x")],
            ),
            (
                Wire::OpenaiChat,
                "api.openai.com",
                &[("X-Team", "infra")],
                "k",
                &[("x-team", "infra"), ("authorization", "Bearer k")],
            ),
            (Wire::OpenaiResponses, "api.openai.com", &[], "k", &[("authorization", "Bearer k")]),
        ] {
            let key = SecretString::from(key.to_owned());
            let headers = headers(&config(wire, "", own), host, Some(&key)).unwrap();
            let found: Vec<(&str, &str)> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
                .collect();
            assert_eq!(found, expected);
            assert!(headers.values().all(HeaderValue::is_sensitive));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_said_without_the_key() {
        let key = SecretString::from("two\nlines".to_owned());
        let error = headers(&config(Wire::OpenaiChat, "", &[]), "", Some(&key)).unwrap_err();
        assert_eq!((error.kind, error.message.contains("lines")), (ApiErrorKind::Auth, false));
        let error = headers(&config(Wire::OpenaiChat, "", &[("a b", "c")]), "", None).unwrap_err();
        assert_eq!(error.kind, ApiErrorKind::BadRequest);
        let key = SecretString::from("sk-very-secret".to_owned());
        let provider =
            connect(&config(Wire::Anthropic, "http://h", &[]), reqwest_client(), Some(key));
        assert!(!format!("{provider:?}").contains("very-secret"));
    }

    fn reqwest_client() -> reqwest::Client {
        net::client(Duration::from_secs(1)).unwrap()
    }

    #[test]
    fn base_urls_are_taken_as_people_write_them() {
        for (wire, written, url) in [
            (Wire::Anthropic, "https://api.anthropic.com", "https://api.anthropic.com"),
            (Wire::Anthropic, "https://api.anthropic.com/v1/", "https://api.anthropic.com"),
            (Wire::Anthropic, " http://h/proxy/ ", "http://h/proxy"),
            (Wire::OpenaiChat, "http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
        ] {
            assert_eq!(base_url(&config(wire, written, &[])), url);
        }
    }
}
