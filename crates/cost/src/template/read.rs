//! From YAML or JSON to a tree, in bounded time and memory.
//!
//! Aliases are kept as one shared node: a document that doubles itself twenty times takes no more room than it has
//! letters. What walks the tree counts its steps.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::node::{Kind, Node};

/// The most that a document may have, in bytes. CloudFormation takes 1 MB, from a bucket.
///
/// See [quotas](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
pub const BYTES_MAX: usize = 4_000_000;

/// How deep a document may be nested, aliases included.
pub const DEPTH_MAX: usize = 100;

/// How many keys, values and items a document may have.
pub const NODES_MAX: usize = 500_000;

/// A document that is no template. It shows as `line <line>: <what is wrong>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct ReadError {
    /// The line, from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl ReadError {
    pub(super) fn new(line: impl Into<Option<usize>>, message: impl Into<String>) -> Self {
        Self {
            line: line.into(),
            message: message.into(),
        }
    }
}

/// The first document of a text.
pub(super) fn document(text: &str) -> Result<Arc<Node>, ReadError> {
    if text.len() > BYTES_MAX {
        let message = format!(
            "the text has {} bytes; {BYTES_MAX} are read at most",
            text.len()
        );
        return Err(ReadError::new(None, message));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match Reader::default().read(text) {
        // JSON is nearly YAML: tabs between its tokens and pairs of surrogates are what YAML lacks.
        Err(error) if text.trim_start().starts_with('{') => match serde_json::from_str(text) {
            Ok(value) => json(value),
            Err(_) => Err(error),
        },
        result => result,
    }
}

/// A tree without lines. serde_json bounds the depth itself, at 128.
fn json(value: serde_json::Value) -> Result<Arc<Node>, ReadError> {
    use serde_json::Value;
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(bool) => Kind::Text(bool.to_string()),
        Value::Number(number) => Kind::Text(number.to_string()),
        Value::String(text) => Kind::Text(text),
        Value::Array(items) => Kind::List(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Value::Object(entries) => Kind::Map(
            (entries.into_iter())
                .map(|(key, value)| Ok((key, json(value)?)))
                .collect::<Result<_, ReadError>>()?,
        ),
    };
    finished(1, kind)
}

fn finished(line: usize, kind: Kind) -> Result<Arc<Node>, ReadError> {
    let node = Node::new(line, kind);
    if node.height > DEPTH_MAX {
        let message = format!("this is nested more than {DEPTH_MAX} deep");
        return Err(ReadError::new(line, message));
    }
    Ok(Arc::new(node))
}

/// A list or a map whose end has not been seen.
struct Open {
    line: usize,
    anchor: usize,
    function: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Arc<Node>>),
    Map {
        entries: Vec<(String, Arc<Node>)>,
        seen: HashSet<String>,
        key: Option<String>,
    },
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Arc<Node>>,
    nodes: usize,
    root: Option<Arc<Node>>,
}

impl Reader {
    fn read(mut self, text: &str) -> Result<Arc<Node>, ReadError> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                let message = format!("this is not YAML: {}", error.info());
                ReadError::new(error.marker().line(), message)
            })?;
            let line = span.start.line();
            self.nodes += 1;
            if self.nodes > NODES_MAX {
                let message = format!("there are more than {NODES_MAX} keys, values and items");
                return Err(ReadError::new(line, message));
            }
            if self.open.len() > DEPTH_MAX {
                let message = format!("this is nested more than {DEPTH_MAX} deep");
                return Err(ReadError::new(line, message));
            }
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let function = function(tag.as_deref(), line)?;
                    let node = finished(line, scalar(text, style))?;
                    self.add(node, anchor, function, line)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.start(line, anchor, tag.as_deref(), Content::List(Vec::new()))?;
                }
                Event::MappingStart(anchor, tag) => {
                    let content = Content::Map {
                        entries: Vec::new(),
                        seen: HashSet::new(),
                        key: None,
                    };
                    self.start(line, anchor, tag.as_deref(), content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Alias(anchor) => {
                    // An anchor is known when its node has ended, so that an alias inside it finds nothing.
                    let node = self.anchors.get(&anchor).cloned().ok_or_else(|| {
                        ReadError::new(line, "this alias stands inside what it stands for")
                    })?;
                    self.add(node, 0, None, line)?;
                }
                Event::DocumentStart(_) if self.root.is_some() => {
                    return Err(ReadError::new(line, "a second document starts here"));
                }
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
            }
        }
        self.root
            .ok_or_else(|| ReadError::new(None, "there is nothing in it"))
    }

    fn start(
        &mut self,
        line: usize,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), ReadError> {
        self.open.push(Open {
            line,
            anchor,
            function: function(tag, line)?,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReadError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let kind = match open.content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map(entries),
        };
        let node = finished(open.line, kind)?;
        self.add(node, open.anchor, open.function, open.line)
    }

    /// A node that is whole goes to what is open, or is the document.
    fn add(
        &mut self,
        node: Arc<Node>,
        anchor: usize,
        function: Option<String>,
        line: usize,
    ) -> Result<(), ReadError> {
        let node = match function {
            Some(name) => finished(line, Kind::Map(vec![(name, node)]))?,
            None => node,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, seen, key }) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                } else {
                    let text = match &node.kind {
                        Kind::Text(text) => text.clone(),
                        Kind::Null => String::new(),
                        Kind::List(_) | Kind::Map(_) => {
                            return Err(ReadError::new(line, "a key is not text"));
                        }
                    };
                    if !seen.insert(text.clone()) {
                        let shown: String = text.chars().take(80).collect();
                        return Err(ReadError::new(
                            line,
                            format!("the key `{shown}` stands here twice"),
                        ));
                    }
                    *key = Some(text);
                }
            }
        }
        Ok(())
    }
}

/// `!Ref` and `!Condition` keep their names, `!Sub` is `Fn::Sub`; YAML's own tags say nothing here.
fn function(tag: Option<&Tag>, line: usize) -> Result<Option<String>, ReadError> {
    let Some(tag) = tag else {
        return Ok(None);
    };
    if tag.is_yaml_core_schema() || tag.handle != "!" {
        return Ok(None);
    }
    match tag.suffix.as_str() {
        "" => Ok(None),
        "Ref" | "Condition" => Ok(Some(tag.suffix.clone())),
        name if name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Ok(Some(format!("Fn::{name}")))
        }
        name => {
            let shown: String = name.chars().take(40).collect();
            Err(ReadError::new(
                line,
                format!("`!{shown}` is no function of CloudFormation"),
            ))
        }
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Kind {
    if style != ScalarStyle::Plain {
        return Kind::Text(text.into_owned());
    }
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "True" | "TRUE" => Kind::Text("true".to_owned()),
        "False" | "FALSE" => Kind::Text("false".to_owned()),
        _ => Kind::Text(text.into_owned()),
    }
}
