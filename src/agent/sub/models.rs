//! The model of a sub-agent, as its description or the call that starts it names one.

use crate::agent::shared::{Shared, lock};
use crate::agent::sub::Base;
use crate::models;

/// `PROVIDER/MODEL`. A name without its provider, and the short names that Claude Code's files use,
/// mean a model of the session's own provider. `Err`: there is none; the session's is used.
pub fn named(shared: &Shared, base: &Base, wanted: Option<&str>) -> Result<String, String> {
    let own = lock(&shared.side.main).clone();
    let Some(wanted) = wanted.map(str::trim).filter(|name| !name.is_empty() && *name != "inherit")
    else {
        return Ok(own);
    };
    if wanted.contains('/') {
        return Ok(wanted.to_owned());
    }
    if wanted == "small" {
        return base.router.small(&own).ok_or(own);
    }
    let provider = own.split('/').next().unwrap_or_default();
    let exact = format!("{provider}/{wanted}");
    if models::find(&exact).is_some() {
        return Ok(exact);
    }
    // The session's own model may be the one that is meant, in whichever version.
    if own.contains(wanted) {
        return Ok(own);
    }
    let of_provider = models::all().iter().filter(|model| model.provider == provider);
    let newest = of_provider.map(|model| model.name.as_str()).filter(|name| name.contains(wanted));
    match newest.max_by(|a, b| version(a).cmp(&version(b))) {
        Some(name) if name.contains('/') => Ok(name.to_owned()),
        Some(name) => Ok(format!("{provider}/{name}")),
        None => Err(own),
    }
}

/// The numbers in a name, so that 4-10 is newer than 4-5. A long one is a date.
fn version(name: &str) -> Vec<u64> {
    let numbers = name.split(|c: char| !c.is_ascii_digit()).filter(|n| (1..6).contains(&n.len()));
    numbers.filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn newer_names_are_told_from_older_ones() {
        assert!(version("claude-sonnet-4-10") > version("claude-sonnet-4-5-20250929"));
        assert!(version("claude-sonnet-5") > version("claude-sonnet-4-6"));
    }
}
