//! Hunks and word spans of two texts.
