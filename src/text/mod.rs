//! Widths, wrapping, clipping and cleaning of text.
