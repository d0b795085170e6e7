//! tern without a screen: text and JSON.
