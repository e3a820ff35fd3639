use super::*;

#[track_caller]
fn root(text: &str) -> Arc<Node> {
    read::document(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A tree as one line, each scalar with its line.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Text(text) => format!("{text}@{}", node.line),
        Kind::List(items) => {
            let items: Vec<_> = items.iter().map(|item| shown(item)).collect();
            format!("[{}]", items.join(" "))
        }
        Kind::Map(entries) => {
            let entries: Vec<_> = (entries.iter())
                .map(|(key, value)| format!("{key}={}", shown(value)))
                .collect();
            format!("{{{}}}", entries.join(" "))
        }
    }
}

#[test]
fn yaml_and_json_are_one_tree() {
    for (text, expected) in [
        ("a: 1\nb:\n  - x\n  - ~\n", "{a=1@1 b=[x@3 null]}"),
        ("{\"a\": 1,\n\"b\": [\"x\", null]}", "{a=1@1 b=[x@2 null]}"),
        ("{\n\t\"a\":\t\"\\ud83d\\ude00\"}", "{a=😀@1}"),
        (
            "a: !Ref B\nc: !GetAtt D.E",
            "{a={Ref=B@1} c={Fn::GetAtt=D.E@2}}",
        ),
        (
            "a: !Sub\n  - ${X}\n  - X: !Ref Y\n",
            "{a={Fn::Sub=[${X}@2 {X={Ref=Y@3}}]}}",
        ),
        (
            "a: True\nb: 'null'\nc: !!str 5",
            "{a=true@1 b=null@2 c=5@3}",
        ),
        ("a: &x {k: v}\nb: *x", "{a={k=v@1} b={k=v@1}}"),
        ("\u{feff}a: |\n  two\n  lines\n", "{a=two\nlines\n@2}"),
    ] {
        assert_eq!(shown(&root(text)), expected, "{text}");
    }
}

#[test]
fn what_is_no_template_is_one_clear_error() {
    let deep = "[".repeat(200);
    let deep_block = (0..200)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect::<Vec<_>>()
        .concat();
    let wide = "- a\n".repeat(NODES_MAX);
    let long = " ".repeat(BYTES_MAX + 1);
    // Each alias stands for the one before, one level deeper.
    let chain = (1..200)
        .map(|step| format!("a{step}: &a{step} [*a{}]\n", step - 1))
        .collect::<Vec<_>>()
        .concat();
    for (text, expected) in [
        ("", "there is nothing in it"),
        ("- a", "line 1: this is not keys and values"),
        ("a: b", "there is no section `Resources`"),
        (
            "Resources: []",
            "line 1: `Resources` is not keys and values",
        ),
        (
            "Resources:\n  A: {}\n  A: {}\n",
            "line 3: the key `A` stands here twice",
        ),
        (
            "Resources: {}\n---\nResources: {}\n",
            "line 2: a second document starts here",
        ),
        ("Resources:\n  ? [a]\n  : b\n", "line 2: a key is not text"),
        (
            "Resources: !No-Function {}",
            "line 1: `!No-Function` is no function of CloudFormation",
        ),
        (
            "Resources: &a [*a]",
            "line 1: this alias stands inside what it stands for",
        ),
        (&deep, "line 1: this is nested more than 100 deep"),
        (&deep_block, "line 101: this is nested more than 100 deep"),
        (
            &wide,
            "line 499998: there are more than 500000 keys, values and items",
        ),
        (
            &long,
            "the text has 4000001 bytes; 4000000 are read at most",
        ),
        (
            &format!("a0: &a0 [x]\n{chain}"),
            "line 100: this is nested more than 100 deep",
        ),
    ] {
        let error = Template::parse(text).unwrap_err().to_string();
        assert_eq!(error, expected, "{}", &text[..text.len().min(60)]);
    }
    for text in ["a: b: c", "{", "a: [", "\"", "%YAML 9.9", "a: *nobody"] {
        let error = Template::parse(text).unwrap_err().to_string();
        assert!(error.contains("this is not YAML"), "{text}: {error}");
    }
}

#[test]
fn aliases_of_aliases_take_no_room() {
    let laughs = (1..60)
        .map(|step| format!("a{step}: &a{step} [*a{0}, *a{0}, *a{0}, *a{0}]\n", step - 1))
        .collect::<Vec<_>>()
        .concat();
    let text = format!("a0: &a0 [x]\n{laughs}Resources: {{A: {{Type: T}}}}\n");
    assert_eq!(Template::parse(&text).unwrap().declared(), 1);
}
