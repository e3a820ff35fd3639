//! Where a key stands in the text. The YAML library's values do not remember it.

/// The line, from 1, of the key that `path` leads to in block style; of its nearest parent that is found, otherwise.
pub(super) fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let mut lines = text.lines().enumerate();
    let mut parent: Option<usize> = None;
    let mut found = None;
    for key in path {
        // The children of a key are indented alike: as far as the first of them.
        let mut level = None;
        let hit = lines.by_ref().find_map(|(number, line)| {
            let content = line.trim_start();
            if content.is_empty() || content.starts_with('#') {
                return None;
            }
            let indent = line.len() - content.len();
            if parent.is_some_and(|parent| indent <= parent) {
                return Some(None);
            }
            let level = *level.get_or_insert(indent);
            (indent == level && is_key(content, key)).then_some(Some((number + 1, indent)))
        });
        match hit.flatten() {
            Some((number, indent)) => {
                found = Some(number);
                parent = Some(indent);
            }
            None => break,
        }
    }
    found
}

fn is_key(content: &str, key: &str) -> bool {
    let unquoted = content.trim_start_matches(['"', '\'']);
    unquoted
        .strip_prefix(key)
        .map(|rest| rest.trim_start_matches(['"', '\'']))
        .is_some_and(|rest| rest == ":" || rest.starts_with(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_block_style() {
        let text = "# a\nParameters:\n  A:\n    Type: String\n\nResources:\n  # c\n  \"B\":\n    A: 1\n    Type: x\n  A: {}\n";
        let check = |path: &[&str], expected| assert_eq!(line_of(text, path), expected, "{path:?}");
        check(&["Resources"], Some(6));
        check(&["Resources", "B"], Some(8));
        check(&["Resources", "A"], Some(11));
        check(&["Resources", "B", "Type"], Some(10));
        check(&["Resources", "C"], Some(6));
        check(&["Parameters", "B"], Some(2));
        check(&["Outputs"], None);
        check(&[], None);
    }
}
