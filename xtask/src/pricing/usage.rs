//! The usage and the account that things are priced for.

use std::path::Path;

use stackway_cost::book::PriceBook;
use stackway_cost::estimate::Basis;
use stackway_cost::usage::{Account, UsageError, UsageFile};
use time::OffsetDateTime;

use crate::failure::{Failure, Kind};
use crate::project::Project;

/// Usage and account, as usage.toml and the flags have them.
pub(crate) struct Usage {
    file: UsageFile,
    profile: String,
    account: Account,
}

impl Usage {
    /// The profile and the account that are named, or those of the file; the file that is named, or the project's, or where
    /// there is none the one that is built in.
    pub(crate) fn read(
        path: Option<&Path>,
        profile: Option<&str>,
        account: Option<Account>,
    ) -> Result<Self, Failure> {
        let project = || {
            let project = Project::locate().ok()?;
            Some(project.path("usage.toml")).filter(|path| path.is_file())
        };
        let path = path.map(Path::to_path_buf).or_else(project);
        let refuse = |what: String, error: UsageError| {
            Failure::new(Kind::Configuration, what)
                .cause(error.to_string())
                .hint("docs/cost.md lists every figure")
        };
        let file = match &path {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Failure::io("read", path, &error))?;
                UsageFile::parse(&text)
                    .map_err(|error| refuse(format!("cannot use `{}`", path.display()), error))?
            }
            None => UsageFile::embedded().map_err(|error| {
                refuse("cannot use the usage that is built in".to_owned(), error)
            })?,
        };
        let profile = profile.map_or_else(|| file.default_profile.clone(), str::to_owned);
        file.profile(&profile)
            .map_err(|error| Failure::new(Kind::CommandLine, error.to_string()))?;
        let account = account.unwrap_or_else(|| file.account.clone());
        Ok(Self {
            file,
            profile,
            account,
        })
    }

    /// What estimates of today are made with.
    pub(crate) fn basis<'a>(&'a self, book: &'a PriceBook) -> Result<Basis<'a>, Failure> {
        let profile = (self.file.profile(&self.profile))
            .map_err(|error| Failure::new(Kind::CommandLine, error.to_string()))?;
        Ok(Basis {
            book,
            profile_name: &self.profile,
            profile,
            account: &self.account,
            today: OffsetDateTime::now_utc().date(),
        })
    }
}
