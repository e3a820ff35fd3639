//! The Lambda's package: a release of the API in a zip whose bytes follow from the source alone.

use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// The file that Lambda's `provided` runtimes start.
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>.
const ENTRY: &str = "bootstrap";

/// Where the package will run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// On this machine, in an emulator that starts it as a process: built fast, for this machine.
    Host,
    /// On Lambda: a release for this architecture, static, so that it depends on nothing there.
    Lambda(Architecture),
}

/// A Lambda architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    X86_64,
    Arm64,
}

impl Architecture {
    /// This machine's.
    pub(crate) fn host() -> Self {
        if cfg!(target_arch = "aarch64") {
            Self::Arm64
        } else {
            Self::X86_64
        }
    }

    /// Reads the value of the `Architecture` parameter of the api stack.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::X86_64, Self::Arm64]
            .into_iter()
            .find(|architecture| architecture.as_str() == name)
    }

    /// Lambda's name for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-musl",
            Self::Arm64 => "aarch64-unknown-linux-musl",
        }
    }
}

/// A zip that is ready for upload.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its SHA-256 in hex: the same code has the same, and so the same object key.
    pub(crate) sha256: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// Builds `package` for `target` and zips it.
pub(crate) async fn build(
    ui: &Ui,
    project: &Project,
    package: &str,
    target: Target,
) -> Result<Package, Failure> {
    let mut command = process::cargo(project.root());
    command.args(["build", "--locked", "--package", package, "--bin", package]);
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(project));
    let folder = match target {
        Target::Host => {
            command.args(["--profile", "local"]);
            "local".to_owned()
        }
        Target::Lambda(architecture) => {
            let triple = architecture.target();
            command.args(["--release", "--target", triple]);
            format!("{triple}/release")
        }
    };
    process::run(ui, &format!("build `{package}`"), &mut command)
        .await
        .map_err(|failure| match target {
            Target::Lambda(architecture)
                if failure
                    .causes
                    .iter()
                    .any(|cause| cause.contains("can't find crate for")) =>
            {
                failure.hint(format!(
                    "install the target: `rustup target add {}`",
                    architecture.target()
                ))
            }
            _ => failure
                .hint("correct the code, then run the same command again; nothing was deployed"),
        })?;

    let target_dir =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.path("target"), PathBuf::from);
    let binary = target_dir.join(folder).join(package);
    let zip = project
        .state_dir()
        .join("package")
        .join(format!("{package}.zip"));
    // Compressing is work for a processor, not for the async runtime.
    tokio::task::spawn_blocking(move || archive(&binary, &zip))
        .await
        .map_err(|error| Failure::new(Kind::Io, format!("cannot make the zip: {error}")))?
}

/// The caller's flags, and no path of this machine in the binary: panics name their source files, and the same source
/// must make the same bytes in any folder.
fn rustflags(project: &Project) -> String {
    let separator = '\x1f';
    let variable = |name| std::env::var(name).ok().filter(|flags| !flags.is_empty());
    let given = variable("CARGO_ENCODED_RUSTFLAGS").or_else(|| {
        variable("RUSTFLAGS").map(|flags| {
            flags
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(&separator.to_string())
        })
    });
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let remaps = [
        home.map(|home| remap(&home, "/cargo")),
        Some(remap(project.root(), "/source")),
    ];
    given
        .into_iter()
        .chain(remaps.into_iter().flatten())
        .collect::<Vec<_>>()
        .join(&separator.to_string())
}

/// Zips one executable: fixed time, fixed mode, fixed compression. The file appears whole or not at all.
fn archive(binary: &Path, zip: &Path) -> Result<Package, Failure> {
    let folder = zip.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
    let contents = std::fs::read(binary).map_err(|error| Failure::io("read", binary, &error))?;
    // In memory first: a writer that a full disk stops half-way would talk about it by itself.
    let bytes = compress(&contents).map_err(|error| Failure::io("write", zip, &error))?;
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .map_err(|error| Failure::io("write", zip, &error))?;
    file.write_all(&bytes)
        .map_err(|error| Failure::io("write", zip, &error))?;
    file.persist(zip)
        .map_err(|error| Failure::io("write", zip, &error.error))?;
    let mut sha256 = String::new();
    for byte in Sha256::digest(&bytes) {
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(Package {
        path: zip.to_owned(),
        sha256,
        size: bytes.len() as u64,
    })
}

fn compress(contents: &[u8]) -> std::io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(ENTRY, options)?;
    writer.write_all(contents)?;
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_binary_makes_the_same_zip() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("app");
        std::fs::write(&binary, b"#!/bin/sh\n").unwrap();
        let first = archive(&binary, &folder.path().join("one/app.zip")).unwrap();
        // Neither the file's time nor its mode nor its folder may show.
        std::fs::remove_file(&binary).unwrap();
        let elsewhere = folder.path().join("other");
        std::fs::write(&elsewhere, b"#!/bin/sh\n").unwrap();
        let second = archive(&elsewhere, &folder.path().join("two/app.zip")).unwrap();
        assert_eq!(first.sha256, second.sha256);
        assert_eq!(
            std::fs::read(&first.path).unwrap(),
            std::fs::read(&second.path).unwrap()
        );

        let mut zip = zip::ZipArchive::new(std::fs::File::open(&first.path).unwrap()).unwrap();
        let entry = zip.by_index(0).unwrap();
        assert_eq!(entry.name().unwrap(), ENTRY);
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    }

    #[test]
    fn a_failed_zip_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("app.zip");
        let failure = archive(&folder.path().join("missing"), &zip).unwrap_err();
        assert_eq!(failure.kind, Kind::Io);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
