//! What the model is told about where it is, assembled once a session.
