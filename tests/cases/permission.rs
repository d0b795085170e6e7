//! Cases of `permission`.
