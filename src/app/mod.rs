//! The roles put together as plugin groups.
