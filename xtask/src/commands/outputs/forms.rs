//! Outputs as variables: for a shell, for a file of them, for GitHub's workflows.

use std::fmt::Write as _;

use clap::ValueEnum;

use super::AllOutputs;

/// A form of outputs as variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// NAME=value, a line each: a `.env` file, `docker run --env-file`
    Env,
    /// export NAME='value', to be read by `eval` or `source`
    Shell,
    /// What GitHub Actions takes at the end of $GITHUB_ENV or $GITHUB_OUTPUT
    Github,
}

/// The name of an output's variable: stack, then output, in capitals; said once where the output's name begins with the
/// stack's. `table` and `TableName` are `TABLE_NAME`, `api` and `FunctionName` are `API_FUNCTION_NAME`.
pub(crate) fn name(stack: &str, output: &str) -> String {
    let stack = words(stack);
    let output = words(output);
    if output.len() > stack.len() && output.starts_with(&stack) {
        output.join("_")
    } else {
        [stack, output].concat().join("_")
    }
}

/// The words of a name in capitals: parted by what is no letter or digit, and before a capital that begins a word.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let begins = letter.is_ascii_uppercase()
            && (before.is_some_and(|one| !one.is_ascii_uppercase())
                || after.is_some_and(char::is_ascii_lowercase));
        if begins || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Form {
    /// All outputs in this form, the stacks and their outputs in order.
    pub(crate) fn write(self, all: &AllOutputs) -> String {
        let mut out = String::new();
        for (stack, outputs) in all {
            for (output, value) in outputs {
                let name = name(stack, output);
                // Writing to a string cannot fail.
                let _ = match self {
                    Self::Env => writeln!(out, "{name}={}", dotenv(value)),
                    Self::Shell => writeln!(out, "export {name}={}", quoted(value)),
                    Self::Github if value.contains(['\n', '\r']) => {
                        let end = delimiter(value);
                        writeln!(out, "{name}<<{end}\n{value}\n{end}")
                    }
                    Self::Github => writeln!(out, "{name}={value}"),
                };
            }
        }
        out
    }
}

/// Quoted so that a POSIX shell reads the value and nothing else: single quotes keep everything but themselves.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Plain where that is the same to everything that reads such files, Docker's `--env-file` among them, which keeps quotes.
fn dotenv(value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:@%+,=".contains(letter);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    if !value.contains(['\'', '\n', '\r']) {
        return format!("'{value}'");
    }
    let mut out = String::from("\"");
    for letter in value.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '"' | '\\' | '$' | '`' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out + "\""
}

/// A line that the value does not have.
fn delimiter(value: &str) -> String {
    let mut end = "END".to_owned();
    while value.lines().any(|line| line == end) {
        end.push('_');
    }
    end
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::process::Command;

    use stackway_infra::stack_def::{STACK_SET_ROLES, STACKS};
    use stackway_infra::template::Template;

    use super::*;

    #[test]
    fn names() {
        for (stack, output, expected) in [
            ("table", "TableName", "TABLE_NAME"),
            ("api", "ApiUrl", "API_URL"),
            ("api", "FunctionName", "API_FUNCTION_NAME"),
            (
                "artifacts",
                "ArtifactBucketName",
                "ARTIFACTS_ARTIFACT_BUCKET_NAME",
            ),
            (
                "stack-set-execution",
                "ExecutionRoleName",
                "STACK_SET_EXECUTION_EXECUTION_ROLE_NAME",
            ),
            ("api", "Api", "API_API"),
            ("table", "TableARNs2", "TABLE_AR_NS2"),
        ] {
            assert_eq!(name(stack, output), expected, "{stack} {output}");
        }
    }

    /// Each output of each template has a name of its own, and keeps it: they are in the snapshot.
    #[test]
    fn the_names_of_all_outputs() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cloudformation");
        let mut names = BTreeMap::new();
        for def in STACKS.iter().chain(STACK_SET_ROLES) {
            let template = Template::load(&folder.join(format!("{}.yaml", def.name))).unwrap();
            for output in template.outputs.keys() {
                let of = format!("{}.{output}", def.name);
                let other = names.insert(name(def.name, output), of.clone());
                assert_eq!(other, None, "{of} has the name of another");
            }
        }
        let lines: Vec<_> = names
            .iter()
            .map(|(name, of)| format!("{name} {of}"))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    const ODD: [&str; 7] = [
        "http://127.0.0.1:4566/_aws/execute-api/1/%24default",
        "it's $HOME; `touch /tmp/no` \\ \"quoted\" #not a comment",
        "two\nlines",
        "",
        "$(exit 3)",
        " spaces around ",
        "ünïcode & <tags>",
    ];

    fn odd() -> AllOutputs {
        let outputs = ODD
            .iter()
            .zip(0..)
            .map(|(value, at)| (format!("V{at}"), (*value).to_owned()));
        AllOutputs::from([("odd", outputs.collect())])
    }

    /// A real shell reads what was written, and gets the values back byte for byte.
    #[track_caller]
    fn source(form: Form, before: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), form.write(&odd())).unwrap();
        let names = (0..ODD.len()).map(|at| format!("\"$ODD_V{at}\""));
        let printed = format!("printf '%s\\0' {}", names.collect::<Vec<_>>().join(" "));
        let script = format!("set -eu{before}; . \"$1\"; {printed}");
        let mut shell = Command::new("sh");
        let run = shell
            .args(["-c", &script, "sh"])
            .arg(file.path())
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        let text = String::from_utf8(run.stdout).unwrap();
        let values: Vec<&str> = text.strip_suffix('\0').unwrap().split('\0').collect();
        // In a `.env` file a line's end is written as dotenv's readers have it, which a shell keeps as two letters.
        let as_read = |value: &str| match form {
            Form::Env => value.replace('\n', "\\n"),
            _ => value.to_owned(),
        };
        assert_eq!(values, ODD.map(as_read));
    }

    #[test]
    fn a_shell_reads_the_values_back() {
        source(Form::Shell, "");
        source(Form::Env, "a");
    }

    #[test]
    fn what_github_reads() {
        let all = AllOutputs::from([(
            "api",
            BTreeMap::from([
                (
                    "ApiUrl".to_owned(),
                    "https://x.example/%24default".to_owned(),
                ),
                ("Notes".to_owned(), "one\nEND\ntwo".to_owned()),
            ]),
        )]);
        let expected =
            "API_URL=https://x.example/%24default\nAPI_NOTES<<END_\none\nEND\ntwo\nEND_\n";
        assert_eq!(Form::Github.write(&all), expected);
    }
}
