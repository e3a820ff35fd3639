use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::buildspec::Report;
use crate::artifact::Selection;
use crate::{ErrorKind, RunError};

/// What the files of a report tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportSummary {
    /// The report group's name.
    pub group: String,
    /// Tests that passed.
    pub passed: usize,
    /// Tests that were left out.
    pub skipped: usize,
    /// Tests that failed, by name.
    pub failed: Vec<String>,
    /// Lines that tests reach, and all lines.
    pub lines: Option<(u64, u64)>,
}

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

impl ReportSummary {
    /// Reads the files that were written since `since`: older ones are of an earlier build.
    pub(super) fn read(
        group: &str,
        report: &Report,
        folder: &Path,
        since: SystemTime,
    ) -> Result<Self, RunError> {
        let format = report.file_format.as_deref().unwrap_or("JUNITXML");
        let selection = Selection {
            files: &report.files,
            base: report.base_directory.as_deref(),
            discard_paths: report.discard_paths.is_on(),
        };
        let mut summary = Self {
            // An ARN ends in the name.
            group: group.rsplit('/').next().unwrap_or(group).to_owned(),
            ..Self::default()
        };
        let mut count = 0;
        for (name, path) in crate::artifact::select(folder, &selection)? {
            let read = |error: std::io::Error| RunError::io("read", &path, &error);
            let about = path.metadata().map_err(read)?;
            if about.modified().is_ok_and(|time| time < since) {
                continue;
            }
            if about.len() > LARGEST {
                return Err(unfit(&name, "larger than 64 MiB"));
            }
            let text = std::fs::read_to_string(&path).map_err(read)?;
            match format {
                "JUNITXML" => summary.junit(&text).map_err(|why| unfit(&name, &why))?,
                "LCOV" => summary.lcov(&text),
                other => {
                    return Err(unfit(
                        &name,
                        &format!("of format {other}, which is not read here"),
                    ));
                }
            }
            count += 1;
        }
        if count == 0 {
            return Err(unfit(
                &report.files.join(", "),
                "not there: the build made no such file",
            ));
        }
        Ok(summary)
    }

    fn junit(&mut self, text: &str) -> Result<(), String> {
        let options = roxmltree::ParsingOptions {
            nodes_limit: 5_000_000,
            ..roxmltree::ParsingOptions::default()
        };
        let document = roxmltree::Document::parse_with_options(text, options)
            .map_err(|error| format!("no JUnit report: {error}"))?;
        let cases = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"));
        for case in cases {
            let has = |name: &str| case.children().any(|child| child.has_tag_name(name));
            if has("failure") || has("error") {
                let word = |name: &str| case.attribute(name).unwrap_or_default();
                let name = format!("{} {}", word("classname"), word("name"));
                self.failed.push(name.trim().to_owned());
            } else if has("skipped") {
                self.skipped += 1;
            } else {
                self.passed += 1;
            }
        }
        Ok(())
    }

    fn lcov(&mut self, text: &str) {
        let (mut hit, mut found) = self.lines.unwrap_or_default();
        for line in text.lines() {
            let number = |prefix: &str| {
                line.strip_prefix(prefix)
                    .and_then(|n| n.parse::<u64>().ok())
            };
            hit += number("LH:").unwrap_or_default();
            found += number("LF:").unwrap_or_default();
        }
        self.lines = Some((hit, found));
    }

    /// In a line.
    pub fn text(&self) -> String {
        match self.lines {
            Some((hit, found)) if found > 0 => {
                // Tenths of a per cent.
                let share = hit * 1000 / found;
                format!(
                    "report {}: {hit} of {found} lines ({}.{} %)",
                    self.group,
                    share / 10,
                    share % 10
                )
            }
            _ => format!(
                "report {}: {} passed, {} failed, {} skipped",
                self.group,
                self.passed,
                self.failed.len(),
                self.skipped
            ),
        }
    }
}

fn unfit(name: &str, why: &str) -> RunError {
    RunError::new(ErrorKind::Failed, format!("report file `{name}` is {why}"))
}
