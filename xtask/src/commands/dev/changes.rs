//! Changes of the API's source files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::ui::{DIM, Ui};

/// Editors save in bursts: changes this close together are one.
const QUIET: Duration = Duration::from_millis(150);

pub(super) struct Changes {
    changed: mpsc::UnboundedReceiver<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    /// Begins to watch.
    pub(super) fn watch(project: &Project) -> Result<Self, Failure> {
        let refuse = |error: notify::Error| {
            Failure::new(Kind::Io, "cannot watch the source files").cause(error.to_string())
        };
        let (sender, changed) = mpsc::unbounded_channel();
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let wrote = event.is_ok_and(|event| {
                    !event.kind.is_access() && event.paths.iter().any(|path| is_source(path))
                });
                if wrote {
                    // The command has ended where nobody listens.
                    let _ = sender.send(());
                }
            })
            .map_err(refuse)?;
        let paths: [PathBuf; 4] = [
            "crates/api",
            "crates/aws-client",
            "crates/release-hook",
            "Cargo.toml",
        ]
        .map(|path| project.path(path));
        for path in paths {
            watcher
                .watch(&path, RecursiveMode::Recursive)
                .map_err(refuse)?;
        }
        Ok(Self {
            changed,
            _watcher: watcher,
        })
    }

    /// Returns once a source file has changed. Nothing is missed where this is given up.
    pub(super) async fn begin(&mut self) {
        if self.changed.recv().await.is_none() {
            // The watcher is gone: nothing will change any more.
            std::future::pending::<()>().await;
        }
    }

    /// Returns once the burst of changes that began is over.
    pub(super) async fn settle(&mut self, ui: &Ui) {
        while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changed.recv()).await {}
        ui.say(format!("{DIM}a source file changed{DIM:#}"));
    }
}

/// Whether a change to this file can change the API; editors' own files cannot.
fn is_source(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    matches!(extension, "rs" | "toml" | "html" | "css" | "js" | "json")
}
