//! The package as the archive that it is.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

fn open(archive: &Path) -> Result<ZipArchive<File>> {
    let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    ZipArchive::new(file).with_context(|| format!("{} is no archive", archive.display()))
}

/// Whether there is an entry of this name.
///
/// # Errors
/// Where it is no archive.
pub fn has(archive: &Path, name: &str) -> Result<bool> {
    Ok(open(archive)?.index_for_name(name).is_some())
}

/// The entries of an archive: name, size, size as it is stored.
///
/// # Errors
/// Where it is no archive.
pub fn entries(archive: &Path) -> Result<Vec<(String, u64, u64)>> {
    let mut archive = open(archive)?;
    (0..archive.len())
        .map(|index| {
            let entry = archive.by_index_raw(index)?;
            Ok((
                entry.name()?.into_owned(),
                entry.size(),
                entry.compressed_size(),
            ))
        })
        .collect()
}

/// The content of an entry.
///
/// # Errors
/// Where there is none of that name.
pub fn read(archive: &Path, name: &str) -> Result<Vec<u8>> {
    let mut opened = open(archive)?;
    let mut entry = opened
        .by_name(name)
        .with_context(|| format!("{} has no {name}", archive.display()))?;
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .with_context(|| format!("{name} in {} is damaged", archive.display()))?;
    Ok(bytes)
}

/// A new archive with everything in `from`, as it is, and these files besides, compressed. The same files give the
/// same bytes: entries carry no time.
///
/// # Errors
/// Where something cannot be read or written.
pub fn add(from: &Path, to: &Path, files: &[(&str, &Path)]) -> Result<()> {
    let mut from = open(from)?;
    let out = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut out = ZipWriter::new(std::io::BufWriter::new(out));
    for index in 0..from.len() {
        out.raw_copy_file(from.by_index_raw(index)?)?;
    }
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .unix_permissions(0o644)
        .last_modified_time(zip::DateTime::default());
    for (name, file) in files {
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        out.start_file(*name, options)?;
        out.write_all(&bytes)?;
    }
    out.finish()?.flush()?;
    Ok(())
}

/// For tests: an archive in a folder of its own, which the caller removes.
#[cfg(test)]
pub fn made_up(name: &str, files: &[(&str, &[u8])]) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("malloc-vr-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (empty, archive) = (folder.join("empty"), folder.join(name));
    let mut nothing = b"PK\x05\x06".to_vec();
    nothing.resize(22, 0);
    std::fs::write(&empty, nothing).unwrap();
    let written: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(index, (name, bytes))| {
            let file = folder.join(index.to_string());
            std::fs::write(&file, bytes).unwrap();
            (*name, file)
        })
        .collect();
    let listed: Vec<(&str, &Path)> = written
        .iter()
        .map(|(name, file)| (*name, file.as_path()))
        .collect();
    add(&empty, &archive, &listed).unwrap();
    archive
}
