//! What a server offers, as plain data: kept on disk, so that the next session knows its tools
//! before the server runs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mcp::define::hash;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Offer {
    /// Name and version, as the server calls itself.
    pub server: String,
    /// Revision of the protocol that was agreed on.
    pub protocol: String,
    /// What the server says about its use.
    pub instructions: String,
    pub tools: Vec<ToolOffer>,
    pub prompts: Vec<PromptOffer>,
    /// Whether it has resources.
    pub resources: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolOffer {
    /// The server's own name for it.
    pub name: String,
    pub description: String,
    /// Already made into one that every wire format takes.
    pub schema: Value,
    /// The server says that it only reads. Only a hint: what is asked does not depend on it.
    pub reads: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptOffer {
    pub name: String,
    pub description: String,
    pub arguments: Vec<PromptArgument>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptArgument {
    pub name: String,
    pub required: bool,
}

impl ToolOffer {
    /// SHA-256 (hex) over everything that the model would be told of it.
    pub fn fingerprint(&self) -> String {
        hash([self.name.as_str(), &self.description, &self.schema.to_string()])
    }

    /// Tokens that it takes in a request, estimated.
    pub fn tokens(&self) -> u64 {
        let bytes = self.name.len() + self.description.len() + self.schema.to_string().len();
        // Names, brackets and quotes around it.
        (bytes as u64 + 40).div_ceil(4)
    }
}
