//! The table of known models: windows, abilities, dated prices.
