//! `tern models`: the models whose window and price are known, and those that servers of this
//! machine offer.

use std::io::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::api::detect::{self, Found};
use crate::cli::Env;
use crate::config::layer::{Inputs, load};
use crate::models::{Model, Price, Thinking, built_in};
use crate::text::clean;

#[derive(clap::Args, Debug, Clone)]
pub struct ModelsArgs {
    /// Only models with this in their name
    pub name: Option<String>,
    /// One JSON array
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &ModelsArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let config = load(&Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone())).0.config;
    let (table, problems) = built_in().with(&config.models);
    for problem in problems {
        writeln!(std::io::stderr(), "tern: {problem}")?;
    }
    let wanted = args.name.as_deref().unwrap_or_default().to_lowercase();
    let mut models: Vec<&Model> =
        table.all().iter().filter(|m| m.full_name().to_lowercase().contains(&wanted)).collect();
    models.sort_by_key(|model| model.full_name());
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    if args.json {
        let models: Vec<serde_json::Value> = models.iter().map(|m| as_json(m, today)).collect();
        writeln!(out, "{}", json!(models))?;
    } else {
        as_table(&models, today, out)?;
        local(&found(), &wanted, out)?;
    }
    Ok(0)
}

/// What answers on the usual ports of this machine. A thread of its own, as a caller may be part of
/// a runtime already.
fn found() -> Vec<Found> {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(detect::servers(&detect::usual_places())).ok()
    };
    std::thread::spawn(ask).join().ok().flatten().unwrap_or_default()
}

fn local(servers: &[Found], wanted: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let models = servers.iter().flat_map(|server| {
        server.models.iter().map(move |model| (format!("{}/{model}", server.provider), server))
    });
    let mut models = models.filter(|(name, _)| name.to_lowercase().contains(wanted)).peekable();
    if models.peek().is_some() {
        writeln!(out, "\non this machine")?;
    }
    for (name, server) in models {
        writeln!(out, "{}  {}", clean::clean(&name, clean::Mode::Prose), server.base_url)?;
    }
    Ok(())
}

/// The prices of a day, one for each length of prompt, the shortest first.
fn prices(model: &Model, today: Date) -> Vec<&Price> {
    let began = model.prices.iter().map(|price| price.from).filter(|from| *from <= today).max();
    let mut prices: Vec<&Price> =
        model.prices.iter().filter(|price| Some(price.from) == began).collect();
    prices.sort_by_key(|price| price.above);
    prices
}

fn as_table(models: &[&Model], today: Date, out: &mut dyn Write) -> anyhow::Result<()> {
    let head = ["model", "window", "output", "in", "cached", "out", "since"].map(str::to_owned);
    let rows: Vec<[String; 7]> =
        [head].into_iter().chain(models.iter().flat_map(|model| rows(model, today))).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    for row in &rows {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            line += &format!("  {cell:>width$}");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "\nprices in USD for a million tokens")?;
    Ok(())
}

fn rows(model: &Model, today: Date) -> Vec<[String; 7]> {
    let start = [model.full_name(), tokens(model.window), tokens(model.max_output.into())];
    let prices = prices(model, today);
    if prices.is_empty() {
        let [name, window, output] = start;
        let none = || "?".to_owned();
        return vec![[name, window, output, none(), none(), none(), String::new()]];
    }
    let row = |(at, price): (usize, &&Price)| {
        let [name, window, output] = if at == 0 {
            start.clone()
        } else {
            [format!("  prompts above {}", tokens(price.above)), String::new(), String::new()]
        };
        let cells = [price.input, price.cache_read, price.output].map(|money| money.to_string());
        let [input, cached, out] = cells;
        [name, window, output, input, cached, out, price.from.to_string()]
    };
    prices.iter().enumerate().map(row).collect()
}

fn as_json(model: &Model, today: Date) -> serde_json::Value {
    let price = |price: &&Price| {
        json!({
            "from": price.from.to_string(),
            "above": price.above,
            "input": price.input.usd(),
            "output": price.output.usd(),
            "cache_read": price.cache_read.usd(),
            "cache_write_5m": price.cache_write_5m.usd(),
            "cache_write_1h": price.cache_write_1h.usd(),
        })
    };
    let thinking = match model.thinking {
        Thinking::None => "none",
        Thinking::Budget => "budget",
        Thinking::Adaptive => "adaptive",
        Thinking::Always => "always",
    };
    json!({
        "model": model.full_name(),
        "window": model.window,
        "max_output": model.max_output,
        "thinking": thinking,
        "efforts": model.efforts,
        "images": model.images,
        "prices": prices(model, today).iter().map(price).collect::<Vec<_>>(),
    })
}

/// `200k`, `1M`.
fn tokens(count: u64) -> String {
    match count {
        1_000_000.. if count.is_multiple_of(100_000) => {
            format!("{}M", count as f64 / 1e6)
        }
        1_000.. => format!("{}k", count / 1000),
        _ => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_this_machine_are_listed_with_what_they_offer() {
        let server = Found {
            provider: "llamacpp".into(),
            base_url: "http://127.0.0.1:8080/v1".into(),
            models: vec!["smol".into(), "qwen".into()],
        };
        let listed = |servers: &[Found], wanted: &str| {
            let mut out = Vec::new();
            local(servers, wanted, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let servers = [server];
        assert_eq!(
            listed(&servers, ""),
            "\non this machine\nllamacpp/smol  http://127.0.0.1:8080/v1\n\
             llamacpp/qwen  http://127.0.0.1:8080/v1\n"
        );
        assert!(listed(&servers, "qwen").contains("llamacpp/qwen"));
        assert_eq!((listed(&servers, "claude"), listed(&[], "")), (String::new(), String::new()));
    }
    use crate::config::dirs::Dirs;
    use std::path::Path;

    fn run_with(config: &str, args: &ModelsArgs) -> String {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(dir.path(), dir.path());
        std::fs::create_dir_all(&dirs.config).unwrap();
        std::fs::write(dirs.user_file(), config).unwrap();
        let cwd = dir.path().join("p");
        std::fs::create_dir(&cwd).unwrap();
        let env = Env { dirs, cwd, vars: [].into() };
        let mut out = Vec::new();
        assert_eq!(run(args, &env, &mut out).unwrap(), 0);
        assert!(Path::new(dir.path()).exists());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_has_windows_and_dated_prices() {
        let args = ModelsArgs { name: Some("claude-sonnet-4-5".into()), json: false };
        let text = run_with("", &args);
        let rows: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["model", "window", "output", "in", "cached", "out", "since"]);
        assert_eq!(rows[1][0], "anthropic/claude-sonnet-4-5");
        assert_eq!(rows[1][3..6], ["$3.00", "$0.30", "$15.00"]);
    }

    #[test]
    fn a_models_table_of_the_user_counts_and_an_unknown_price_is_unknown() {
        let config = "[models.\"work/big\"]\nwindow = 1500000\nmax-output = 8000\n";
        let args = |json| ModelsArgs { name: Some("work/".into()), json };
        let text = run_with(config, &args(false));
        let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row, ["work/big", "1.5M", "8k", "?", "?", "?"]);
        let json: serde_json::Value = serde_json::from_str(&run_with(config, &args(true))).unwrap();
        assert_eq!(
            (json[0]["window"].as_u64(), json[0]["prices"].as_array().map(Vec::len)),
            (Some(1_500_000), Some(0))
        );
    }

    #[test]
    fn tokens_are_short() {
        for (count, wanted) in [
            (8, "8"),
            (200_000, "200k"),
            (1_000_000, "1M"),
            (1_048_576, "1048k"),
            (1_500_000, "1.5M"),
        ] {
            assert_eq!(tokens(count), wanted);
        }
    }
}
