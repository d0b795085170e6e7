//! Cases of `edit`.
