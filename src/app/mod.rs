//! What the screen knows: a pure Elm-style state machine.
