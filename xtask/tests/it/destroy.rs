//! `destroy` over the emulator: what is the environment's goes, with all it holds; what only looks like it stays.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::endpoint::{Endpoint, exchange};
use crate::workbench::Workbench;

impl Endpoint {
    #[track_caller]
    fn s3(&self, method: &str, path: &str) -> String {
        self.s3_with(method, path, "content")
    }

    #[track_caller]
    fn s3_with(&self, method: &str, path: &str, body: &str) -> String {
        let url = format!("{}/{path}", self.0);
        let authorization = Self::authorization("s3");
        let header = ("authorization", authorization.as_str());
        let (status, text) = exchange(method, &url, header, body.as_bytes());
        format!("{status} {text}")
    }

    #[track_caller]
    fn ecr(&self, operation: &str, body: &Value) -> Value {
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
        self.json("ecr", &target, body)
    }

    #[track_caller]
    fn put_parameter(&self, name: &str, tags: &Value) {
        self.json(
            "ssm",
            "AmazonSSM.PutParameter",
            &json!({ "Name": name, "Value": "v", "Type": "String", "Tags": tags }),
        );
    }

    #[track_caller]
    fn put_table(&self, name: &str, protected: bool, tags: &Value) {
        self.json(
            "dynamodb",
            "DynamoDB_20120810.CreateTable",
            &json!({
                "TableName": name,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
                "DeletionProtectionEnabled": protected,
                "Tags": tags,
            }),
        );
    }

    /// Makes a key and returns its id.
    #[track_caller]
    fn put_key(&self, environment: &str) -> String {
        let tags = json!([
            { "TagKey": "project", "TagValue": "stackway" },
            { "TagKey": "environment", "TagValue": environment },
        ]);
        let made = self.json("kms", "TrentService.CreateKey", &json!({ "Tags": tags }));
        made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn key_state(&self, id: &str) -> String {
        let key = self.json("kms", "TrentService.DescribeKey", &json!({ "KeyId": id }));
        key["KeyMetadata"]["KeyState"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn put_images(&self, repository: &str, images: usize) {
        for number in 0..images {
            let manifest = json!({ "schemaVersion": 2, "layers": [], "number": number });
            self.ecr(
                "PutImage",
                &json!({
                    "repositoryName": repository,
                    "imageManifest": manifest.to_string(),
                    "imageTag": format!("v{number}"),
                }),
            );
        }
    }

    /// Makes a stack with one parameter in it.
    #[track_caller]
    fn create_stack(&self, name: &str, tags: &[(&str, &str)]) {
        let template = json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } } });
        let mut form = format!(
            "Action=CreateStack&Version=2010-05-15&StackName={name}&TemplateBody={}",
            percent(&template.to_string())
        );
        for (number, (key, value)) in tags.iter().enumerate() {
            let number = number + 1;
            write!(
                form,
                "&Tags.member.{number}.Key={key}&Tags.member.{number}.Value={value}"
            )
            .unwrap();
        }
        self.cloudformation(&form);
    }

    #[track_caller]
    fn cloudformation(&self, form: &str) -> String {
        ureq::post(&self.0)
            .header("authorization", Self::authorization("cloudformation"))
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form)
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    }

    #[track_caller]
    fn stacks(&self) -> Vec<String> {
        let answer = self.cloudformation("Action=DescribeStacks&Version=2010-05-15");
        let mut names: Vec<_> = answer
            .split("<StackName>")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("</StackName>")?.0.to_owned()))
            .collect();
        names.sort();
        names
    }
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02X}").unwrap();
        all
    })
}

const REGION: &str = "<CreateBucketConfiguration><LocationConstraint>eu-west-2</LocationConstraint></CreateBucketConfiguration>";
const BUCKET: &str = "stackway-000000000000-eu-west-2-local";
const REPOSITORY: &str = "stackway-eu-west-2-local-api";

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, told from its beginning to its end"
)]
fn everything_of_the_environment_goes_and_what_looks_like_it_stays() {
    let bench = Workbench::new();
    bench
        .run(&[
            "deploy",
            "--env",
            "local",
            "--stack",
            "artifacts",
            "--stack",
            "table",
        ])
        .succeeded();
    let url = format!("http://127.0.0.1:{}", bench.port());
    let cloud = Endpoint(url.clone());

    // A bucket with versions, a delete marker and an upload that was not brought to an end; a repository with images.
    for key in ["a", "a", "b", "folder/c"] {
        assert!(
            cloud
                .s3("PUT", &format!("{BUCKET}/{key}"))
                .starts_with("200")
        );
    }
    assert!(
        cloud
            .s3("DELETE", &format!("{BUCKET}/b"))
            .starts_with("204")
    );
    assert!(
        cloud
            .s3("POST", &format!("{BUCKET}/big?uploads"))
            .starts_with("200")
    );
    cloud.put_images(REPOSITORY, 3);
    // As the deployment pipeline makes it: a name of a person's choice, and the tags of the template configuration.
    cloud.create_stack(
        "release",
        &[("project", "stackway"), ("environment", "local")],
    );

    // Another project's, another environment's, and one without tags whose name goes on where ours ends.
    cloud.create_stack("stackway-eu-west-2-local-table-2", &[]);
    cloud.create_stack(
        "stackway-eu-west-2-local-api",
        &[("project", "other"), ("environment", "local")],
    );
    cloud.create_stack(
        "stackway-eu-west-2-dev-table",
        &[("project", "stackway"), ("environment", "dev")],
    );
    for bucket in [
        "stackway-000000000000-eu-west-2-local-2",
        "stackway-000000000000-eu-west-2",
    ] {
        assert!(cloud.s3_with("PUT", bucket, REGION).starts_with("200"));
        assert!(
            cloud
                .s3("PUT", &format!("{bucket}/kept"))
                .starts_with("200")
        );
    }
    let other = "stackway-eu-west-2-local-api-2";
    cloud.ecr("CreateRepository", &json!({ "repositoryName": other }));
    cloud.put_images(other, 1);

    let given = [
        "destroy",
        "--env",
        "local",
        "--endpoint-url",
        &url,
        "--format",
        "json",
    ];
    bench
        .run(&given)
        .refused(11, &["needs a yes", "object versions", "3 images"]);
    let dry = bench
        .run(&[&given[..], &["--dry-run"]].concat())
        .succeeded()
        .json();
    let lost = dry["found"]["lost"].as_array().unwrap();
    for (what, count) in [
        ("object versions", 4),
        ("delete markers", 1),
        ("unfinished uploads", 1),
        ("images", 3),
    ] {
        let expected = json!({ "count": count, "what": what });
        assert!(lost.contains(&expected), "{expected} {lost:?}");
    }
    let stacks: Vec<_> = dry["found"]["stacks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stack| stack["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        stacks,
        [
            "release",
            "stackway-eu-west-2-local-table",
            "stackway-eu-west-2-local-artifacts"
        ]
    );

    let done = bench.run(&[&given[..], &["--yes"]].concat()).succeeded();
    assert!(done.stderr.contains("removed 3 stacks"), "{}", done.stderr);
    let left = &done.json()["left"];
    assert_eq!(left["stacks"], json!([]), "{left}");
    for one in left["leftovers"].as_array().unwrap() {
        assert_eq!(
            (one["kind"].as_str(), one["removable"].as_str()),
            (Some("key"), Some("waits"))
        );
    }
    assert!(cloud.s3("GET", BUCKET).starts_with("404"));
    assert_eq!(
        cloud.stacks(),
        [
            "stackway-eu-west-2-dev-table",
            "stackway-eu-west-2-local-api",
            "stackway-eu-west-2-local-table-2"
        ]
    );
    for bucket in [
        "stackway-000000000000-eu-west-2-local-2",
        "stackway-000000000000-eu-west-2",
    ] {
        assert!(
            cloud
                .s3("GET", &format!("{bucket}/kept"))
                .starts_with("200"),
            "{bucket}"
        );
    }
    let images = cloud.ecr("DescribeImages", &json!({ "repositoryName": other }));
    assert_eq!(images["imageDetails"].as_array().unwrap().len(), 1);
}

fn tags(environment: &str) -> Value {
    json!([
        { "Key": "project", "Value": "stackway" },
        { "Key": "environment", "Value": environment },
    ])
}

/// What carries the tags and is in no stack goes, or waits where its service wants it; a table that is protected stops
/// everything until that is lifted; what a deleted stack was told to keep goes though it has no tags.
#[test]
fn what_no_stack_owns_goes_too() {
    let bench = Workbench::new();
    bench
        .run(&["deploy", "--env", "local", "--stack", "table"])
        .succeeded();
    let url = format!("http://127.0.0.1:{}", bench.port());
    let cloud = Endpoint(url.clone());
    for (environment, name) in [("local", "ours"), ("dev", "theirs")] {
        cloud.put_table(name, true, &tags(environment));
    }
    cloud.put_parameter("/theirs", &tags("dev"));
    let (ours, theirs) = (cloud.put_key("local"), cloud.put_key("dev"));
    // A stack of ours that keeps what it has when it is deleted.
    let kept = json!({ "Resources": {
        "Parameter": { "Type": "AWS::SSM::Parameter", "DeletionPolicy": "Retain",
            "Properties": { "Name": "/kept", "Type": "String", "Value": "v" } },
        "Secret": { "Type": "AWS::SecretsManager::Secret", "DeletionPolicy": "Retain",
            "Properties": { "Name": "kept", "SecretString": "hidden" } },
    } });
    let name = "stackway-eu-west-2-local-api";
    cloud.cloudformation(&format!(
        "Action=CreateStack&Version=2010-05-15&StackName={name}&TemplateBody={}",
        percent(&kept.to_string())
    ));

    let given = [
        "destroy",
        "--env",
        "local",
        "--endpoint-url",
        &url,
        "--format",
        "json",
        "--yes",
        "--recovery-days",
        "7",
    ];
    bench.run(&given).refused(
        8,
        &[
            "table ours: deletion protection",
            "--lift-protection",
            "nothing was changed",
        ],
    );
    assert_eq!(cloud.key_state(&ours), "Enabled");
    let done = bench.run(&[&given[..], &["--lift-protection"]].concat());
    let left = &done.json()["left"];
    let told: Vec<_> = left["leftovers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            (text("kind"), text("removable"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("secret".to_owned(), "waits".to_owned()),
            ("key".to_owned(), "waits".to_owned())
        ],
        "{left}"
    );
    assert_eq!(cloud.key_state(&ours), "PendingDeletion");
    assert_eq!(cloud.key_state(&theirs), "Enabled");
    let parameters = cloud.json("ssm", "AmazonSSM.DescribeParameters", &json!({}));
    let mut names: Vec<_> = parameters["Parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["Name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["/theirs"]);
    let tables = cloud.json("dynamodb", "DynamoDB_20120810.ListTables", &json!({}));
    assert_eq!(tables["TableNames"], json!(["theirs"]));
}

/// A protected stack ends the command before its first change, and goes once that is lifted; one that the emulator
/// refuses to delete for its images goes after they have.
#[test]
fn protection_and_images_stand_in_the_way_until_they_do_not() {
    let bench = Workbench::new();
    bench
        .run(&["deploy", "--env", "local", "--stack", "artifacts"])
        .succeeded();
    let url = format!("http://127.0.0.1:{}", bench.port());
    let cloud = Endpoint(url.clone());
    cloud.put_images(REPOSITORY, 101);
    let stack = "stackway-eu-west-2-local-artifacts";
    let form = format!(
        "Action=UpdateTerminationProtection&Version=2010-05-15&StackName={stack}&EnableTerminationProtection=true"
    );
    cloud.cloudformation(&form);
    let given = ["destroy", "--env", "local", "--endpoint-url", &url, "--yes"];
    bench.run(&given).refused(
        8,
        &[
            &format!("stack {stack}: termination protection"),
            "nothing was changed",
        ],
    );
    let images = cloud.ecr("DescribeImages", &json!({ "repositoryName": REPOSITORY }));
    assert!(!images["imageDetails"].as_array().unwrap().is_empty());
    bench
        .run(&[&given[..], &["--lift-protection"]].concat())
        .succeeded()
        .said(&[
            "termination protection is switched off",
            "101 images",
            "left",
        ]);
    assert_eq!(cloud.stacks(), [""; 0]);
}

/// A name goes with a yes everywhere but in `local`, and nothing is asked of anybody before that is right.
#[test]
fn a_yes_needs_the_name() {
    let bench = Workbench::new();
    for (args, words) in [
        (
            &["--env", "dev", "--yes"][..],
            &["`--yes` alone", "--confirm dev"][..],
        ),
        (
            &["--env", "dev", "--yes", "--confirm", "prod"],
            &["is not the name", "`dev`"],
        ),
        (
            &["--env", "local", "--yes", "--confirm", "dev"],
            &["is not the name", "`local`"],
        ),
        (&["--env", "dev", "--confirm", "dev"], &["--yes"]),
    ] {
        bench.run(&[&["destroy"], args].concat()).refused(2, words);
    }
}
