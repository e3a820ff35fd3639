use std::io::Read;
use std::path::Path;

use zip::ZipArchive;

use crate::{ErrorKind, RunError};

/// The most bytes of a file that an action reads by itself: CloudFormation takes a megabyte of a template.
const LARGEST: u64 = 1 << 20;

/// The text of one file of an artifact.
///
/// # Errors
/// The artifact has no such file, or it is no text, or too large.
pub fn read_file(zip: &Path, artifact: &str, name: &str) -> Result<String, RunError> {
    let refuse = |why: String| {
        RunError::new(
            ErrorKind::Artifact,
            format!("cannot read `{name}` of artifact `{artifact}`"),
        )
        .cause(why)
    };
    let file = std::fs::File::open(zip).map_err(|error| RunError::io("read", zip, &error))?;
    let mut archive = ZipArchive::new(file).map_err(|error| refuse(error.to_string()))?;
    let entry = archive
        .by_name(name)
        .map_err(|error| refuse(error.to_string()))?;
    let mut text = String::new();
    entry
        .take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| refuse(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(refuse("it is larger than a megabyte".to_owned()));
    }
    Ok(text)
}
