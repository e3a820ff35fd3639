use std::fmt;

use super::Resource;
use crate::tree::Tree;

/// A value of a configuration: literal text, pipeline variables and resources of the environment, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Part>);

/// A part of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Literal(String),
    /// What CodePipeline puts in while it runs: `#{namespace.name}`.
    Variable(Reference),
    /// What the environment calls it: an ARN, a name.
    Resource(Resource),
}

/// `#{namespace.name}`: an output variable of an action, a pipeline's variable (`#{variables.name}`), or one of
/// CodePipeline's own (`#{codepipeline.PipelineExecutionId}`).
///
/// See [variables](https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The action's namespace, `variables` or `codepipeline`.
    pub namespace: String,
    /// The variable in it.
    pub name: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{{{}.{}}}", self.namespace, self.name)
    }
}

impl Text {
    /// Its parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The variables that it reads.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(reference) => Some(reference),
            _ => None,
        })
    }

    /// `arn:<partition>:<service>:<region>:<account>:<resource>`, of the environment's own.
    pub fn arn(service: &str, resource: impl IntoIterator<Item = Text>) -> Self {
        let before = [
            "arn:".into(),
            Resource::Partition.into(),
            format!(":{service}:").into(),
            Resource::Region.into(),
            ":".into(),
            Resource::Account.into(),
            ":".into(),
        ];
        Self(
            before
                .into_iter()
                .chain(resource)
                .flat_map(|text: Self| text.0)
                .collect(),
        )
    }

    /// The text if it is literal throughout.
    pub fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The most characters that it can have as it is declared: variables as they are written, resources at their
    /// longest.
    pub fn longest(&self) -> usize {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.chars().count(),
                Part::Variable(reference) => reference.to_string().len(),
                Part::Resource(resource) => resource.longest(),
            })
            .sum()
    }

    /// The text with each part as `show` has it.
    pub fn write(&self, show: impl FnMut(&Part) -> String) -> String {
        self.0.iter().map(show).collect()
    }

    /// A JSON object of strings, as a configuration holds it: `{"name":"value"}`.
    ///
    /// Literals are escaped. What stands for a variable or a resource is put in later and as it is: both must be free
    /// of quotes and backslashes, which ids, names and ARNs are.
    pub fn json_object<'a>(entries: impl IntoIterator<Item = (&'a str, &'a Text)>) -> Self {
        let mut text = Self::default();
        text.literally("{");
        for (index, (name, value)) in entries.into_iter().enumerate() {
            text.literally(if index == 0 { "" } else { "," });
            text.literally(&Tree::text(name).to_compact_json());
            text.literally(":");
            text.quoted(value);
        }
        text.literally("}");
        text
    }

    /// A JSON list of texts that are JSON themselves.
    pub fn json_list(items: impl IntoIterator<Item = Text>) -> Self {
        let mut text = Self::default();
        text.literally("[");
        for (index, item) in items.into_iter().enumerate() {
            text.literally(if index == 0 { "" } else { "," });
            text.append(&item);
        }
        text.literally("]");
        text
    }

    fn quoted(&mut self, value: &Self) {
        self.literally("\"");
        for part in &value.0 {
            match part {
                Part::Literal(literal) => {
                    let quoted = Tree::text(literal.as_str()).to_compact_json();
                    self.literally(&quoted[1..quoted.len() - 1]);
                }
                other => self.0.push(other.clone()),
            }
        }
        self.literally("\"");
    }

    fn append(&mut self, other: &Self) {
        for part in &other.0 {
            match part {
                Part::Literal(literal) => self.literally(literal),
                other => self.0.push(other.clone()),
            }
        }
    }

    /// Adds literal text to the last literal, so that equal texts have equal parts.
    fn literally(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Literal(last)) => last.push_str(text),
            _ => self.0.push(Part::Literal(text.to_owned())),
        }
    }
}

/// Shows variables as CodePipeline writes them, and resources by their names in angle brackets.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(text),
            Part::Variable(reference) => write!(f, "{reference}"),
            Part::Resource(resource) => write!(f, "<{resource:?}>"),
        })
    }
}

/// Reads `#{namespace.name}` as a variable; one that is malformed stays literal, for the check to find.
impl From<&str> for Text {
    fn from(mut rest: &str) -> Self {
        let mut text = Self::default();
        while let Some(start) = rest.find("#{") {
            let inside = &rest[start + 2..];
            let reference = inside.find('}').and_then(|end| {
                let (namespace, name) = inside[..end].split_once('.')?;
                let word = |word: &str| {
                    let fits = |b: u8| b.is_ascii_alphanumeric() || b"@-_".contains(&b);
                    !word.is_empty() && word.bytes().all(fits)
                };
                (word(namespace) && word(name)).then(|| {
                    let reference = Reference {
                        namespace: namespace.to_owned(),
                        name: name.to_owned(),
                    };
                    (reference, end)
                })
            });
            if let Some((reference, end)) = reference {
                text.literally(&rest[..start]);
                text.0.push(Part::Variable(reference));
                rest = &inside[end + 1..];
            } else {
                text.literally(&rest[..start + 2]);
                rest = inside;
            }
        }
        text.literally(rest);
        text
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Resource> for Text {
    fn from(resource: Resource) -> Self {
        Self(vec![Part::Resource(resource)])
    }
}

/// One after the other.
impl<const N: usize> From<[Text; N]> for Text {
    fn from(texts: [Text; N]) -> Self {
        let mut all = Self::default();
        for text in &texts {
            all.append(text);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, references: &[&str]) {
        let parsed = Text::from(text);
        let found: Vec<_> = parsed.references().map(ToString::to_string).collect();
        assert_eq!(found, references, "{text}");
        assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn variables_are_found_where_they_are_well_formed() {
        check(
            "a #{SourceVariables.CommitId} b",
            &["#{SourceVariables.CommitId}"],
        );
        check("#{a.b}#{c.d}", &["#{a.b}", "#{c.d}"]);
        check("#{#{a.b}", &["#{a.b}"]);
        for malformed in [
            "#{", "#{a}", "#{.b}", "#{a.}", "#{a.b", "#{a b.c}", "# {a.b}", "",
        ] {
            check(malformed, &[]);
        }
    }

    #[test]
    fn json_in_json_is_escaped_once_a_level() {
        let overrides = Text::json_object([
            (
                "ImageUri",
                &Text::from([
                    Resource::ImageRepositoryUri.into(),
                    "@#{Image.Digest}".into(),
                ]),
            ),
            ("Quote", &Text::from("\"")),
        ]);
        let list = Text::json_list([Text::json_object([
            ("name", &"ParameterOverrides".into()),
            ("value", &overrides),
        ])]);
        let written = list.write(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Variable(reference) => reference.to_string(),
            Part::Resource(_) => "repository".to_owned(),
        });
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        let inner: serde_json::Value =
            serde_json::from_str(read[0]["value"].as_str().unwrap()).unwrap();
        assert_eq!(
            inner,
            serde_json::json!({"ImageUri": "repository@#{Image.Digest}", "Quote": "\""})
        );
    }

    proptest! {
        #[test]
        fn any_text_is_kept(text in "[#{}.a-c ]{0,24}") {
            prop_assert_eq!(Text::from(text.as_str()).to_string(), text);
        }
    }
}
