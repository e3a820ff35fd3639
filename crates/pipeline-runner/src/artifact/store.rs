use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{ErrorKind, RunError};

/// Where artifacts are kept: `<sha256>.zip`, written whole or not at all.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// A store in this folder, which is made.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        std::fs::create_dir_all(folder).map_err(|error| RunError::io("create", folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Moves a file of the store's file system in; gives the SHA-256 of its contents, in hex.
    pub fn take(&self, file: &Path) -> Result<String, RunError> {
        let name = digest(file)?;
        let to = self.folder.join(format!("{name}.zip"));
        std::fs::rename(file, &to).map_err(|error| RunError::io("write", &to, &error))?;
        Ok(name)
    }

    /// Removes all but these, and what a run that was killed left unfinished; gives how many artifacts went.
    pub(crate) fn keep(&self, names: &BTreeSet<String>) -> Result<usize, RunError> {
        let entries = std::fs::read_dir(&self.folder)
            .map_err(|error| RunError::io("read", &self.folder, &error))?;
        let mut removed = 0;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let artifact = name.strip_suffix(".zip");
            if artifact.is_some_and(|artifact| names.contains(artifact)) {
                continue;
            }
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let gone = if is_folder {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            gone.map_err(|error| RunError::io("remove", &path, &error))?;
            removed += usize::from(artifact.is_some());
        }
        Ok(removed)
    }

    /// The file of an artifact, held against its name.
    ///
    /// # Errors
    /// It is gone, or is not what it was.
    pub fn path(&self, name: &str) -> Result<PathBuf, RunError> {
        let path = self.folder.join(format!("{name}.zip"));
        if digest(&path)? != name {
            return Err(RunError::new(
                ErrorKind::Artifact,
                format!("artifact `{}` is not what was stored", path.display()),
            )
            .hint("remove the file, and run the pipeline again from its source"));
        }
        Ok(path)
    }
}

fn digest(path: &Path) -> Result<String, RunError> {
    let read = |error: std::io::Error| RunError::io("read", path, &error);
    let mut file = std::fs::File::open(path).map_err(read)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).map_err(read)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    let hex: Vec<_> = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(hex.concat())
}
