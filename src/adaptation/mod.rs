//! Turns state into commands and commands into effects, with acknowledgement.
