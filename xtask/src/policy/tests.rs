use std::path::{Path, PathBuf};

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rules() -> Rules {
    Rules::load(&root().join("cloudformation/rules")).unwrap()
}

/// What the rules have against an example.
fn against(rule: &str, example: &str) -> Vec<Finding> {
    let path = root()
        .join("cloudformation/rules/examples")
        .join(rule)
        .join(example);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("rule `{rule}` has no example {example}: {error}"));
    if rule == secrets::RULE {
        return secrets::findings(example, &text);
    }
    let template = Template::parse(&text, &path).unwrap();
    of_template(example, &template, &rules()).unwrap()
}

#[test]
fn every_rule_has_an_example_that_passes_and_one_that_fails() {
    let mut names = rules().names();
    assert!(names.len() > 10, "{names:?}");
    names.insert(secrets::RULE.to_owned());
    names.insert("allowed".to_owned());
    for rule in names {
        let passes = against(&rule, "passes.yaml");
        assert!(passes.is_empty(), "{rule}: {passes:?}");
        let fails = against(&rule, "fails.yaml");
        let own: Vec<_> = fails.iter().filter(|one| one.rule == rule).collect();
        assert!(!own.is_empty(), "{rule} finds nothing: {fails:?}");
        for finding in own {
            assert!(finding.line.is_some_and(|line| line > 1), "{finding}");
            assert!(
                !finding.reason.is_empty() && !finding.fix.is_empty(),
                "{finding}"
            );
        }
    }
}

#[test]
fn what_no_policy_names_is_told() {
    let text = "
Resources:
  Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: Delete, UpdateReplacePolicy: Retain}
  Named: {Type: AWS::SNS::Topic}
  NamedPolicy: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: [!Ref Named], PolicyDocument: {}}}
  Topic: {Type: AWS::SNS::Topic}
";
    let path = Path::new("t.yaml");
    let template = Template::parse(text, path).unwrap();
    let found = of_template("t.yaml", &template, &rules()).unwrap();
    let without: Vec<_> = found
        .iter()
        .filter(|finding| finding.reason.contains("has no policy"))
        .map(|finding| format!("{:?} {} {:?}", finding.line, finding.rule, finding.resource))
        .collect();
    assert_eq!(
        without,
        [
            r#"Some(3) bucket_takes_tls_alone Some("Bucket")"#,
            r#"Some(6) topic_takes_tls_alone Some("Topic")"#
        ]
    );
}

#[test]
fn a_rule_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "let buckets = Resources.*[ Type == 'AWS::S3::Bucket'\nrule half when";
    std::fs::write(folder.path().join("broken.guard"), broken).unwrap();
    let good = root().join("cloudformation/rules/storage.guard");
    std::fs::copy(good, folder.path().join("storage.guard")).unwrap();
    let rules = Rules::load(folder.path()).unwrap();
    let template = Template::parse(
        "Resources: {A: {Type: AWS::S3::Bucket}}",
        Path::new("t.yaml"),
    );
    let error = of_template("t.yaml", &template.unwrap(), &rules).unwrap_err();
    assert!(error.message.contains("cannot hold `t.yaml`"), "{error:?}");
}

#[test]
fn the_examples_are_those_of_rules() {
    let mut names = rules().names();
    names.extend([secrets::RULE.to_owned(), "allowed".to_owned()]);
    for folder in folders(&root().join("cloudformation/rules/examples")).unwrap() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert!(names.contains(&name), "no rule is called `{name}`");
    }
}

#[test]
fn what_is_found_is_told_in_a_line_and_no_secret_is_shown() {
    let told: Vec<_> = [
        "allowed",
        "bucket_is_private",
        "iam_names_its_actions",
        secrets::RULE,
    ]
    .into_iter()
    .flat_map(|rule| against(rule, "fails.yaml"))
    .map(|finding| finding.to_string())
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_project_keeps_its_own_rules() {
    let project = crate::project::Project::locate().unwrap();
    let found: Vec<_> = findings(&project)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn prod_is_protected_unless_it_says_otherwise() {
    let config = |protect: &str| {
        let text = format!(
            "[project]\nname = \"pp\"\nrepository = \"https://github.com/e/p\"\n[environments.prod]\nkind = \"aws\"\nregions = [\"eu-west-2\"]\n{protect}"
        );
        protection(&Config::parse(&text, Path::new("stackway.toml")).unwrap())
    };
    assert_eq!(config(""), None);
    assert_eq!(config("protect = false").unwrap().line, Some(4));
}
