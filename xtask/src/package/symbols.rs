//! Symbols apart from the executable: what is shipped is small, and an address of it can still be read.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::build::sibling;
use super::{digest, target};
use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;

/// Splits `built` into `shipped`, without symbols, and `symbols`, without code.
pub(super) async fn split(
    project: &Project,
    built: &Path,
    shipped: &Path,
    symbols: &Path,
) -> Result<(), Failure> {
    let folder = shipped.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
    let tool = Objcopy::find(project).await?;
    tool.run("--only-keep-debug", built, symbols).await?;
    tool.run("--strip-all", built, shipped).await
}

/// The toolchain's own objcopy, or one on PATH. The toolchain's comes first: it knows every architecture, and makes the
/// same bytes on every machine.
struct Objcopy {
    program: PathBuf,
    libraries: Option<PathBuf>,
}

impl Objcopy {
    async fn find(project: &Project) -> Result<Self, Failure> {
        let sysroot = target::rustc(project, &["--print", "sysroot"]).await?;
        let sysroot = Path::new(sysroot.trim());
        let version = target::rustc(project, &["-vV"]).await?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default();
        let own = Self {
            program: sysroot
                .join("lib/rustlib")
                .join(host)
                .join("bin/rust-objcopy"),
            libraries: Some(sysroot.join("lib")),
        };
        if own.answers().await {
            return Ok(own);
        }
        for name in ["llvm-objcopy", "objcopy"] {
            let other = Self {
                program: name.into(),
                libraries: None,
            };
            if other.answers().await {
                return Ok(other);
            }
        }
        Err(
            Failure::new(Kind::Tool, "there is no objcopy to strip the binary with")
                .hint("install one, such as Debian's `binutils`, or a toolchain of rustup's"),
        )
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(libraries) = &self.libraries {
            for variable in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
                command.env(variable, libraries);
            }
        }
        command
    }

    async fn answers(&self) -> bool {
        let mut command = self.command();
        command.arg("--version");
        process::read("strip the binary", &mut command)
            .await
            .is_ok()
    }

    async fn run(&self, how: &str, from: &Path, to: &Path) -> Result<(), Failure> {
        let unfinished = sibling(to);
        let mut command = self.command();
        command.arg(how).arg(from).arg(&unfinished);
        process::read("strip the binary", &mut command).await?;
        std::fs::rename(&unfinished, to).map_err(|error| Failure::io("write", to, &error))
    }
}

/// The build id of an ELF file, in hex.
pub(super) fn build_id(elf: &[u8]) -> Option<String> {
    use object::Object as _;
    let file = object::File::parse(elf).ok()?;
    let id = file.build_id().ok()??;
    Some(digest::hex(id))
}
