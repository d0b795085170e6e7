//! The tools, each once, in the order in which the model gets them.

use std::sync::Arc;

use crate::tools::Tool;
use crate::tools::bash::Bash;
use crate::tools::edit::Edit;
use crate::tools::glob::Glob;
use crate::tools::grep::Grep;
use crate::tools::list::List;
use crate::tools::multi_edit::MultiEdit;
use crate::tools::read::Read;
use crate::tools::todo::TodoWrite;
use crate::tools::write::Write;

/// All tools. The order is fixed: the head of every request must be the same bytes, or the
/// server's prompt cache misses.
pub fn all() -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(Read),
        Arc::new(Write),
        Arc::new(Edit),
        Arc::new(MultiEdit),
        Arc::new(Glob),
        Arc::new(Grep),
        Arc::new(List),
        Arc::new(Bash),
        Arc::new(TodoWrite),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every byte here is paid for in every session.
    #[test]
    fn all_specs_together_are_small() {
        let specs: Vec<_> = all()
            .iter()
            .map(|tool| {
                let spec = tool.spec();
                json!({"name": spec.name, "description": spec.description, "input_schema": spec.schema})
            })
            .collect();
        let bytes = serde_json::to_string(&specs).unwrap();
        assert!(bytes.len() <= 6_500, "{} bytes: {bytes}", bytes.len());
    }

    #[test]
    fn specs_are_the_same_every_time() {
        let specs = || all().iter().map(|tool| tool.spec()).collect::<Vec<_>>();
        assert_eq!(specs(), specs());
        assert!(specs().iter().zip(all()).all(|(spec, tool)| spec.name == tool.name()));
    }
}
