//! One HTTP client for everyone.
