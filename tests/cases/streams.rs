//! Cases of `streams`.
