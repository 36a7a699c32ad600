//! Panels in the world and on the desk, captions, hint presentation, comfort settings.
