//! Entry points of the fuzz workspace.
