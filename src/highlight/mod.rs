//! Code to token classes; no colours.
