//! What a command prints. In this room `print!` and `println!` are these: where whoever read along has gone (`… | head`),
//! the rest is said to nobody, and a full disk is named; the standard ones panic in both cases.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::process;

macro_rules! print {
    ($($words:tt)*) => { $crate::app::say::out(format_args!($($words)*)) };
}

macro_rules! println {
    ($($words:tt)*) => { $crate::app::say::out(format_args!("{}\n", format_args!($($words)*))) };
}

/// Writes to the standard output. Ends the process where that is refused: the output is what was asked for.
pub(super) fn out(words: Arguments) {
    let Err(error) = io::stdout().write_fmt(words) else {
        return;
    };
    if error.kind() != ErrorKind::BrokenPipe {
        eprintln!("error: the output can't be written: {error}");
        process::exit(1);
    }
}
