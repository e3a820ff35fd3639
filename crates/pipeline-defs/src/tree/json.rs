use super::Tree;

impl Tree {
    /// The document as JSON, two spaces an indent, with a line end.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write(&mut out, self, 0);
        out.push('\n');
        out
    }

    /// The document as JSON in one line, with no more space than it needs: how it stands inside another string.
    pub fn to_compact_json(&self) -> String {
        match self {
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::to_compact_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{}:{}", quoted(key), value.to_compact_json()))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
            Self::Commented(_, inner) => inner.to_compact_json(),
            Self::Tagged(tag, inner) => {
                format!("{{{}:{}}}", quoted(tag.long()), inner.to_compact_json())
            }
            leaf => leaf_of(leaf),
        }
    }
}

fn write(out: &mut String, tree: &Tree, depth: usize) {
    let indent = "  ".repeat(depth + 1);
    let end = "  ".repeat(depth);
    match tree {
        Tree::List(items) if !items.is_empty() => {
            out.push_str("[\n");
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ",\n" });
                out.push_str(&indent);
                write(out, item, depth + 1);
            }
            out.push('\n');
            out.push_str(&end);
            out.push(']');
        }
        Tree::Map(entries) if !entries.is_empty() => {
            out.push_str("{\n");
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ",\n" });
                out.push_str(&indent);
                out.push_str(&quoted(key));
                out.push_str(": ");
                write(out, value, depth + 1);
            }
            out.push('\n');
            out.push_str(&end);
            out.push('}');
        }
        Tree::Commented(_, inner) => write(out, inner, depth),
        Tree::Tagged(tag, inner) => {
            out.push('{');
            out.push_str(&quoted(tag.long()));
            out.push_str(": ");
            write(out, inner, depth + 1);
            out.push('}');
        }
        leaf => out.push_str(&leaf_of(leaf)),
    }
}

fn leaf_of(tree: &Tree) -> String {
    match tree {
        Tree::Bool(bool) => bool.to_string(),
        Tree::Int(int) => int.to_string(),
        Tree::Text(text) | Tree::Lines(text) | Tree::Pinned(text, _) => quoted(text),
        Tree::List(_) => "[]".to_owned(),
        Tree::Map(_) => "{}".to_owned(),
        Tree::Commented(_, inner) | Tree::Tagged(_, inner) => leaf_of(inner),
    }
}

/// A JSON string, with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
