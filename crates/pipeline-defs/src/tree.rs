//! Documents before they are text: ordered, so that what is rendered reads in the order that a person expects.

mod json;
mod yaml;

/// A part of a document that can be written as JSON or as YAML.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A string.
    Text(String),
    /// A string of several lines, which YAML shows line by line.
    Lines(String),
    /// A string under a tag of CloudFormation's: `!Sub "…"`. Without YAML's short form it is `{"Fn::Sub": "…"}`.
    Tagged(Tag, Box<Tree>),
    /// A list.
    List(Vec<Tree>),
    /// Keys and values, in their order.
    Map(Vec<(String, Tree)>),
    /// A string with a comment behind it; JSON leaves the comment out.
    Pinned(String, &'static str),
    /// A comment above what follows in a map; JSON leaves it out.
    Commented(&'static str, Box<Tree>),
}

/// An intrinsic function of CloudFormation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// A string with `${…}` in it.
    Sub,
    /// The value of a parameter or resource.
    Ref,
    /// An attribute of a resource.
    GetAtt,
    /// One of two values, by a condition.
    If,
}

impl Tag {
    fn short(self) -> &'static str {
        match self {
            Self::Sub => "!Sub",
            Self::Ref => "!Ref",
            Self::GetAtt => "!GetAtt",
            Self::If => "!If",
        }
    }

    fn long(self) -> &'static str {
        match self {
            Self::Sub => "Fn::Sub",
            Self::Ref => "Ref",
            Self::GetAtt => "Fn::GetAtt",
            Self::If => "Fn::If",
        }
    }
}

impl Tree {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A map of what is there.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Tree)>) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }

    /// A list of strings.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(
            texts
                .into_iter()
                .map(|text| Self::Text(text.into()))
                .collect(),
        )
    }

    /// Adds an entry to a map; to anything else, nothing.
    pub fn insert(&mut self, key: impl Into<String>, value: Tree) {
        if let Self::Map(entries) = self {
            entries.push((key.into(), value));
        }
    }

    /// Adds an entry where there is a value.
    pub fn insert_some(&mut self, key: impl Into<String>, value: Option<Tree>) {
        if let Some(value) = value {
            self.insert(key, value);
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn value(tree: &Tree) -> Value {
        match tree {
            Tree::Bool(bool) => Value::Bool(*bool),
            Tree::Int(int) => Value::from(*int),
            Tree::Text(text) | Tree::Lines(text) | Tree::Pinned(text, _) => {
                Value::String(text.clone())
            }
            Tree::Tagged(tag, inner) => Value::Object(
                [(tag.long().to_owned(), value(inner))]
                    .into_iter()
                    .collect(),
            ),
            Tree::List(items) => items.iter().map(value).collect(),
            Tree::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, inner)| (key.clone(), value(inner)))
                    .collect(),
            ),
            Tree::Commented(_, inner) => value(inner),
        }
    }

    /// Strings that YAML reads as something else where they are not quoted, and any others.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("true".to_owned()),
            Just("on".to_owned()),
            Just("~".to_owned()),
            Just("1e3".to_owned()),
            Just("0x1f".to_owned()),
            Just("2012-10-17".to_owned()),
            Just("- a".to_owned()),
            Just("a: b".to_owned()),
            Just("a #b".to_owned()),
            Just("#{a.b}".to_owned()),
            Just("012".to_owned()),
            Just("1_000".to_owned()),
            Just("1:30".to_owned()),
            any::<String>(),
        ]
    }

    /// Lines as a command has them: they end with a line end and hold no other control characters.
    fn lines() -> impl Strategy<Value = String> {
        proptest::collection::vec("[ -~]{0,20}", 1..4).prop_map(|lines| {
            lines
                .iter()
                .flat_map(|line| {
                    [
                        line.trim_end(),
                        "
",
                    ]
                })
                .collect()
        })
    }

    fn trees() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Tree::Bool),
            any::<i64>().prop_map(Tree::Int),
            texts().prop_map(Tree::Text),
            lines().prop_map(Tree::Lines),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Tree::List),
                proptest::collection::btree_map(texts(), inner, 0..5).prop_map(Tree::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(tree in trees()) {
            let tree = Tree::map([("root", tree)]);
            let expected = value(&tree);
            prop_assert_eq!(&serde_json::from_str::<Value>(&tree.to_json()).unwrap(), &expected);
            let yaml = tree.to_yaml();
            let read: Value = serde_yaml_ng::from_str(&yaml).map_err(|error| TestCaseError::fail(format!("{error}\n{yaml}")))?;
            prop_assert_eq!(read, expected, "{}", yaml);
        }
    }

    #[test]
    fn a_document_reads_as_a_person_would_write_it() {
        let tree = Tree::map([
            ("version", Tree::text("0.2")),
            ("on", Tree::map([("push", Tree::texts(["main"]))])),
            (
                "role",
                Tree::Tagged(Tag::GetAtt, Box::new(Tree::text("Role.Arn"))),
            ),
            (
                "name",
                Tree::Tagged(Tag::Sub, Box::new(Tree::text("${Project}-a"))),
            ),
            (
                "choice",
                Tree::Tagged(
                    Tag::If,
                    Box::new(Tree::List(vec![
                        Tree::text("HasKey"),
                        Tree::Int(1),
                        Tree::Bool(false),
                    ])),
                ),
            ),
            (
                "run",
                Tree::Commented("why it runs", Box::new(Tree::Lines("a\n  b\n".to_owned()))),
            ),
            (
                "steps",
                Tree::List(vec![Tree::map([
                    ("uses", Tree::text("a@b")),
                    ("with", Tree::Map(Vec::new())),
                ])]),
            ),
        ]);
        insta::assert_snapshot!(tree.to_yaml());
    }
}
