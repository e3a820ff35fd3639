use super::Tree;
use super::json::quoted;

impl Tree {
    /// The document as YAML: block style, two spaces an indent, strings quoted where they must be.
    pub fn to_yaml(&self) -> String {
        self.to_yaml_at(0)
    }

    /// The same, each line indented by so many spaces: a part of a larger document.
    pub fn to_yaml_at(&self, indent: usize) -> String {
        let mut out = String::new();
        entries(&mut out, self, indent);
        out
    }
}

/// A whole map or list, line by line.
fn entries(out: &mut String, tree: &Tree, indent: usize) {
    let pad = " ".repeat(indent);
    match tree {
        Tree::Map(map) if !map.is_empty() => {
            for (key, value) in map {
                let value = commented(out, &pad, value);
                push(out, &[&pad, &scalar(key), ":"]);
                below(out, value, indent);
            }
        }
        Tree::List(items) if !items.is_empty() => {
            for item in items {
                let item = commented(out, &pad, item);
                if let Tree::Map(map) = item
                    && !map.is_empty()
                {
                    // The first key stands on the line of the dash, unless a comment is above it.
                    let mut inner = String::new();
                    entries(&mut inner, item, indent + 2);
                    if inner.trim_start().starts_with('#') {
                        push(out, &[&pad, "-\n", &inner]);
                    } else {
                        push(out, &[&pad, "- ", &inner[indent + 2..]]);
                    }
                } else {
                    push(out, &[&pad, "-"]);
                    below(out, item, indent);
                }
            }
        }
        leaf => push(out, &[&pad, &inline(leaf), "\n"]),
    }
}

fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

/// Writes the comments above a value, and returns the value.
fn commented<'a>(out: &mut String, pad: &str, tree: &'a Tree) -> &'a Tree {
    match tree {
        Tree::Commented(comment, inner) => {
            for line in comment.lines() {
                push(out, &[pad, "# ", line, "\n"]);
            }
            commented(out, pad, inner)
        }
        _ => tree,
    }
}

/// What comes after `key:` or `-`.
fn below(out: &mut String, tree: &Tree, indent: usize) {
    match tree {
        Tree::Tagged(tag, inner) => {
            push(out, &[" ", tag.short()]);
            below(out, inner, indent);
        }
        Tree::Lines(text) if is_block(text) => {
            let pad = " ".repeat(indent + 2);
            out.push_str(" |\n");
            for line in text.lines() {
                let pad = if line.is_empty() { "" } else { &pad };
                push(out, &[pad, line, "\n"]);
            }
        }
        Tree::Map(_) | Tree::List(_) if !tree.is_empty() => {
            out.push('\n');
            entries(out, tree, indent + 2);
        }
        leaf => push(out, &[" ", &inline(leaf), "\n"]),
    }
}

/// Whether a text can stand line by line: it ends with one line end, and its first line needs no mark of its indent.
fn is_block(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let printable = |c: char| c == '\n' || (' '..='~').contains(&c);
    !first.is_empty()
        && !first.starts_with(' ')
        && text.ends_with('\n')
        && !text.ends_with("\n\n")
        && text.chars().all(printable)
}

fn inline(tree: &Tree) -> String {
    match tree {
        Tree::Bool(bool) => bool.to_string(),
        Tree::Int(int) => int.to_string(),
        Tree::Text(text) => scalar(text),
        Tree::Pinned(text, comment) => [&scalar(text), " # ", comment].concat(),
        Tree::Lines(text) => double_quoted(text),
        Tree::List(_) => "[]".to_owned(),
        Tree::Map(_) => "{}".to_owned(),
        Tree::Commented(_, inner) => inline(inner),
        Tree::Tagged(tag, inner) => [tag.short(), " ", &inline(inner)].concat(),
    }
}

/// A string, quoted unless it can be nothing else.
fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        double_quoted(text)
    }
}

/// Whether every YAML reader takes the bare text for this very string. Narrower than YAML is, on purpose.
fn is_plain(text: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '/';
    let word = |c: char| c.is_ascii_alphanumeric() || " _-./:+=@,()$'\"*|<>;!%~^&".contains(c);
    let reserved = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    text.starts_with(starts)
        && text.chars().all(word)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

/// JSON's quoting is YAML's too, but for characters that YAML does not print.
fn double_quoted(text: &str) -> String {
    let mut out = String::new();
    for c in quoted(text).chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push_str("\\u");
                for shift in [12, 8, 4, 0] {
                    let digit = (u32::from(c) >> shift) & 0xf;
                    out.extend(char::from_digit(digit, 16));
                }
            }
            c => out.push(c),
        }
    }
    out
}
