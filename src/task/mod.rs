//! Watches interactions and decides what they mean for the running step: emits attempts with evidence.
