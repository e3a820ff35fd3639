use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;

use super::*;
use crate::cloud::fake::FakeCloud;

/// A cloud that answers as it is told to.
#[derive(Clone)]
struct Answers {
    fault: Result<Option<String>, CloudError>,
    limit: Result<Option<u32>, CloudError>,
    denied: Result<BTreeSet<String>, CloudError>,
    connection: ConnectionState,
    taken: Result<bool, CloudError>,
}

#[async_trait]
impl StackRules for Answers {
    async fn template_fault(&self, _: &str) -> Result<Option<String>, CloudError> {
        self.fault.clone()
    }
    async fn stack_limit(&self) -> Result<Option<u32>, CloudError> {
        self.limit.clone()
    }
    async fn stack_count(&self) -> Result<u32, CloudError> {
        Ok(5)
    }
}

#[async_trait]
impl Permissions for Answers {
    async fn role_arn(&self, name: &str) -> Result<String, CloudError> {
        Ok(format!("arn:aws:iam::1:role/path/{name}"))
    }
    async fn denied(&self, _: &str, _: &[&str]) -> Result<BTreeSet<String>, CloudError> {
        self.denied.clone()
    }
}

#[async_trait]
impl Connections for Answers {
    async fn connection(&self, _: &str) -> Result<ConnectionState, CloudError> {
        Ok(self.connection.clone())
    }
}

#[async_trait]
impl Names for Answers {
    async fn is_taken(&self, _: &str, _: &str) -> Result<bool, CloudError> {
        self.taken.clone()
    }
}

fn good() -> Answers {
    Answers {
        fault: Ok(None),
        limit: Ok(Some(2_000)),
        denied: Ok(BTreeSet::new()),
        connection: ConnectionState::Available,
        taken: Ok(false),
    }
}

fn refused(code: &str) -> CloudError {
    CloudError::Refused {
        operation: "service:Call",
        code: code.to_owned(),
        message: "no".to_owned(),
    }
}

const ROLE: &str = "arn:aws:sts::1:assumed-role/deployer/me";

/// The findings that are not `ok` (all where `all`), as `id severity`. `status` is the stack's; none: it is not there.
async fn run(
    answers: &Answers,
    status: Option<&str>,
    ours: bool,
    depth: Depth,
    caller: &str,
) -> Vec<String> {
    let tags: &[(&str, &str)] = if ours {
        &[
            ("project", "acme"),
            ("environment", "dev"),
            ("managed-by", "stackway"),
        ]
    } else {
        &[]
    };
    run_with(answers, status, tags, &[], depth, caller).await
}

async fn run_with(
    answers: &Answers,
    status: Option<&str>,
    tags: &[(&str, &str)],
    adopt: &[String],
    depth: Depth,
    caller: &str,
) -> Vec<String> {
    let text = "Resources:\n  B: {Type: \"AWS::S3::Bucket\", Properties: {BucketName: b}}\n\
                \x20 C: {Type: \"AWS::CodeConnections::Connection\"}\n";
    let template = Template::parse(text, Path::new("t.yaml")).unwrap();
    let naming = Naming {
        project: "acme".into(),
        region: "eu-west-2".into(),
        environment: "dev".into(),
    };
    let cloud = FakeCloud::new();
    if let Some(status) = status {
        cloud.put_stack("acme-api", status, &[]);
        cloud.put_resource(
            "acme-api",
            "C",
            "AWS::CodeConnections::Connection",
            "CREATE_COMPLETE",
        );
        cloud.put_tags("acme-api", tags);
    }
    let preflight = Preflight {
        stacks: &cloud,
        rules: answers,
        permissions: (!caller.is_empty()).then_some(answers as &dyn Permissions),
        connections: answers,
        names: answers,
        naming: &naming,
        caller_arn: caller,
        adopt,
    };
    let wanted = [WantedStack {
        label: "api",
        stack_name: "acme-api".to_owned(),
        template: &template,
        values: BTreeMap::new(),
    }];
    let findings = preflight.check(&wanted, depth).await.unwrap();
    assert_eq!(cloud.writes(), [""; 0], "a preflight only reads");
    for finding in &findings {
        assert_eq!(
            finding.fix.is_some(),
            finding.severity != Severity::Ok,
            "{finding:?}"
        );
    }
    let told = |finding: &Finding| format!("{} {}", finding.id, finding.severity.as_str());
    findings.iter().map(told).collect()
}

/// Only what is not `ok`.
async fn bad(answers: &Answers, status: Option<&str>) -> Vec<String> {
    let mut found = run(answers, status, true, Depth::Full, ROLE).await;
    found.retain(|finding| !finding.ends_with(" ok"));
    found
}

#[tokio::test]
async fn a_new_stack_is_looked_at_from_all_sides() {
    let all = [
        "stack-name ok",
        "template ok",
        "resource-name ok",
        "stack-quota ok",
        "iam-actions ok",
    ];
    assert_eq!(run(&good(), None, true, Depth::Deploy, ROLE).await, all);
    assert_eq!(
        run(
            &good(),
            Some("REVIEW_IN_PROGRESS"),
            false,
            Depth::Deploy,
            ROLE
        )
        .await,
        all
    );
}

#[tokio::test]
async fn before_a_deploy_a_standing_stack_costs_few_calls() {
    let few = ["stack-name ok", "connection ok"];
    assert_eq!(
        run(&good(), Some("UPDATE_COMPLETE"), true, Depth::Deploy, ROLE).await,
        few
    );
    let full = [
        "stack-name ok",
        "template ok",
        "connection ok",
        "stack-quota ok",
        "iam-actions ok",
    ];
    assert_eq!(
        run(&good(), Some("UPDATE_COMPLETE"), true, Depth::Full, ROLE).await,
        full
    );
}

/// A stack that another tool made is taken over where a person says so, unless it says whose it is.
#[tokio::test]
async fn a_stack_of_another_tool_is_taken_over_on_request() {
    let api = ["api".to_owned()];
    for (tags, adopt, expected) in [
        (&[][..], &api[..], "stack-name warning"),
        (&[("team", "orders")], &api, "stack-name warning"),
        (&[("project", "acme")], &api, "stack-name warning"),
        (&[("project", "other")], &api, "stack-name error"),
        (&[("environment", "prod")], &api, "stack-name error"),
        (&[], &["table".to_owned()], "stack-name error"),
        (&[], &[], "stack-name error"),
    ] {
        let status = Some("CREATE_COMPLETE");
        let found = run_with(&good(), status, tags, adopt, Depth::Deploy, ROLE).await;
        assert_eq!(found[0], expected, "{tags:?} {adopt:?}");
    }
}

#[tokio::test]
async fn each_check_has_its_finding() {
    let found = run(&good(), Some("UPDATE_COMPLETE"), false, Depth::Deploy, ROLE).await;
    assert_eq!(found[0], "stack-name error");
    let fault = Answers {
        fault: Ok(Some("no Resources".to_owned())),
        ..good()
    };
    assert_eq!(bad(&fault, None).await, ["template error"]);
    let taken = Answers {
        taken: Ok(true),
        ..good()
    };
    assert_eq!(bad(&taken, None).await, ["resource-name error"]);
    assert_eq!(
        bad(&taken, Some("CREATE_COMPLETE")).await,
        [""; 0],
        "its own bucket is no clash"
    );
    let full = Answers {
        limit: Ok(Some(5)),
        ..good()
    };
    assert_eq!(bad(&full, None).await, ["stack-quota error"]);
    let denied = Answers {
        denied: Ok(BTreeSet::from(["s3:CreateBucket".to_owned()])),
        ..good()
    };
    assert_eq!(bad(&denied, None).await, ["iam-actions warning"]);
    let pending = Answers {
        connection: ConnectionState::Pending,
        ..good()
    };
    assert_eq!(
        bad(&pending, Some("CREATE_COMPLETE")).await,
        ["connection warning"]
    );
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_never_a_pass() {
    for code in ["AccessDenied", "InvalidAction", "Throttling"] {
        let error = || refused(code);
        let answers = Answers {
            fault: Err(error()),
            limit: Err(error()),
            denied: Err(error()),
            taken: Err(error()),
            ..good()
        };
        let all = ["template", "resource-name", "stack-quota", "iam-actions"];
        let all = all.map(|id| format!("{id} not checked"));
        assert_eq!(bad(&answers, None).await, all, "{code}");
    }
    for caller in ["", "arn:aws:iam::1:root"] {
        let found = run(&good(), None, true, Depth::Full, caller).await;
        assert_eq!(found.last().unwrap(), "iam-actions not checked", "{caller}");
    }
}

/// A type that the emulator lacks is a fault where it would be made, and wherever there is no emulator.
#[tokio::test]
async fn types_that_are_switched_off_may_be_unknown_to_an_emulator() {
    let unknown = |kind: &str| Answers {
        fault: Ok(Some(format!(
            "Template format error: Unrecognized resource types: [{kind}]"
        ))),
        ..good()
    };
    let (off, made) = (
        unknown("AWS::New::Thing"),
        unknown("AWS::New::Thing, AWS::S3::Bucket"),
    );
    let template = async |answers: &Answers, caller: &str| {
        let findings = run(answers, None, false, Depth::Full, caller).await;
        findings.iter().any(|finding| finding == "template error")
    };
    assert!(!template(&off, "").await);
    assert!(template(&made, "").await);
    assert!(template(&off, ROLE).await);
}
