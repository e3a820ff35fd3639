//! Conditions: what holds, what does not, and what cannot be told.

use std::sync::Arc;

use super::{Evaluator, Scope, Value};
use crate::template::Node;

impl Evaluator<'_> {
    /// Whether a named condition holds; `None` where that cannot be told.
    pub(super) fn holds(&mut self, name: &str, line: usize) -> Option<bool> {
        if let Some(known) = self.held.get(name) {
            return *known;
        }
        let Some(node) = self.conditions.get(name).copied() else {
            self.gap(line, format!("`{name}` is no condition"));
            return None;
        };
        if self.asking.iter().any(|asked| asked == name) {
            self.gap(node.line, format!("condition `{name}` waits for itself"));
            return None;
        }
        self.asking.push(name.to_owned());
        let holds = self.condition(node, &Scope::default());
        self.asking.pop();
        self.held.insert(name.to_owned(), holds);
        holds
    }

    /// Whether an expression holds.
    fn condition(&mut self, node: &Arc<Node>, scope: &Scope) -> Option<bool> {
        self.steps += 1;
        if self.spent(node.line) {
            return None;
        }
        if self.depth >= super::DEPTH_MAX {
            self.gap(
                node.line,
                "this waits for itself, or is nested too deep".to_owned(),
            );
            return None;
        }
        self.depth += 1;
        let holds = self.condition_below(node, scope);
        self.depth -= 1;
        holds
    }

    fn condition_below(&mut self, node: &Arc<Node>, scope: &Scope) -> Option<bool> {
        let Some((function, argument)) = node.function() else {
            self.gap(
                node.line,
                "a condition is made of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition"
                    .to_owned(),
            );
            return None;
        };
        let parts = argument.list().unwrap_or_default();
        match (function, parts) {
            ("Condition", _) => match argument.text() {
                Some(name) => self.holds(name, node.line),
                None => self.malformed(function, node.line),
            },
            ("Fn::Equals", [left, right]) => {
                let left = self.value(left, scope);
                let right = self.value(right, scope);
                self.equal(&left, &right)
            }
            ("Fn::Not", [part]) => self.condition(part, scope).map(|holds| !holds),
            ("Fn::And", [_, ..]) => self.joined(parts, scope, false),
            ("Fn::Or", [_, ..]) => self.joined(parts, scope, true),
            _ => self.malformed(function, node.line),
        }
    }

    fn malformed(&mut self, function: &str, line: usize) -> Option<bool> {
        self.gap(
            line,
            format!("`{function}` is not used as it can be in a condition"),
        );
        None
    }

    fn equal(&mut self, left: &Value, right: &Value) -> Option<bool> {
        // Whether there is a name or an ARN is the usual question, and can be told before there is one.
        for (text, later) in [(left, right), (right, left)] {
            if text.text().is_some_and(|text| !later.form().allows(text)) {
                return Some(false);
            }
        }
        for side in [left, right] {
            match side {
                Value::Unknown(unknown) => {
                    let what = format!("`Fn::Equals` cannot be told: {}", unknown.why);
                    self.gap(unknown.line, what);
                    return None;
                }
                Value::Resource(_) => return None,
                Value::Absent | Value::Text(_) | Value::List(_) | Value::Map(_) => {}
            }
        }
        Some(left == right)
    }

    /// `deciding` if one part is that; its opposite if all are; otherwise nobody knows.
    fn joined(&mut self, parts: &[Arc<Node>], scope: &Scope, deciding: bool) -> Option<bool> {
        let mut all = Some(!deciding);
        for part in parts {
            match self.condition(part, scope) {
                Some(holds) if holds == deciding => return Some(deciding),
                Some(_) => {}
                None => all = None,
            }
        }
        all
    }
}
