//! `Fn::Sub`: text with names in it.

use std::sync::Arc;

use super::{Evaluator, Scope, Value};
use crate::template::Node;

impl Evaluator<'_> {
    /// The text with each `${name}` and `${resource.attribute}` replaced; `${!literal}` is `${literal}`.
    pub(super) fn sub(&mut self, argument: &Arc<Node>, scope: &Scope) -> Value {
        let line = argument.line;
        let (text, own) = match (argument.text(), argument.list()) {
            (Some(text), _) => (text, None),
            (None, Some([text])) => (text.text().unwrap_or_default(), None),
            (None, Some([text, own])) => (text.text().unwrap_or_default(), Some(own)),
            _ => {
                let why = "`Fn::Sub` takes text, or text and a map of names".to_owned();
                return self.missing(line, why);
            }
        };
        let mut made = String::new();
        let mut unknown = None;
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            made.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                let why = "`Fn::Sub` has a `${` without its `}`".to_owned();
                return self.missing(line, why);
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                made.push_str("${");
                made.push_str(literal);
                made.push('}');
                continue;
            }
            match self.substituted(name.trim(), own, line, scope) {
                Value::Text(text) => made.push_str(&text),
                Value::Absent => {}
                Value::Unknown(why) => unknown = unknown.or(Some(why)),
                Value::Resource(id) => {
                    let why = format!("the name of `{id}` is known after the deployment");
                    unknown = unknown.or(Some(super::Unknown::new(line, why)));
                }
                Value::List(_) | Value::Map(_) => {
                    return self.missing(line, format!("`${{{name}}}` in `Fn::Sub` is no text"));
                }
            }
            if made.len() > super::TEXT_MAX {
                self.text += made.len();
            }
            if self.spent(line) {
                return Value::unknown(line, super::TOO_LARGE);
            }
        }
        made.push_str(rest);
        self.text += made.len();
        match unknown {
            Some(why) => Value::Unknown(why),
            None => Value::Text(scope.substitute(&made)),
        }
    }

    fn substituted(
        &mut self,
        name: &str,
        own: Option<&Arc<Node>>,
        line: usize,
        scope: &Scope,
    ) -> Value {
        self.steps += 1 + own.map_or(0, |own| own.entries().len() / 8);
        if let Some(value) = own.and_then(|own| own.get(name)) {
            return self.value(value, scope);
        }
        match name.split_once('.') {
            Some((resource, attribute)) if !name.starts_with("AWS::") => {
                self.attribute(&scope.substitute(resource), attribute, line)
            }
            _ => self.reference(name, line, scope),
        }
    }
}
