use std::fmt::Write;

use super::*;

const GOOD: &str = include_str!("../../../../stackway.toml");

const BASE: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.local]
kind = "local"
regions = ["eu-west-2"]
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("stackway.toml"))
}

/// The error of `text`, as a person reads it.
#[track_caller]
fn refused(text: &str) -> String {
    match parse(text) {
        Ok(config) => panic!("accepted: {config:?}\n{text}"),
        Err(error) => shown(&error),
    }
}

fn shown(error: &ConfigError) -> String {
    let hint = error
        .hint()
        .map(|hint| format!("\n  hint: {hint}"))
        .unwrap_or_default();
    format!("{error}{hint}")
}

#[test]
fn the_project_s_file_is_good() {
    let config = parse(GOOD).unwrap();
    let local = config.environment("local").unwrap();
    assert_eq!(local.kind, EnvironmentKind::Local);
    assert_eq!(local.accounts, [AccountId::local()]);
    let prod = config.environment("prod").unwrap();
    assert_eq!(prod.delivery, Delivery::Pipeline);
    assert_eq!(prod.parameters["table"]["PointInTimeRecovery"], "true");
}

#[test]
fn everything_that_an_environment_may_say() {
    let text = format!(
        "{BASE}
[environments.prod]
kind = \"aws\"
accounts = [\"123456789012\"]
regions = [\"eu-west-2\", \"us-east-1\"]
delivery = \"pipeline\"
tags = {{ team = \"payments\" }}
parameters.table = {{ ReadCapacity = \"5\" }}
with = [\"github\"]
without = [\"guardrails\"]
[environments.prod.stacks]
table = {{ place = \"stack\" }}
api = {{ place = \"stack-set\", organizational_units = [\"ou-ab12-11111111\"], regions = [\"eu-west-1\"] }}
"
    );
    let config = parse(&text).unwrap();
    insta::assert_debug_snapshot!(config.environment("prod").unwrap());
}

#[test]
fn a_local_environment_has_an_account_of_its_own() {
    let config = parse(BASE).unwrap();
    assert_eq!(
        config.environment("local").unwrap().accounts,
        [AccountId::local()]
    );
}

/// The least that a stack set over accounts says, and over units.
const GROUND: &str = "accounts = [\"111111111111\"], regions = [\"eu-west-2\"]";
const UNITS: &str = "place = \"stack-set\", organizational_units = [\"ou-ab12-11111111\"], regions = [\"eu-west-2\"]";

#[test]
fn everything_that_a_stack_set_may_say() {
    let text = format!(
        "{BASE}
[environments.staging]
kind = \"aws\"
accounts = [\"111111111111\", \"222222222222\"]
regions = [\"eu-west-2\"]
[environments.staging.stacks.table]
place = \"stack-set\"
accounts = [\"111111111111\", \"222222222222\"]
regions = [\"eu-west-1\", \"eu-west-2\"]
region_order = [\"eu-west-2\"]
region_concurrency = \"parallel\"
failure_tolerance = 1
max_concurrent = \"50%\"
concurrency_mode = \"soft\"
administration_role = \"arn:aws:iam::111111111111:role/Administration\"
execution_role = \"Execution\"
[environments.staging.stacks.table.overrides.222222222222.eu-west-1]
PointInTimeRecovery = \"false\"
[environments.staging.stacks.api]
place = \"stack-set\"
organizational_units = [\"r-ab12\"]
regions = [\"eu-west-2\"]
call_as = \"delegated-admin\"
auto_deployment = true
"
    );
    let config = parse(&text).unwrap();
    let environment = config.environment("staging").unwrap();
    insta::assert_debug_snapshot!(environment.stacks);
    let Placement::StackSet(table) = environment.placement("table") else {
        panic!("{environment:?}");
    };
    assert_eq!(table.targets().pairs.len(), 4);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: one entry a case")]
fn every_error_names_the_line_and_the_choices() {
    let local = |line: &str| format!("{BASE}{line}\n");
    let aws = |lines: &str| format!("{BASE}[environments.prod]\nkind = \"aws\"\n{lines}\n");
    let placed = |value: &str| {
        aws(&format!(
            "regions = [\"eu-west-2\"]\nstacks.table = {{ {value} }}"
        ))
    };
    let set = |value: &str| {
        aws(&format!(
            "accounts = [\"111111111111\"]\nregions = [\"eu-west-2\"]\nstacks.table = {{ place = \"stack-set\", {value} }}"
        ))
    };
    let cases = [
        ("not TOML", "[project\nname = 1".to_owned()),
        ("an empty file", String::new()),
        (
            "no environment",
            BASE.split("[environments").next().unwrap().to_owned() + "[environments]\n",
        ),
        ("an unknown key at the top", format!("{BASE}\n[proyect]\n")),
        (
            "an unknown key, nearly right",
            local("acounts = [\"000000000000\"]"),
        ),
        ("an unknown key, far off", local("colour = \"blue\"")),
        ("a key twice", local("kind = \"aws\"")),
        ("no kind", BASE.replace("kind = \"local\"\n", "")),
        ("an unknown kind", BASE.replace("\"local\"", "\"locale\"")),
        ("an unknown delivery", local("delivery = \"pipelines\"")),
        (
            "a region, nearly right",
            BASE.replace("eu-west-2", "eu-west-22"),
        ),
        (
            "a region in capitals",
            BASE.replace("eu-west-2", "EU-WEST-2"),
        ),
        ("a region, far off", BASE.replace("eu-west-2", "london")),
        ("no region", BASE.replace("\"eu-west-2\"", "")),
        (
            "with and without the same stack",
            local("with = [\"github\"]\nwithout = [\"github\"]"),
        ),
        (
            "a region twice",
            BASE.replace("\"eu-west-2\"", "\"eu-west-2\", \"eu-west-2\""),
        ),
        (
            "a region alone",
            BASE.replace("[\"eu-west-2\"]", "\"eu-west-2\""),
        ),
        (
            "an account too short",
            aws("accounts = [\n  \"123456789012\",\n  \"12345\",\n]\nregions = [\"eu-west-2\"]"),
        ),
        (
            "an account with hyphens",
            aws("accounts = [\"1234-5678-9012\"]\nregions = [\"eu-west-2\"]"),
        ),
        (
            "an account as a number",
            aws("accounts = [123456789012]\nregions = [\"eu-west-2\"]"),
        ),
        (
            "two accounts here",
            local("accounts = [\"000000000000\", \"111111111111\"]"),
        ),
        (
            "a project's name",
            BASE.replace("\"stackway\"", "\"Stack way\""),
        ),
        (
            "a repository with a password",
            BASE.replace("https://github.com/", "https://user:secret@github.com/"),
        ),
        (
            "a repository by SSH",
            BASE.replace("https://github.com/", "git@github.com:"),
        ),
        (
            "a repository that is a word",
            BASE.replace("https://github.com/example/", ""),
        ),
        (
            "an environment's name",
            BASE.replace("environments.local", "environments.Local_1"),
        ),
        (
            "a parameter of no stack",
            local("parameters.tabel = { A = \"b\" }"),
        ),
        (
            "a parameter that is no string",
            local("parameters.table = { DeletionProtection = true }"),
        ),
        (
            "a tag of Stackway's own",
            local("tags = { project = \"other\" }"),
        ),
        ("a tag of AWS", local("tags = { \"aws:team\" = \"a\" }")),
        ("a tag's value", local("tags = { team = \"a;b\" }")),
        (
            "a placement of no stack",
            local("stacks.tables = { place = \"stack\" }"),
        ),
        (
            "a placement without a place",
            placed("regions = [\"eu-west-2\"]"),
        ),
        ("an unknown place", placed("place = \"stackset\"")),
        (
            "a stack with targets",
            placed("place = \"stack\", regions = [\"eu-west-2\"]"),
        ),
        (
            "a stack set without targets",
            placed("place = \"stack-set\", regions = [\"eu-west-2\"]"),
        ),
        (
            "a stack set without regions",
            set("accounts = [\"111111111111\"]"),
        ),
        (
            "an account of another environment",
            set("accounts = [\"333333333333\"], regions = [\"eu-west-2\"]"),
        ),
        (
            "no account",
            set("accounts = [], regions = [\"eu-west-2\"]"),
        ),
        (
            "a region out of order",
            set(&format!("{GROUND}, region_order = [\"us-east-1\"]")),
        ),
        (
            "a tolerance in prod",
            set(&format!("{GROUND}, failure_tolerance = \"10%\"")),
        ),
        (
            "a tolerance below zero",
            set(&format!("{GROUND}, failure_tolerance = -1")),
        ),
        (
            "more than all accounts",
            set(&format!("{GROUND}, max_concurrent = \"110%\"")),
        ),
        (
            "a share without its sign",
            set(&format!("{GROUND}, max_concurrent = \"20\"")),
        ),
        (
            "no account at once",
            set(&format!("{GROUND}, max_concurrent = 0")),
        ),
        (
            "an amount that is none",
            set(&format!("{GROUND}, max_concurrent = true")),
        ),
        (
            "an unknown mode",
            set(&format!("{GROUND}, concurrency_mode = \"softly\"")),
        ),
        (
            "an unknown concurrency of regions",
            set(&format!("{GROUND}, region_concurrency = \"paralel\"")),
        ),
        (
            "a caller for accounts",
            set(&format!("{GROUND}, call_as = \"delegated-admin\"")),
        ),
        (
            "a role for units",
            placed(&format!("{UNITS}, execution_role = \"Execution\"")),
        ),
        (
            "an unknown caller",
            placed(&format!("{UNITS}, call_as = \"root\"")),
        ),
        (
            "something kept without auto-deployment",
            placed(&format!("{UNITS}, retain_on_removal = true")),
        ),
        (
            "values for another account",
            set(&format!(
                "{GROUND}, overrides.333333333333.eu-west-2 = {{ A = \"b\" }}"
            )),
        ),
        (
            "values for another region",
            set(&format!(
                "{GROUND}, overrides.111111111111.us-east-1 = {{ A = \"b\" }}"
            )),
        ),
        (
            "a value that is no string",
            set(&format!(
                "{GROUND}, overrides.111111111111.eu-west-2 = {{ A = 1 }}"
            )),
        ),
        (
            "a stack with preferences",
            placed("place = \"stack\", max_concurrent = 2"),
        ),
        (
            "a unit",
            placed(
                "place = \"stack-set\", organizational_units = [\"ou-1\"], regions = [\"eu-west-2\"]",
            ),
        ),
    ];
    let mut all = String::new();
    for (case, text) in cases {
        writeln!(all, "# {case}\n{}\n", refused(&text)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn an_environment_that_is_not_there() {
    let config = parse(GOOD).unwrap();
    let mut all = String::new();
    for name in ["stagin", "production", ""] {
        let error = config.environment(name).unwrap_err();
        assert!(
            matches!(error.kind(), ConfigErrorKind::UnknownEnvironment { choices, .. } if choices.len() == 5)
        );
        writeln!(all, "{}\n", shown(&error)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_file_that_is_not_there() {
    let error = Config::load(Path::new("no/such/stackway.toml")).unwrap_err();
    assert_eq!(error.kind(), &ConfigErrorKind::NotFound);
    insta::assert_snapshot!(shown(&error));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = parse(&text);
        let _ = parse(&format!("{BASE}{text}"));
    }

    #[test]
    fn no_value_panics(key in "[a-z]{1,8}", value in "\\PC{0,20}") {
        let _ = parse(&format!("{BASE}{key} = {value}"));
        let _ = parse(&format!("{BASE}tags = {{ {key} = \"{value}\" }}"));
    }
}
