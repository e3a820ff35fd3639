use std::fmt::Write;

use super::*;

#[test]
fn the_project_s_usage_is_good() {
    let file = UsageFile::embedded().unwrap();
    let names: Vec<_> = file.profiles.keys().map(String::as_str).collect();
    assert_eq!(names, ["busy", "idle", "learning", "small"]);
    assert_eq!(file.default_profile, "learning");
    for metric in METRICS {
        assert!(
            file.profiles["busy"].figures.contains_key(metric.key),
            "{} is in no profile",
            metric.key
        );
    }
}

#[test]
fn a_resource_s_own_figure_goes_first() {
    let file = UsageFile::parse(
        "profile = 'p'\n[profiles.p.lambda]\nrequests = 1_000\n\
         [profiles.p.resources.'api.F']\nlambda.requests = 5\n[profiles.p.resources.G.lambda]\nrequests = '0.5'\n",
    )
    .unwrap();
    let profile = file.profile("p").unwrap();
    for (stack, resource, expected) in
        [("api", "F", "5"), ("web", "F", "1000"), ("web", "G", "0.5")]
    {
        let figure = profile.figure(stack, resource, "lambda.requests");
        assert_eq!(figure.to_string(), expected, "{stack}.{resource}");
    }
    assert_eq!(profile.figure("api", "F", "sns.publishes"), Decimal::ZERO);
}

#[test]
fn errors_have_a_line_and_the_choices() {
    let mut all = String::new();
    for text in [
        "",
        "profile = 'p'",
        "profile = 'q'\n[profiles.p.lambda]\nrequests = 1",
        "profil = 'p'",
        "profile = 1",
        "[profiles.p]\n\nlambda = 5",
        "[profiles.p]\nlambda = { request = 5 }",
        "[profiles.p]\nlamda = { requests = 5 }",
        "[profiles.p]\nlambda = { requests = -5 }",
        "[profiles.p]\nlambda = { requests = 1e30 }",
        "[profiles.p]\nlambda = { requests = inf }",
        "[profiles.p]\nlambda = { requests = 0xFF }",
        "[profiles.p]\nlambda = { requests = true }",
        "[profiles.p]\nlambda = {",
        "[account]\nplan = 'gold'",
        "[account]\nplan = 'credits'",
        "[account]\nplan = 'credits'\ncredits = 5\nopened = 'soon'",
        "[account]\nbalance = 5",
    ] {
        let error = UsageFile::parse(text).unwrap_err();
        writeln!(all, "{text:?}\n  → {error}").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn accounts() {
    for (text, expected) in [
        ("", Account::AlwaysFree),
        ("[account]\nplan = 'twelve-months'\n", Account::TwelveMonths),
        (
            "[account]\nplan = 'credits'\ncredits = 100.50\nopened = 2026-10-01\n",
            Account::Credits(Credits {
                balance: "100.50".parse().unwrap(),
                opened: time::macros::date!(2026 - 10 - 01),
            }),
        ),
    ] {
        let text = format!("profile = 'p'\n{text}[profiles.p]\n");
        assert_eq!(UsageFile::parse(&text).unwrap().account, expected, "{text}");
    }
}

#[test]
fn the_documents_name_every_figure() {
    let document = include_str!("../../../../docs/cost.md");
    for metric in METRICS {
        let row = format!(
            "| `{}` | {} | {} |",
            metric.key, metric.unit, metric.meaning
        );
        assert!(document.contains(&row), "docs/cost.md lacks the row\n{row}");
    }
}
