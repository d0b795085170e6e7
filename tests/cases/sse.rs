//! Cases of `sse`.
