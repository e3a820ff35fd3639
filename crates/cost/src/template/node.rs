//! A document as a tree: every node knows its line, and short forms of functions are long ones.

use std::sync::Arc;

/// A node of a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it starts, from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
    /// How deep the tree below it is; a scalar has 1.
    pub(super) height: usize,
}

/// What a node is.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: `null`, `~`, or no value at all.
    Null,
    /// A scalar. CloudFormation compares and joins all of them as text, so this keeps no other type.
    Text(String),
    /// A list.
    List(Vec<Arc<Node>>),
    /// Keys and values, in the order of the document.
    Map(Vec<(String, Arc<Node>)>),
}

impl Node {
    pub(super) fn new(line: usize, kind: Kind) -> Self {
        let below = match &kind {
            Kind::Null | Kind::Text(_) => 0,
            Kind::List(items) => items.iter().map(|item| item.height).max().unwrap_or(0),
            Kind::Map(entries) => (entries.iter().map(|(_, value)| value.height))
                .max()
                .unwrap_or(0),
        };
        Self {
            line,
            kind,
            height: below + 1,
        }
    }

    /// The value of a key, where this is keys and values.
    pub fn get(&self, key: &str) -> Option<&Arc<Node>> {
        self.entries()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The keys and values; none where this is something else.
    pub fn entries(&self) -> &[(String, Arc<Node>)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::Null | Kind::Text(_) | Kind::List(_) => &[],
        }
    }

    /// The items of a list, where this is one.
    pub fn list(&self) -> Option<&[Arc<Node>]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Null | Kind::Text(_) | Kind::Map(_) => None,
        }
    }

    /// The scalar's text, where this is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The function and its argument, where this is one: an object with that key alone.
    pub(crate) fn function(&self) -> Option<(&str, &Arc<Node>)> {
        match self.entries() {
            [(name, argument)]
                if name == "Ref"
                    || name == "Condition"
                    || name.starts_with("Fn::") && !name.starts_with("Fn::ForEach::") =>
            {
                Some((name, argument))
            }
            _ => None,
        }
    }
}
