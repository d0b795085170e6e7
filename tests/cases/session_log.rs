//! Cases of `session_log`.
