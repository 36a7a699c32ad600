//! rapier3d as a Bevy plugin: world, bodies, contacts, placement queries.
