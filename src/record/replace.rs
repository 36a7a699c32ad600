//! A small file that is replaced whole, or left as it was.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes a file that only its owner may read, in the place of what had its name; it is on the disk when this returns. Makes
/// the folder that it lies in.
///
/// # Errors
/// What the system said; the file is then as it was.
pub fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    // Made with 0600.
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(bytes)?;
    fresh.as_file().sync_all()?;
    fresh.persist(file)?;
    Ok(())
}
