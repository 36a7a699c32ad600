//! The append-only log on disk, on its own thread behind bounded channels.
