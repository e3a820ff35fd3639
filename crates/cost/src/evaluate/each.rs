//! Loops: `Fn::ForEach`.
//!
//! See [Fn::ForEach](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html).

use std::sync::Arc;

use super::{Evaluator, Value};
use crate::template::{Kind, Node};

/// The variables of the loops around an expression, the innermost last.
#[derive(Clone, Debug, Default)]
pub struct Scope(Vec<(String, String)>);

impl Scope {
    fn with(&self, name: &str, value: &str) -> Self {
        let mut inner = self.clone();
        inner.0.push((name.to_owned(), value.to_owned()));
        inner
    }

    /// The value of a loop's variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        (self.0.iter().rev())
            .find(|(variable, _)| variable == name)
            .map(|(_, value)| value.as_str())
    }

    /// The text with `${variable}` replaced, and `&{variable}` by its letters and digits alone.
    pub(super) fn substitute(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in self.0.iter().rev() {
            if text.contains(name.as_str()) {
                let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
                text = text
                    .replace(&format!("${{{name}}}"), value)
                    .replace(&format!("&{{{name}}}"), &plain);
            }
        }
        text
    }
}

impl Evaluator<'_> {
    /// The keys and values of a node, with loops unrolled; each with the variables that it sees.
    pub(super) fn expanded(
        &mut self,
        node: &Arc<Node>,
        scope: &Scope,
    ) -> Vec<(String, Arc<Node>, Scope)> {
        let mut entries = Vec::new();
        self.expand(node, scope, &mut entries);
        entries
    }

    fn expand(
        &mut self,
        node: &Arc<Node>,
        scope: &Scope,
        entries: &mut Vec<(String, Arc<Node>, Scope)>,
    ) {
        for (key, value) in node.entries() {
            self.steps += 1 + 4 * scope.0.len();
            if self.spent(value.line) {
                return;
            }
            if key.starts_with("Fn::ForEach::") {
                self.unroll(key, value, scope, entries);
            } else {
                let key = scope.substitute(key);
                self.text += key.len();
                entries.push((key, Arc::clone(value), scope.clone()));
            }
        }
    }

    fn unroll(
        &mut self,
        key: &str,
        node: &Arc<Node>,
        scope: &Scope,
        entries: &mut Vec<(String, Arc<Node>, Scope)>,
    ) {
        let Some([name, collection, body]) = node.list() else {
            let what = format!("`{key}` takes a variable, a list and what to repeat");
            self.gap(node.line, what);
            return;
        };
        let (Some(name), Kind::Map(_)) = (name.text(), &body.kind) else {
            self.gap(
                node.line,
                format!("`{key}` takes a variable, a list and what to repeat"),
            );
            return;
        };
        let values = match self.value(collection, scope) {
            Value::List(items) => items,
            Value::Unknown(unknown) => {
                let what = format!("`{key}` is not unrolled: {}", unknown.why);
                self.gap(unknown.line, what);
                return;
            }
            _ => {
                self.gap(
                    node.line,
                    format!("`{key}` is not unrolled: its list is none"),
                );
                return;
            }
        };
        for value in values {
            match value {
                Value::Text(value) => {
                    self.steps += 1 + scope.0.len();
                    let inner = scope.with(name, &value);
                    self.expand(body, &inner, entries);
                }
                Value::Unknown(unknown) => {
                    let what = format!("`{key}` leaves out a round: {}", unknown.why);
                    self.gap(unknown.line, what);
                }
                _ => self.gap(
                    node.line,
                    format!("`{key}` leaves out a round that is no text"),
                ),
            }
            if self.spent(node.line) {
                return;
            }
        }
    }
}
