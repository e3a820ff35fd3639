//! The zip that Lambda takes: its bytes follow from the executable's alone.

use std::fs::OpenOptions;
use std::io::{Cursor, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::build::sibling;
use super::digest;
use crate::failure::Failure;

/// The file that Lambda's `provided` runtimes start.
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>.
pub(super) const ENTRY: &str = "bootstrap";

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For an emulator on this machine: a tenth of a second.
    Fast,
    /// For what is shipped: seconds, for a few per cent less to load at each cold start.
    Best,
}

/// A file that is ready to be handed on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Package {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its SHA-256 in hex: the same code has the same, and so the same object key.
    pub(crate) sha256: String,
    /// Bytes.
    pub(crate) size: u64,
}

impl Package {
    /// Writes a file that appears whole or not at all.
    pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        let unfinished = sibling(path);
        let written = std::fs::write(&unfinished, bytes)
            .and_then(|()| std::fs::rename(&unfinished, path))
            .map_err(|error| Failure::io("write", path, &error));
        if written.is_err() {
            // What a full disk left of it; the failure above is the one to tell.
            let _ = std::fs::remove_file(&unfinished);
        }
        written?;
        Ok(Self {
            path: path.to_owned(),
            sha256: digest::sha256(bytes),
            size: bytes.len() as u64,
        })
    }
}

/// Zips one executable: fixed name, fixed time, fixed mode, fixed compression.
pub(super) fn archive(binary: &Path, zip: &Path, effort: Effort) -> Result<Package, Failure> {
    let contents = std::fs::read(binary).map_err(|error| Failure::io("read", binary, &error))?;
    // In memory first: a writer that a full disk stops half-way would talk about it by itself.
    let bytes = compress(&contents, effort).map_err(|error| Failure::io("write", zip, &error))?;
    Package::write(zip, &bytes)
}

/// Unpacks a package into `folder`, as Lambda does, and returns the executable.
///
/// A process that runs an earlier one goes on with that.
pub(crate) fn unpack(zip: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let read = |error: std::io::Error| Failure::io("read", zip, &error);
    let file = std::fs::File::open(zip).map_err(read)?;
    let mut archive = ZipArchive::new(file).map_err(|error| read(error.into()))?;
    let mut entry = archive.by_name(ENTRY).map_err(|error| read(error.into()))?;
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
    let program = folder.join(ENTRY);
    let unfinished = sibling(&program);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(entry.unix_mode().unwrap_or(0o755))
        .open(&unfinished)
        .and_then(|mut file| std::io::copy(&mut entry, &mut file))
        .and_then(|_| std::fs::rename(&unfinished, &program))
        .map_err(|error| Failure::io("write", &program, &error));
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written?;
    Ok(program)
}

fn compress(contents: &[u8], effort: Effort) -> std::io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(match effort {
            Effort::Fast => None,
            Effort::Best => Some(BEST),
        })
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(ENTRY, options)?;
    writer.write_all(contents)?;
    Ok(writer.finish()?.into_inner())
}

/// Above 9, zlib's best, the levels count the passes of zopfli: 5 take a third off the time of its usual 15, and 15 take
/// 0.01 % off the size.
const BEST: i64 = 9 + 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;

    #[test]
    fn the_same_binary_makes_the_same_zip() {
        let folder = tempfile::tempdir().unwrap();
        for effort in [Effort::Fast, Effort::Best] {
            let binary = folder.path().join("app");
            std::fs::write(&binary, b"#!/bin/sh\n").unwrap();
            let first = archive(&binary, &folder.path().join("one/app.zip"), effort).unwrap();
            // Neither the file's time nor its mode nor its folder may show.
            std::fs::remove_file(&binary).unwrap();
            let elsewhere = folder.path().join("other");
            std::fs::write(&elsewhere, b"#!/bin/sh\n").unwrap();
            let second = archive(&elsewhere, &folder.path().join("two/app.zip"), effort).unwrap();
            assert_eq!(first.sha256, second.sha256);
            assert_eq!(
                std::fs::read(&first.path).unwrap(),
                std::fs::read(&second.path).unwrap()
            );

            let mut zip = zip::ZipArchive::new(std::fs::File::open(&first.path).unwrap()).unwrap();
            assert_eq!(zip.len(), 1);
            let entry = zip.by_index(0).unwrap();
            assert_eq!(entry.name().unwrap(), ENTRY);
            assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        }
    }

    #[test]
    fn a_package_is_unpacked_over_an_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let (binary, zip) = (folder.path().join("app"), folder.path().join("app.zip"));
        for (contents, succeeds) in [("#!/bin/sh\n", true), ("#!/bin/sh\nexit 1\n", false)] {
            std::fs::write(&binary, contents).unwrap();
            archive(&binary, &zip, Effort::Fast).unwrap();
            let program = unpack(&zip, &folder.path().join("function")).unwrap();
            let status = std::process::Command::new(&program).status().unwrap();
            assert_eq!(status.success(), succeeds);
        }
        std::fs::write(&zip, "no zip").unwrap();
        let failure = unpack(&zip, folder.path()).unwrap_err();
        assert_eq!(failure.kind, Kind::Io);
    }

    #[test]
    fn a_failed_zip_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("app.zip");
        let failure = archive(&folder.path().join("missing"), &zip, Effort::Best).unwrap_err();
        assert_eq!(failure.kind, Kind::Io);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
