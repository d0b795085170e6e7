//! Packs the grammars that code is coloured with, their patterns made small: see
//! `src/highlight/plain.rs`. Anything that cannot be rewritten stays as it is.

#[path = "src/highlight/plain.rs"]
mod plain;

use std::error::Error;
use std::path::Path;

use syntect::parsing::syntax_definition::Pattern;
use syntect::parsing::{Regex, SyntaxSetBuilder};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/highlight/plain.rs");
    let mut grammars = SyntaxSetBuilder::new();
    for grammar in two_face::syntax::extra_newlines().into_builder().syntaxes() {
        let mut grammar = grammar.clone();
        let contexts = grammar.contexts.values_mut();
        for pattern in contexts.flat_map(|context| &mut context.patterns) {
            if let Pattern::Match(pattern) = pattern {
                pattern.regex = Regex::new(plain::plain(pattern.regex.regex_str()));
            }
        }
        grammars.add(grammar);
    }
    let out = std::env::var_os("OUT_DIR").ok_or("cargo tells no OUT_DIR")?;
    let file = Path::new(&out).join("grammars.bin");
    syntect::dumps::dump_to_uncompressed_file(&grammars.build(), file)?;
    Ok(())
}
