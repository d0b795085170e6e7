//! Reads the table of models: the built-in one, and what a user's configuration changes in it.

use jiff::civil::Date;
use serde::Deserialize;

use crate::models::{Model, Price, Thinking};
use crate::protocol::{Money, Usage};

/// Models by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    models: Vec<Model>,
}

impl Table {
    pub(super) fn built_in() -> Table {
        // The file is part of the program and a test reads it, so a problem cannot get this far.
        let entries = toml::from_str(include_str!("../../assets/models.toml")).unwrap_or_default();
        Table::default().with(&entries).0
    }

    /// This table, changed and extended by `entries`: `"PROVIDER/MODEL" = { window = .., .. }` in
    /// the form of `assets/models.toml`. A key that is left out keeps its value; `prices` replaces
    /// all prices of the model. Entries that cannot be used are left out, each with a sentence.
    pub fn with(&self, entries: &toml::Table) -> (Table, Vec<String>) {
        let mut table = self.clone();
        let mut problems = Vec::new();
        for (name, value) in entries {
            let known = self.models.iter().position(|model| model.full_name() == *name);
            let entry =
                value.clone().try_into::<Entry>().map_err(|error| error.message().to_owned());
            let base = known.map(|at| &self.models[at]);
            match entry.and_then(|entry| entry.model(name, base)) {
                Ok(model) => match known {
                    Some(at) => table.models[at] = model,
                    None => table.models.push(model),
                },
                Err(problem) => problems.push(format!("model \"{name}\": {problem}")),
            }
        }
        (table, problems)
    }

    /// See [`crate::models::find`].
    pub fn find(&self, name: &str) -> Option<&Model> {
        let (provider, model) = name.split_once('/')?;
        let same_provider = || self.models.iter().filter(|known| known.provider == provider);
        same_provider().find(|known| known.name == model).or_else(|| {
            same_provider()
                .filter(|known| model.strip_prefix(&known.name).is_some_and(is_version))
                .max_by_key(|known| known.name.len())
        })
    }

    /// The provider's cheapest model for reading much and saying little, of those whose price on
    /// that day is known.
    pub fn cheapest(&self, provider: &str, on: Date) -> Option<&Model> {
        let price = |model: &Model| {
            let price = model.price(on, &Usage::default())?;
            let money = price.input.0.saturating_mul(READ_FOR_SAID).saturating_add(price.output.0);
            Some(money as f64 * model.tokenizer)
        };
        self.models
            .iter()
            .filter(|model| model.provider == provider)
            .filter_map(|model| Some((price(model)?, model)))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, model)| model)
    }

    pub fn all(&self) -> &[Model] {
        &self.models
    }
}

/// Tokens that a side request reads for each that it says.
const READ_FOR_SAID: i64 = 8;

/// True for what providers put behind a name for the same model: `-20250929`, `-2025-08-07`,
/// `-latest`. Anything else is another model, and may have another price.
fn is_version(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(['-', '@']) else { return false };
    rest == "latest"
        || (rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
            && rest.bytes().filter(u8::is_ascii_digit).count() == 8)
}

/// An entry as written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    window: Option<u64>,
    max_output: Option<u32>,
    thinking: Option<ThinkingName>,
    efforts: Option<Vec<String>>,
    images: Option<bool>,
    cache_minimum: Option<u64>,
    tokenizer: Option<f64>,
    prices: Option<Vec<PriceEntry>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ThinkingName {
    None,
    Budget,
    Adaptive,
    Always,
}

/// USD for a million tokens. What is left out of the cache prices costs as much as plain input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceEntry {
    from: toml::value::Datetime,
    #[serde(default)]
    above: u64,
    input: f64,
    output: f64,
    read: Option<f64>,
    #[serde(rename = "write-5m")]
    write_5m: Option<f64>,
    #[serde(rename = "write-1h")]
    write_1h: Option<f64>,
}

impl Entry {
    fn model(self, name: &str, base: Option<&Model>) -> Result<Model, String> {
        let (provider, model) = name
            .split_once('/')
            .filter(|(provider, model)| !provider.is_empty() && !model.is_empty())
            .ok_or("the name is not PROVIDER/MODEL")?;
        let window =
            self.window.or(base.map(|base| base.window)).ok_or("window (tokens) is missing")?;
        if let Some(factor) = self.tokenizer
            && !(factor.is_finite() && (0.1..=10.0).contains(&factor))
        {
            return Err("tokenizer must be a factor from 0.1 to 10".to_owned());
        }
        let efforts = self.efforts.or(base.map(|base| base.efforts.clone())).unwrap_or_default();
        if !matches!(efforts.len(), 0 | 4) {
            return Err("efforts must be four words: for low, medium, high, max".to_owned());
        }
        let thinking = self.thinking.map(|name| match name {
            ThinkingName::None => Thinking::None,
            ThinkingName::Budget => Thinking::Budget,
            ThinkingName::Adaptive => Thinking::Adaptive,
            ThinkingName::Always => Thinking::Always,
        });
        let prices = match self.prices {
            Some(prices) => {
                let mut prices =
                    prices.iter().map(PriceEntry::price).collect::<Result<Vec<Price>, String>>()?;
                prices.sort_by_key(|price| (price.from, price.above));
                prices
            }
            None => base.map(|base| base.prices.clone()).unwrap_or_default(),
        };
        Ok(Model {
            provider: provider.to_owned(),
            name: model.to_owned(),
            window,
            max_output: self
                .max_output
                .or(base.map(|base| base.max_output))
                .unwrap_or(u32::try_from(window / 4).unwrap_or(u32::MAX)),
            thinking: thinking.or(base.map(|base| base.thinking)).unwrap_or(Thinking::None),
            efforts,
            images: self.images.or(base.map(|base| base.images)).unwrap_or(false),
            cache_minimum: self.cache_minimum.or(base.map(|base| base.cache_minimum)).unwrap_or(0),
            tokenizer: self.tokenizer.or(base.map(|base| base.tokenizer)).unwrap_or(1.0),
            prices,
        })
    }
}

impl PriceEntry {
    fn price(&self) -> Result<Price, String> {
        let from = self
            .from
            .date
            .and_then(|date| {
                Date::new(i16::try_from(date.year).ok()?, date.month as i8, date.day as i8).ok()
            })
            .ok_or("a price needs a date: from = 2026-01-31")?;
        let usd = |usd: f64| Money::from_usd(usd).ok_or(format!("{usd} is not a price in USD"));
        Ok(Price {
            from,
            above: self.above,
            input: usd(self.input)?,
            output: usd(self.output)?,
            cache_read: usd(self.read.unwrap_or(self.input))?,
            cache_write_5m: usd(self.write_5m.unwrap_or(self.input))?,
            cache_write_1h: usd(self.write_1h.or(self.write_5m).unwrap_or(self.input))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::models;

    fn entries(text: &str) -> toml::Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_built_in_file_has_no_problem() {
        let file = entries(include_str!("../../assets/models.toml"));
        let (table, problems) = Table::default().with(&file);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(table.all().len(), file.len());
        assert_eq!(models::all(), table.all());
        for model in table.all() {
            assert!(!model.prices.is_empty(), "{}", model.full_name());
            assert!(u64::from(model.max_output) <= model.window, "{}", model.full_name());
            for price in &model.prices {
                assert!(price.cache_read <= price.input, "{}", model.full_name());
            }
        }
    }

    #[test]
    fn names_are_found_with_a_date_and_not_by_a_mere_beginning() {
        for (name, found) in [
            ("anthropic/claude-sonnet-4-5", Some("claude-sonnet-4-5")),
            ("anthropic/claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
            ("anthropic/claude-sonnet-4-5@20250929", Some("claude-sonnet-4-5")),
            ("anthropic/claude-opus-4-1-20250805", Some("claude-opus-4-1")),
            ("anthropic/claude-opus-4-20250514", Some("claude-opus-4")),
            ("openai/gpt-5-mini-2025-08-07", Some("gpt-5-mini")),
            ("anthropic/claude-haiku-4-5-latest", Some("claude-haiku-4-5")),
            ("anthropic/claude-opus-4-99", None),
            ("anthropic/claude-sonnet-4-5-turbo", None),
            ("anthropic/claude", None),
            ("openai/claude-sonnet-4-5", None),
            ("claude-sonnet-4-5", None),
            ("", None),
        ] {
            assert_eq!(models::find(name).map(|model| model.name.as_str()), found, "{name}");
        }
    }

    #[test]
    fn prices_go_by_day_and_by_length_of_prompt() {
        let usd = |usd: f64| Money::from_usd(usd).unwrap();
        let prompt = |input| Usage { input, ..Usage::default() };
        for (name, on, tokens, input, read) in [
            ("anthropic/claude-sonnet-4-5", date(2026, 8, 22), 1, 3.0, 0.3),
            ("anthropic/claude-sonnet-5-5", date(2026, 10, 6), 1, 2.0, 0.20),
            ("anthropic/claude-sonnet-5-5", date(2026, 10, 7), 1, 2.0, 0.10),
            ("anthropic/claude-haiku-5-5", date(2026, 11, 1), 100_000, 0.1, 0.01),
            ("anthropic/claude-haiku-5-5", date(2026, 11, 1), 100_001, 0.5, 0.05),
            ("openai/gpt-6.2-sol", date(2026, 11, 1), 272_001, 4.0, 0.2),
            ("google/gemini-3.8-flash", date(2026, 12, 31), 1, 0.75, 0.75),
            ("google/gemini-3.8-flash", date(2027, 1, 1), 1, 1.5, 1.5),
        ] {
            let price = models::find(name).unwrap().price(on, &prompt(tokens)).unwrap();
            assert_eq!(
                (price.input, price.cache_read),
                (usd(input), usd(read)),
                "{name} {on} {tokens}"
            );
        }
        let old = models::find("anthropic/claude-sonnet-5-5").unwrap();
        assert_eq!(old.price(date(2020, 1, 1), &prompt(1)), None);
    }

    #[test]
    fn the_cheapest_of_a_provider_is_known_by_its_price() {
        let on = date(2026, 11, 1);
        let cheapest =
            |provider| models::built_in().cheapest(provider, on).map(|m| m.name.as_str());
        assert_eq!(cheapest("anthropic"), Some("claude-haiku-5-5"));
        assert_eq!(cheapest("openai"), Some("gpt-6-luna"));
        assert_eq!(cheapest("ollama"), None);
    }

    #[test]
    fn a_user_changes_and_adds_models_and_hears_of_mistakes() {
        let (table, problems) = models::built_in().with(&entries(
            r#"
            "anthropic/claude-sonnet-4-5" = { prices = [{ from = 2026-01-01, input = 1, output = 2 }] }
            "work/llama" = { window = 32768 }
            "work/other" = { max-output = 5 }
            "llama" = { window = 1 }
            "work/typo" = { window = 1, widow = 2 }
            "work/negative" = { window = 1, prices = [{ from = 2026-01-01, input = -1, output = 2 }] }
            "work/undated" = { window = 1, prices = [{ from = 10:00:00, input = 1, output = 2 }] }
            "#,
        ));
        let sonnet = table.find("anthropic/claude-sonnet-4-5").unwrap();
        assert_eq!((sonnet.window, sonnet.prices.len()), (200_000, 1));
        assert_eq!(sonnet.prices[0].cache_write_1h, Money(1_000_000));
        let llama = table.find("work/llama").unwrap();
        assert_eq!((llama.window, llama.max_output, llama.prices.len()), (32768, 8192, 0));
        assert_eq!(table.all().len(), models::all().len() + 1);
        let beginnings = [
            "model \"llama\": the name is not PROVIDER/MODEL",
            "model \"work/negative\": -1 is not a price in USD",
            "model \"work/other\": window (tokens) is missing",
            "model \"work/typo\": unknown field `widow`",
            "model \"work/undated\": a price needs a date",
        ];
        assert_eq!(problems.len(), beginnings.len(), "{problems:?}");
        for (problem, beginning) in problems.iter().zip(beginnings) {
            assert!(problem.starts_with(beginning), "{problem}");
        }
    }
}
