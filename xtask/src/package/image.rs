//! The container image FROM scratch: one static executable, the same for Lambda and for a plain server.
//!
//! The archive is written here, byte by byte the same for the same executable, so that no engine is needed to make it:
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>, with the `manifest.json` that
//! `docker load` reads.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use tar::{Builder, EntryType, Header};
use tokio::process::Command;

use super::digest;
use super::target::Architecture;
use super::zip::{ENTRY, Package};
use crate::failure::{Failure, Kind};
use crate::process;
use crate::ui::Ui;

/// Who runs the executable: nobody that the image knows by name, and not root.
const USER: &str = "65532:65532";

/// Where the image serves when it is not under Lambda.
const LISTEN: &str = "0.0.0.0:8080";
const PORT: &str = "8080/tcp";

const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// How long an engine may take to say that it is there.
const ENGINE_PATIENCE: Duration = Duration::from_secs(10);

/// Annotations of an image: `org.opencontainers.image.<name>`.
pub(crate) type Labels = BTreeMap<&'static str, String>;

/// An image in an archive.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Image {
    /// What the engine calls it once it is loaded.
    pub(crate) name: String,
    /// The digest of its configuration: an image's id in most engines.
    pub(crate) id: String,
    /// The digest of its manifest: its id in registries.
    pub(crate) digest: String,
    #[serde(flatten)]
    pub(crate) archive: Package,
}

/// Writes the image of `binary` to `archive`.
pub(super) fn write(
    binary: &Path,
    name: &str,
    architecture: Architecture,
    labels: &Labels,
    archive: &Path,
) -> Result<Image, Failure> {
    let contents = std::fs::read(binary).map_err(|error| Failure::io("read", binary, &error))?;
    let made = make(&contents, name, architecture, labels)
        .map_err(|error| Failure::io("write", archive, &error))?;
    Ok(Image {
        name: name.to_owned(),
        id: format!("sha256:{}", made.config),
        digest: format!("sha256:{}", made.manifest),
        archive: Package::write(archive, &made.bytes)?,
    })
}

struct Made {
    bytes: Vec<u8>,
    config: String,
    manifest: String,
}

fn make(
    executable: &[u8],
    name: &str,
    architecture: Architecture,
    labels: &Labels,
) -> std::io::Result<Made> {
    let mut layer = Builder::new(Vec::new());
    file(&mut layer, ENTRY, 0o755, executable)?;
    let layer = Blob::new(LAYER_TYPE, layer.into_inner()?);
    let labels: BTreeMap<_, _> = labels
        .iter()
        .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value))
        .collect();
    let config = Blob::json(
        CONFIG_TYPE,
        &json!({
            "architecture": architecture.oci(),
            "config": {
                "Entrypoint": [format!("/{ENTRY}")],
                "Env": [format!("LISTEN_ADDR={LISTEN}")],
                "ExposedPorts": { PORT: {} },
                "Labels": labels,
                "User": USER,
                "WorkingDir": "/",
            },
            "created": "1970-01-01T00:00:00Z",
            "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": format!("COPY {ENTRY} /{ENTRY}") }],
            "os": "linux",
            "rootfs": { "diff_ids": [layer.digest()], "type": "layers" },
        }),
    )?;
    let manifest = Blob::json(
        MANIFEST_TYPE,
        &json!({
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
            "mediaType": MANIFEST_TYPE,
            "schemaVersion": 2,
        }),
    )?;
    let mut descriptor = manifest.descriptor();
    descriptor["annotations"] = json!({
        "io.containerd.image.name": format!("docker.io/library/{name}"),
        "org.opencontainers.image.ref.name": name.rsplit_once(':').map_or("latest", |(_, tag)| tag),
    });
    let index = serde_json::to_vec(&json!({
        "manifests": [descriptor],
        "mediaType": INDEX_TYPE,
        "schemaVersion": 2,
    }))?;
    let docker = serde_json::to_vec(&json!([{
        "Config": config.path(),
        "Layers": [layer.path()],
        "RepoTags": [name],
    }]))?;

    let mut archive = Builder::new(Vec::new());
    folder(&mut archive, "blobs/")?;
    folder(&mut archive, "blobs/sha256/")?;
    let mut blobs = [&layer, &config, &manifest];
    blobs.sort_by(|one, other| one.sha256.cmp(&other.sha256));
    for blob in blobs {
        file(&mut archive, &blob.path(), 0o644, &blob.bytes)?;
    }
    file(&mut archive, "index.json", 0o644, &index)?;
    file(&mut archive, "manifest.json", 0o644, &docker)?;
    let layout = serde_json::to_vec(&json!({ "imageLayoutVersion": "1.0.0" }))?;
    file(&mut archive, "oci-layout", 0o644, &layout)?;
    Ok(Made {
        bytes: archive.into_inner()?,
        config: config.sha256,
        manifest: manifest.sha256,
    })
}

/// A part of an image, named by its digest.
struct Blob {
    media_type: &'static str,
    sha256: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            media_type,
            sha256: digest::sha256(&bytes),
            bytes,
        }
    }

    fn json(media_type: &'static str, value: &serde_json::Value) -> std::io::Result<Self> {
        Ok(Self::new(media_type, serde_json::to_vec(value)?))
    }

    fn digest(&self) -> String {
        format!("sha256:{}", self.sha256)
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.sha256)
    }

    fn descriptor(&self) -> serde_json::Value {
        json!({ "digest": self.digest(), "mediaType": self.media_type, "size": self.bytes.len() })
    }
}

fn file(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    mode: u32,
    contents: &[u8],
) -> std::io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(mode);
    header.set_size(contents.len() as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_data(&mut header, path, contents)
}

fn folder(archive: &mut Builder<Vec<u8>>, path: &str) -> std::io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_data(&mut header, path, std::io::empty())
}

/// Why no engine can take an image, or nothing where one answers.
pub(crate) async fn engine_is_missing() -> Option<String> {
    let mut command = Command::new("docker");
    command
        .args(["info", "--format", "{{.ServerVersion}}"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(ENGINE_PATIENCE, command.status()).await {
        Ok(Ok(status)) if status.success() => None,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Some("there is no `docker` command".to_owned())
        }
        _ => Some("no Docker engine answers".to_owned()),
    }
}

/// Hands the image to the engine that answers.
pub(crate) async fn load(ui: &Ui, image: &Image) -> Result<(), Failure> {
    let mut command = Command::new("docker");
    command
        .args(["load", "--quiet", "--input"])
        .arg(&image.archive.path);
    process::run(ui, "load the image", &mut command).await?;
    let mut command = Command::new("docker");
    command.args(["image", "inspect", "--format", "{{.Id}}", &image.name]);
    let id = process::read("look at the image", &mut command).await?;
    // The classic store of an engine names an image by its configuration, containerd's by its manifest.
    if [&image.id, &image.digest].contains(&&id.trim().to_owned()) {
        Ok(())
    } else {
        Err(Failure::new(
            Kind::Tool,
            format!("the engine made another image of `{}`", image.name),
        )
        .cause(format!("it has {}, and not {}", id.trim(), image.id)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn labels() -> Labels {
        Labels::from([("title", "app".to_owned())])
    }

    #[test]
    fn the_same_binary_makes_the_same_image() {
        let folder = tempfile::tempdir().unwrap();
        let images: Vec<_> = ["one", "two"]
            .iter()
            .map(|name| {
                let binary = folder.path().join(name);
                std::fs::write(&binary, b"#!/bin/sh\n").unwrap();
                let archive = folder.path().join(format!("{name}.tar"));
                write(
                    &binary,
                    "app:latest",
                    Architecture::X86_64,
                    &labels(),
                    &archive,
                )
                .unwrap()
            })
            .collect();
        assert_eq!(images[0].archive.sha256, images[1].archive.sha256);
        assert_eq!(images[0].id, images[1].id);
    }

    #[test]
    fn each_part_is_what_its_name_says() {
        let made = make(b"code", "app:latest", Architecture::Arm64, &labels()).unwrap();
        let mut archive = tar::Archive::new(made.bytes.as_slice());
        let mut files = BTreeMap::new();
        let mut order = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            let path = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            if let Some(sha256) = path.strip_prefix("blobs/sha256/").filter(|s| !s.is_empty()) {
                assert_eq!(digest::sha256(&bytes), sha256);
            }
            order.push(path.clone());
            files.insert(path, bytes);
        }
        let mut sorted = order.clone();
        sorted.sort();
        assert_eq!(order, sorted);

        let json =
            |path: &str| -> serde_json::Value { serde_json::from_slice(&files[path]).unwrap() };
        let docker = json("manifest.json");
        let config = json(docker[0]["Config"].as_str().unwrap());
        assert_eq!(config["architecture"], "arm64");
        assert_eq!(config["config"]["Entrypoint"][0], "/bootstrap");
        assert_eq!(config["config"]["User"], USER);
        assert_eq!(
            config["config"]["Labels"]["org.opencontainers.image.title"],
            "app"
        );
        let layer = &files[docker[0]["Layers"][0].as_str().unwrap()];
        let mut layer = tar::Archive::new(layer.as_slice());
        let entry = layer.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().display().to_string(), ENTRY);
        assert_eq!(entry.header().mode().unwrap(), 0o755);
        let index = json("index.json");
        let manifest = index["manifests"][0]["digest"].as_str().unwrap();
        assert_eq!(manifest, format!("sha256:{}", made.manifest));
    }
}
