//! Everything that one build is handed on as, in one folder.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::build::{Binary, Build};
use super::image::{self, Image, Labels};
use super::target::{Architecture, Libc};
use super::zip::{Effort, Package};
use super::{archive, symbols};
use crate::failure::{Failure, Kind};
use crate::ui::Ui;

/// What a build gave.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Artifacts {
    pub(crate) package: String,
    pub(crate) profile: String,
    pub(crate) target: &'static str,
    pub(crate) architecture: Architecture,
    pub(crate) libc: Libc,
    pub(crate) compiler: &'static str,
    /// Ties executable and symbols.
    pub(crate) build_id: String,
    pub(crate) zip: Package,
    pub(crate) symbols: Package,
    pub(crate) image: Option<Image>,
}

/// What to make of a build.
pub(super) struct Recipe<'a> {
    pub(super) effort: Effort,
    /// Nothing where no image is wanted.
    pub(super) labels: Option<&'a Labels>,
}

impl Artifacts {
    /// Builds, and writes everything to `output`.
    pub(super) async fn make(
        ui: &Ui,
        build: &Build<'_>,
        recipe: &Recipe<'_>,
        output: &Path,
    ) -> Result<(Self, Binary), Failure> {
        let binary = build.run(ui).await?;
        let name = build.package;
        let file = |extension: &str| output.join(format!("{name}.{extension}"));
        let zip = {
            let _spinner = ui.spinner("compress");
            archive(binary.path.clone(), file("zip"), recipe.effort).await?
        };
        let (symbols, build_id) = keep_symbols(binary.symbols.clone(), file("debug")).await?;
        let image = match recipe.labels {
            None => None,
            Some(labels) => {
                let (executable, tar, labels) =
                    (binary.path.clone(), file("image.tar"), labels.clone());
                let (reference, architecture) = (format!("{name}:latest"), binary.architecture);
                let made = tokio::task::spawn_blocking(move || {
                    image::write(&executable, &reference, architecture, &labels, &tar)
                });
                Some(made.await.map_err(not_made)??)
            }
        };
        let artifacts = Self {
            package: name.to_owned(),
            profile: build.profile.to_owned(),
            target: binary.target,
            architecture: binary.architecture,
            libc: binary.libc,
            compiler: build.target.compiler.describe(),
            build_id,
            zip,
            symbols,
            image,
        };
        Ok((artifacts, binary))
    }

    /// Each file, by its name.
    pub(super) fn files(&self) -> impl Iterator<Item = &Package> {
        [&self.zip, &self.symbols]
            .into_iter()
            .chain(self.image.as_ref().map(|image| &image.archive))
    }
}

async fn keep_symbols(from: PathBuf, to: PathBuf) -> Result<(Package, String), Failure> {
    let kept = tokio::task::spawn_blocking(move || {
        let bytes = std::fs::read(&from).map_err(|error| Failure::io("read", &from, &error))?;
        let build_id = symbols::build_id(&bytes).ok_or_else(|| {
            Failure::new(
                Kind::Tool,
                format!("the linker gave `{}` no build id", from.display()),
            )
            .hint("link with GNU ld, lld or mold, which know --build-id")
        })?;
        Ok((Package::write(&to, &bytes)?, build_id))
    });
    kept.await.map_err(not_made)?
}

fn not_made(error: tokio::task::JoinError) -> Failure {
    Failure::new(Kind::Io, format!("cannot make the package: {error}"))
}
