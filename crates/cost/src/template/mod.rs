//! Any CloudFormation template, YAML or JSON, as far as pricing needs it.
//!
//! This reader is lenient where the deployer's is strict: it takes templates of other authors, with macros, loops and
//! faults, and says of each thing that it cannot use where it stands. It is bounded in size, depth and time.

mod node;
mod read;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use node::{Kind, Node};
pub use read::{BYTES_MAX, DEPTH_MAX, NODES_MAX, ReadError};

/// A template, as it is written.
#[derive(Clone, Debug)]
pub struct Template {
    root: Arc<Node>,
}

impl Template {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// Where the text is neither, has no `Resources`, or is larger than is read, with the line where one is known.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let root = read::document(text)?;
        let Kind::Map(_) = root.kind else {
            return Err(ReadError::new(root.line, "this is not keys and values"));
        };
        match root.get("Resources") {
            Some(section) if matches!(section.kind, Kind::Map(_)) => Ok(Self { root }),
            Some(section) => Err(ReadError::new(
                section.line,
                "`Resources` is not keys and values",
            )),
            None => Err(ReadError::new(None, "there is no section `Resources`")),
        }
    }

    /// The entries of a section; none where it is missing or something else.
    pub(crate) fn section(&self, name: &str) -> &[(String, Arc<Node>)] {
        self.root.get(name).map_or(&[], |section| section.entries())
    }

    /// A section as a node.
    pub(crate) fn section_node(&self, name: &str) -> Option<Arc<Node>> {
        self.root.get(name).map(Arc::clone)
    }

    /// The macros that it asks for, with their lines.
    pub(crate) fn transforms(&self) -> Vec<(String, usize)> {
        let Some(node) = self.root.get("Transform") else {
            return Vec::new();
        };
        let name = |node: &Node| {
            let name = node
                .text()
                .or_else(|| node.get("Name").and_then(|name| name.text()))
                .unwrap_or("a macro");
            (name.to_owned(), node.line)
        };
        match node.list() {
            Some(items) => items.iter().map(|item| name(item)).collect(),
            None => vec![name(node)],
        }
    }

    /// Whether it declares that parameter.
    pub fn declares(&self, parameter: &str) -> bool {
        self.root
            .get("Parameters")
            .is_some_and(|parameters| parameters.get(parameter).is_some())
    }

    /// How many resources the text declares, before loops and conditions.
    pub fn declared(&self) -> usize {
        self.section("Resources").len()
    }
}
