//! What the adaptation strategies promise, through their public doors.

mod checking;
mod choosing;
mod effects;
mod explaining;
mod gaining;
mod promises;
mod support;
mod time;
