//! One way to make an HTTP client: TLS by rustls with ring, trust in the bundled web roots and in
//! the machine's own.
//!
//! Not for requests: who sends one sets its time limits and reads its answer. Building a client
//! reads the machine's certificates (some ten milliseconds), so it belongs off the first frame.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

/// A client that goes through the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`, ...).
///
/// It follows no redirects: a model's server has no reason to send any, and a key must not follow
/// one to another host. Only connecting is limited in time; a stream may be long.
pub fn client(connect_timeout: Duration) -> Result<reqwest::Client, NetError> {
    build(connect_timeout, Proxies::Environment)
}

/// A client without proxies, for servers on this machine: a company's proxy cannot reach them.
pub fn direct(connect_timeout: Duration) -> Result<reqwest::Client, NetError> {
    build(connect_timeout, Proxies::None)
}

/// A client that reaches `host` at these addresses and at no other, whatever its name leads to
/// when it connects. Through a proxy of the environment the proxy looks the name up.
pub fn pinned(
    connect_timeout: Duration,
    host: &str,
    addresses: &[SocketAddr],
) -> Result<reqwest::Client, NetError> {
    let builder = builder(connect_timeout, Proxies::Environment)?;
    Ok(builder.resolve_to_addrs(host, addresses).build()?)
}

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// The innermost reason of an error, which is the one that says something. Without the address.
pub fn reason(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// True for `localhost` and the loopback addresses, with or without the brackets of IPv6.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[derive(Debug, Clone, Copy)]
enum Proxies {
    Environment,
    None,
}

fn build(connect_timeout: Duration, proxies: Proxies) -> Result<reqwest::Client, NetError> {
    Ok(builder(connect_timeout, proxies)?.build()?)
}

fn builder(
    connect_timeout: Duration,
    proxies: Proxies,
) -> Result<reqwest::ClientBuilder, NetError> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .user_agent(concat!("tern/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect_timeout);
    Ok(match proxies {
        Proxies::Environment => builder,
        Proxies::None => builder.no_proxy(),
    })
}

/// Left to itself reqwest asks the machine for roots and cannot be built where there are none, not
/// even for plain HTTP. The bundled roots make the client work there; the machine's own are added
/// for companies that have their own authority.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // Certificates that cannot be read or used are left out: one bad file must not end all HTTPS.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    // The provider is named here, so that no process-wide default is needed.
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_made_and_asked_without_a_process_wide_tls_provider() {
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
        client(Duration::from_secs(1)).unwrap();
        direct(Duration::from_secs(1)).unwrap();
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }

    #[test]
    fn loopback_is_told_by_name_and_by_address() {
        for (host, is) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("app.localhost", true),
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("[::1]", true),
            ("::1", true),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com", false),
            ("10.0.0.1", false),
            ("api.anthropic.com", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), is, "{host}");
        }
    }
}
