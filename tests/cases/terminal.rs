//! Cases of `terminal`.
