//! Running commands: own group, limits, capped output.
