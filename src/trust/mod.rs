//! What in a folder needs trust, and whether it has it.
