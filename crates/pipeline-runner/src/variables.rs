use std::collections::BTreeMap;

use stackway_pipeline_defs::model::{Part, Reference, Text};

use crate::{Cloud, ErrorKind, RunError};

/// What `#{namespace.name}` stands for, by namespace, then by name.
pub type Namespaces = BTreeMap<String, BTreeMap<String, String>>;

/// Puts variables and resources into the texts of a definition.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    /// The values.
    pub namespaces: &'a Namespaces,
    /// What the environment calls its resources.
    pub cloud: &'a dyn Cloud,
}

impl Variables<'_> {
    /// The text with everything in it.
    ///
    /// # Errors
    /// A variable that has no value, by its name.
    pub fn text(&self, text: &Text) -> Result<String, RunError> {
        let mut all = String::new();
        for part in text.parts() {
            match part {
                Part::Literal(text) => all.push_str(text),
                Part::Resource(resource) => all.push_str(&self.cloud.value(*resource)?),
                Part::Variable(reference) => {
                    let value = self.value(reference).ok_or_else(|| {
                        let known = self.known(&reference.namespace);
                        RunError::new(
                            ErrorKind::Definition,
                            format!("variable `{reference}` has no value"),
                        )
                        .cause(known)
                        .hint(match reference.namespace.as_str() {
                            "variables" => format!("give it with --var {}=VALUE", reference.name),
                            _ => "run the stage that makes it, or start without --from".to_owned(),
                        })
                    })?;
                    all.push_str(value);
                }
            }
        }
        Ok(all)
    }

    /// The text; `None` where one of its variables has no value.
    pub(crate) fn text_if_known(&self, text: &Text) -> Result<Option<String>, RunError> {
        if text
            .references()
            .any(|reference| self.value(reference).is_none())
        {
            return Ok(None);
        }
        self.text(text).map(Some)
    }

    fn value(&self, reference: &Reference) -> Option<&str> {
        let names = self.namespaces.get(&reference.namespace)?;
        names.get(&reference.name).map(String::as_str)
    }

    fn known(&self, namespace: &str) -> String {
        match self.namespaces.get(namespace) {
            None => format!("nothing has made namespace `{namespace}` yet"),
            Some(names) => {
                let names: Vec<_> = names.keys().map(String::as_str).collect();
                format!("`{namespace}` has {}", names.join(", "))
            }
        }
    }
}
