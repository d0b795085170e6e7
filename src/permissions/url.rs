//! Where a URL leads, by one parser.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Lower case, international names in ASCII, without a final dot.
    pub host: String,
    pub class: Class,
}

/// What kind of place a host is, before its name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Public,
    /// This machine or the local network.
    Private,
    /// Where cloud machines hand out their credentials.
    Metadata,
}

/// `Err`: why it is not fetched as it stands; a whole sentence.
pub fn target(text: &str) -> Result<Target, String> {
    if text.chars().any(|c| c == '\\' || c.is_control() || c.is_whitespace()) {
        return Err("the address has characters that programs read differently".to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("the address cannot be read: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{} addresses are not fetched", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address holds a user name, which may hide the real host".to_owned());
    }
    let host = url.host().ok_or("the address names no host")?;
    let class = match &host {
        Host::Domain(name) => class_of_name(name.trim_end_matches('.')),
        Host::Ipv4(address) => class_of(IpAddr::V4(*address)),
        Host::Ipv6(address) => class_of(IpAddr::V6(*address)),
    };
    let host = host.to_string().trim_end_matches('.').to_ascii_lowercase();
    Ok(Target { host, class })
}

fn class_of_name(name: &str) -> Class {
    let name = name.to_ascii_lowercase();
    let is = |suffix: &str| name == suffix || name.ends_with(&format!(".{suffix}"));
    if is("metadata.google.internal") || name == "metadata" || is("instance-data.ec2.internal") {
        Class::Metadata
    } else if is("localhost")
        || is("local")
        || is("internal")
        || is("home.arpa")
        || is("lan")
        || !name.contains('.')
    {
        Class::Private
    } else {
        Class::Public
    }
}

/// The class of an address; for a name, of each address that it resolves to.
pub fn class_of(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(v4) => class_of_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => class_of_v4(v4),
            None => class_of_v6(v6),
        },
    }
}

fn class_of_v4(address: Ipv4Addr) -> Class {
    let [a, b, c, _] = address.octets();
    if [[169, 254, 169, 254], [169, 254, 170, 2], [100, 100, 100, 200], [192, 0, 0, 192]]
        .contains(&address.octets())
    {
        return Class::Metadata;
    }
    let shared = a == 100 && (64..128).contains(&b);
    let reserved =
        a == 0 || a >= 240 || (a, b, c) == (192, 0, 0) || (a == 198 && (b == 18 || b == 19));
    if address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || shared
        || reserved
    {
        Class::Private
    } else {
        Class::Public
    }
}

fn class_of_v6(address: Ipv6Addr) -> Class {
    let segments = address.segments();
    if address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) {
        Class::Metadata
    } else if address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || segments[0] & 0xfe00 == 0xfc00
        || segments[0] & 0xffc0 == 0xfe80
        || segments[0] & 0xffc0 == 0xfec0
    {
        Class::Private
    } else {
        Class::Public
    }
}

/// The IPv4 address inside a mapped, compatible, NAT64 or 6to4 one.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] => Some(v4(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Whether a host fits the pattern of a `domain:` rule. Label by label: `*.x` is any host below `x` but
/// not `x`; a `*` elsewhere stands for one label or a piece of one; a lone `*` is any host.
pub fn host_matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.trim_end_matches('.').to_ascii_lowercase();
    if pattern == "*" {
        return true;
    }
    if pattern.contains(':') || pattern.starts_with('[') || host.starts_with('[') {
        return pattern == host || format!("[{pattern}]") == host;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let wanted: Vec<&str> = pattern.split('.').collect();
    let fits = |wanted: &[&str], labels: &[&str]| {
        wanted.len() == labels.len()
            && wanted.iter().zip(labels).all(|(wanted, label)| super::rule::wildcard(wanted, label))
    };
    match wanted.split_first() {
        Some((&"*", rest)) if !rest.is_empty() => {
            labels.len() > rest.len() && fits(rest, &labels[labels.len() - rest.len()..])
        }
        _ => fits(&wanted, &labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        for (text, class) in [
            ("https://docs.rs/x", Class::Public),
            ("http://localhost:3000/", Class::Private),
            ("http://127.1/", Class::Private),
            ("http://2130706433/", Class::Private),
            ("http://[::1]/", Class::Private),
            ("http://10.0.0.1/", Class::Private),
            ("http://printer/", Class::Private),
            ("http://169.254.169.254/latest", Class::Metadata),
            ("http://0xA9FEA9FE/", Class::Metadata),
            ("http://[::ffff:169.254.169.254]/", Class::Metadata),
            ("http://[64:ff9b::a9fe:a9fe]/", Class::Metadata),
            ("http://metadata.google.internal/", Class::Metadata),
            ("http://METADATA.google.internal./", Class::Metadata),
            ("http://[fd00:ec2::254]/", Class::Metadata),
            ("http://[fe80::1]/", Class::Private),
            ("http://0/", Class::Private),
        ] {
            assert_eq!(target(text).map(|target| target.class), Ok(class), "{text}");
        }
        for text in [
            "file:///etc/passwd",
            "https://docs.rs\\@evil.example/",
            "https://a@b.example/",
            "x",
            "ftp://a.b/",
            "http://a b/",
        ] {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts() {
        for (pattern, host, expected) in [
            ("docs.rs", "docs.rs", true),
            ("docs.rs", "evil-docs.rs", false),
            ("docs.rs", "docs.rs.evil.example", false),
            ("docs.rs", "a.docs.rs", false),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "aexample.com", false),
            ("example.*", "example.org", true),
            ("example.*", "example.evil.org", false),
            ("*", "x.y", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("api-*.x.com", "api-1.x.com", true),
        ] {
            assert_eq!(host_matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
