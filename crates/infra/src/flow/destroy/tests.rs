//! Removals over the scripted cloud.

use std::sync::Mutex;

use super::{Destroyed, Destroyer, Holdings, Leave};
use crate::clock::PollInterval;
use crate::cloud::CloudError;
use crate::cloud::fake::{Case, Ended, FakeClock, FakeCloud, Fault, Faults, for_each_fault};
use crate::flow::{FlowError, Observer, Progress, Tools};
use crate::inventory::{Inventory, KeyState, Leftover, LeftoverKind, Owner, Removable};
use crate::naming::Naming;

const OLD_SECRET: &str = "arn:aws:secretsmanager:eu-west-2:111122223333:secret:old-Ab12Cd";
pub(super) const STEM: &str = "stackway-eu-west-2-dev";
pub(super) const OURS: &[(&str, &str)] = &[("project", "stackway"), ("environment", "dev")];

#[derive(Default)]
pub(super) struct Seen(pub(super) Mutex<Vec<String>>);

impl Observer for Seen {
    fn observe(&self, stack: &str, progress: &Progress) {
        let text = match progress {
            Progress::Event(_) => return,
            Progress::Emptied { bucket, objects } => format!("emptied {bucket} of {objects}"),
            Progress::Removal(removal) => format!("{removal:?}"),
            Progress::Started => "started".to_owned(),
            Progress::Done => "done".to_owned(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(format!("{stack}: {text}"));
    }
}

pub(super) struct Bench {
    pub(super) cloud: FakeCloud,
    clock: FakeClock,
    pub(super) seen: Seen,
    owner: Owner,
    pub(super) leave: Leave,
}

impl Bench {
    pub(super) fn new(faults: &Faults) -> Self {
        let naming = Naming {
            project: "stackway".into(),
            region: "eu-west-2".into(),
            environment: "dev".into(),
        };
        Self {
            cloud: FakeCloud::with_faults(faults),
            clock: FakeClock::default(),
            seen: Seen::default(),
            owner: Owner::new(&naming, "111122223333"),
            leave: Leave::default(),
        }
    }

    /// An environment with everything in it, and what only looks like a part of it.
    pub(super) fn filled(faults: &Faults) -> Self {
        let bench = Self::new(faults);
        let cloud = &bench.cloud;
        for stack in ["artifacts", "table", "delivery"] {
            let name = format!("{STEM}-{stack}");
            cloud.put_stack(&name, "CREATE_COMPLETE", &[]);
            cloud.tag_stack(&name, OURS);
        }
        // Made by a pipeline, without tags and with a name of its own.
        cloud.put_stack("release", "UPDATE_COMPLETE", &[]);
        cloud.put_stack("tagged-by-hand", "CREATE_COMPLETE", &[]);
        cloud.tag_stack("tagged-by-hand", OURS);
        let artifacts = format!("{STEM}-artifacts");
        let bucket = "stackway-111122223333-eu-west-2-dev";
        cloud.put_loose_bucket(bucket, 7, OURS);
        cloud.put_named_resource(&artifacts, "AWS::S3::Bucket", bucket);
        let repository = format!("{STEM}-api");
        cloud.put_repository(&repository, 3, OURS);
        cloud.put_named_resource(&artifacts, "AWS::ECR::Repository", &repository);
        cloud.put_key("key-1", KeyState::InUse, OURS);
        cloud.put_named_resource(&artifacts, "AWS::KMS::Key", "key-1");
        let table = format!("{STEM}-table");
        cloud.put_table("items", false, OURS);
        cloud.put_named_resource(&table, "AWS::DynamoDB::Table", "items");
        let pipeline = format!("{STEM}-deployment");
        cloud.put_pipeline(&pipeline, &[], &["release", "another-teams"]);
        let delivery = format!("{STEM}-delivery");
        cloud.put_named_resource(&delivery, "AWS::CodePipeline::Pipeline", &pipeline);
        cloud.put_log_group(&format!("/aws/codebuild/{STEM}-test"), 10);
        cloud.put_report_group(&format!("{STEM}-test-bare"), &[]);
        cloud.put_loose_bucket("kept-by-an-update", 2, OURS);
        cloud.put_tagged("arn:aws:s3:::kept-by-an-update");
        bench.put_unowned();
        bench.put_strangers();
        bench
    }

    /// What carries the tags and is in no stack: of each kind one.
    fn put_unowned(&self) {
        let cloud = &self.cloud;
        cloud.put_table("old-items", false, OURS);
        cloud.put_tagged("arn:aws:dynamodb:eu-west-2:111122223333:table/old-items");
        cloud.put_parameter("/old/name", OURS);
        cloud.put_tagged("arn:aws:ssm:eu-west-2:111122223333:parameter/old/name");
        cloud.put_parameter("/old/url", OURS);
        cloud.put_tagged("arn:aws:ssm:eu-west-2:111122223333:parameter/old/url");
        cloud.put_secret(OLD_SECRET, &["us-east-1"], OURS);
        cloud.put_tagged(OLD_SECRET);
        cloud.put_function("old-api", &["1", "2"], &["live"], OURS);
        cloud.put_tagged("arn:aws:lambda:eu-west-2:111122223333:function:old-api");
        cloud.put_key("key-2", KeyState::InUse, OURS);
        cloud.put_tagged("arn:aws:kms:eu-west-2:111122223333:key/key-2");
    }

    fn put_strangers(&self) {
        let cloud = &self.cloud;
        for (name, tags) in [
            // The name goes on, and there is no tag.
            ("stackway-eu-west-2-dev-table-2", &[][..]),
            ("stackway-eu-west-2-dev-2-table", &[]),
            // Our very name, and somebody else's tags.
            (
                "stackway-eu-west-2-dev-api",
                &[("project", "other"), ("environment", "dev")],
            ),
            (
                "stackway-eu-west-2-prod-table",
                &[("project", "stackway"), ("environment", "prod")],
            ),
            // A pipeline of ours was run on it; the tags say whose it is.
            (
                "another-teams",
                &[("project", "other"), ("environment", "dev")],
            ),
        ] {
            cloud.put_stack(name, "CREATE_COMPLETE", &[]);
            cloud.tag_stack(name, tags);
        }
        cloud.put_loose_bucket("stackway-111122223333-eu-west-2-dev-2", 5, &[]);
        cloud.put_loose_bucket("stackway-111122223333-eu-west-2", 5, &[]);
        cloud.put_repository("stackway-eu-west-2-dev-api-2", 5, &[]);
        cloud.put_log_group("/aws/codebuild/stackway-eu-west-2-dev-test-2", 5);
        cloud.put_report_group("stackway-eu-west-2-dev-tests", &[]);
        // Listed under our tags a moment ago, and somebody else's by now.
        let theirs = &[("project", "other"), ("environment", "dev")];
        for (arn, tags) in [("given-away", &theirs[..]), ("untagged", &[])] {
            cloud.put_table(arn, false, tags);
            cloud.put_tagged(&format!(
                "arn:aws:dynamodb:eu-west-2:111122223333:table/{arn}"
            ));
            cloud.put_key(arn, KeyState::InUse, tags);
            cloud.put_tagged(&format!("arn:aws:kms:eu-west-2:111122223333:key/{arn}"));
        }
        cloud.put_report_group(
            "stackway-eu-west-2-dev-test-other",
            &[("project", "other"), ("environment", "dev")],
        );
    }

    pub(super) fn destroyer(&self) -> Destroyer<'_> {
        let cloud = &self.cloud;
        Destroyer {
            tools: Tools {
                stacks: cloud,
                clock: &self.clock,
                poll: PollInterval::AWS,
                observer: &self.seen,
            },
            control: cloud,
            holdings: Holdings {
                stacks: cloud,
                objects: cloud,
                images: cloud,
                tables: cloud,
                log_groups: cloud,
                report_groups: cloud,
                pipelines: cloud,
                keys: cloud,
                parameters: cloud,
                secrets: cloud,
                functions: cloud,
                any: cloud,
                tagged: cloud,
            },
            owner: &self.owner,
            leave: self.leave,
        }
    }

    pub(super) async fn inventory(&self) -> Inventory {
        self.destroyer().inventory(&[]).await.unwrap()
    }

    pub(super) async fn run(&self) -> Result<Destroyed, FlowError> {
        let destroyer = self.destroyer();
        let inventory = destroyer.inventory(&[]).await?;
        destroyer.destroy(&inventory, &[]).await
    }
}

const STRANGERS: &str = "\
stack another-teams CREATE_COMPLETE
stack stackway-eu-west-2-dev-2-table CREATE_COMPLETE
stack stackway-eu-west-2-dev-api CREATE_COMPLETE
stack stackway-eu-west-2-dev-table-2 CREATE_COMPLETE
stack stackway-eu-west-2-prod-table CREATE_COMPLETE
bucket stackway-111122223333-eu-west-2 with 5
bucket stackway-111122223333-eu-west-2-dev-2 with 5
repository stackway-eu-west-2-dev-api-2 with 5
log group /aws/codebuild/stackway-eu-west-2-dev-test-2
report group stackway-eu-west-2-dev-test-other
report group stackway-eu-west-2-dev-tests
table given-away
table untagged
secret arn:aws:secretsmanager:eu-west-2:111122223333:secret:old-Ab12Cd waits
key given-away in use
key key-1 waits
key key-2 waits
key untagged in use";

#[tokio::test]
async fn all_that_is_ours_goes_and_nothing_else() {
    let bench = Bench::filled(&Faults::none());
    let inventory = bench.inventory().await;
    assert_eq!(bench.cloud.writes(), [""; 0], "a plan only reads");
    let found: Vec<_> = inventory
        .stacks
        .iter()
        .map(|found| {
            let evidence: Vec<_> = found.evidence.iter().map(ToString::to_string).collect();
            format!("{} {}", found.label, evidence.join(", "))
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    release made by pipeline stackway-eu-west-2-dev-deployment
    tagged-by-hand by tags
    delivery by name, by tags
    table by name, by tags
    artifacts by name, by tags
    ");
    let destroyed = bench.destroyer().destroy(&inventory, &[]).await.unwrap();
    assert_eq!(destroyed.removed.len(), 5);
    // The keys and the secret alone are left, and wait.
    let left = &destroyed.left.leftovers;
    let kinds: Vec<_> = left.iter().map(|one| one.kind).collect();
    let waits = |one: &Leftover| matches!(one.removable, Removable::Waits { .. });
    assert_eq!(
        kinds,
        [LeftoverKind::Secret, LeftoverKind::Key, LeftoverKind::Key]
    );
    assert!(left.iter().all(waits), "{left:?}");
    assert_eq!(bench.cloud.everything().join("\n"), STRANGERS);
    assert_eq!(destroyed.leftovers, 9);
    insta::assert_snapshot!(bench.cloud.writes().join("\n"), @r"
    close_stage stackway-eu-west-2-dev-deployment/Source
    close_stage stackway-eu-west-2-dev-deployment/Deploy
    abandon stackway-eu-west-2-dev-deployment/run-1
    delete_stack release
    delete_stack tagged-by-hand
    delete_stack stackway-eu-west-2-dev-delivery
    delete_stack stackway-eu-west-2-dev-table
    empty_bucket stackway-111122223333-eu-west-2-dev
    empty_repository stackway-eu-west-2-dev-api
    delete_stack stackway-eu-west-2-dev-artifacts
    delete_function old-api
    empty_bucket kept-by-an-update
    delete_bucket kept-by-an-update
    delete_report_group stackway-eu-west-2-dev-test-bare
    delete_log_group /aws/codebuild/stackway-eu-west-2-dev-test
    delete_table old-items
    delete_parameters /old/name,/old/url
    remove_replicas arn:aws:secretsmanager:eu-west-2:111122223333:secret:old-Ab12Cd
    schedule_secret_deletion arn:aws:secretsmanager:eu-west-2:111122223333:secret:old-Ab12Cd in 30 days
    schedule_key_deletion key-2 in 30 days
    ");
}

/// Whatever befalls a call, the run ends well or in one error that says what happened, nothing of anybody else's is
/// touched, and the next run ends at the same place.
#[tokio::test]
async fn every_fault_of_every_call_is_survived() {
    let cases = for_each_fault(
        async |faults| Bench::filled(faults),
        Bench::run,
        async |bench: &Bench, case: &Case, ended: Ended<Result<Destroyed, FlowError>>| {
            match (&ended, case.fault) {
                (Ended::Killed, Fault::KilledAfter) => {}
                (Ended::Returned(Ok(destroyed)), Fault::Twice) => {
                    assert!(!destroyed.left.has_work(), "{case}");
                }
                (Ended::Returned(Err(FlowError::Cloud(error))), fault) => {
                    let expected = fault.error().map(|error| error.to_string());
                    assert_eq!(Some(error.to_string()), expected, "{case}");
                }
                _ => panic!("{case}: {ended:?}"),
            }
            let again = bench
                .run()
                .await
                .unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(!again.left.has_work(), "{case}: {:?}", again.left);
            assert_eq!(bench.cloud.everything().join("\n"), STRANGERS, "{case}");
        },
    )
    .await;
    assert!(cases > 300, "{cases}");
}

#[tokio::test]
async fn protection_is_lifted_only_where_that_is_said() {
    let mut bench = Bench::filled(&Faults::none());
    let table = format!("{STEM}-table");
    bench.cloud.protect_stack(&table);
    let error = bench.run().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "protection against deletion is on for stackway-eu-west-2-dev-table"
    );
    assert_eq!(bench.cloud.writes(), [""; 0]);
    bench.leave.lift_protection = true;
    let destroyed = bench.run().await.unwrap();
    assert!(!destroyed.left.has_work());
    let said = bench.seen.0.lock().unwrap().join("\n");
    assert!(said.contains("table: ProtectionLifted"), "{said}");
}

/// What an earlier deletion failed on is emptied, though this run's plan did not name it.
#[tokio::test]
async fn the_cause_of_a_failed_deletion_is_removed() {
    let bench = Bench::new(&Faults::none());
    let stack = format!("{STEM}-artifacts");
    bench.cloud.put_stack(&stack, "DELETE_FAILED", &[]);
    bench.cloud.tag_stack(&stack, OURS);
    let inventory = bench.inventory().await;
    // They come in after the plan was made.
    bench.cloud.put_loose_bucket("late", 4, &[]);
    bench
        .cloud
        .put_named_resource(&stack, "AWS::S3::Bucket", "late");
    bench.cloud.put_repository("later", 4, &[]);
    bench
        .cloud
        .put_named_resource(&stack, "AWS::ECR::Repository", "later");
    bench.destroyer().destroy(&inventory, &[]).await.unwrap();
    assert_eq!(
        bench.cloud.writes(),
        [
            format!("delete_stack {stack}"),
            "empty_bucket late".to_owned(),
            "empty_repository later".to_owned(),
            format!("delete_stack {stack}"),
        ]
    );
}

/// A cause that cannot be removed ends in an error; by force, the stack goes and what it held is told as left.
#[tokio::test]
async fn force_is_used_only_where_that_is_said() {
    let mut bench = Bench::new(&Faults::none());
    let stack = format!("{STEM}-artifacts");
    bench.cloud.put_stack(&stack, "CREATE_COMPLETE", &[]);
    bench.cloud.tag_stack(&stack, OURS);
    // Something full of a type that nobody knows how to empty.
    bench.cloud.put_loose_bucket("full", 4, &[]);
    bench
        .cloud
        .put_named_resource(&stack, "AWS::X::Vault", "full");
    let error = bench.run().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("stack `{stack}` ended in DELETE_FAILED")
    );
    assert!(
        bench
            .cloud
            .everything()
            .contains(&format!("stack {stack} DELETE_FAILED"))
    );
    bench.leave.force_delete = true;
    bench.run().await.unwrap();
    assert_eq!(bench.cloud.everything(), ["bucket full with 4"]);
}

#[tokio::test]
async fn a_refused_look_is_not_an_absence() {
    for call in [
        "stacks",
        "declared_stacks",
        "stack_resources",
        "bucket_contents",
        "repository_contents",
        "table_contents",
        "log_group",
        "report_groups",
        "tagged",
        "deleted_stacks",
    ] {
        for (code, emulator) in [
            ("AccessDenied", false),
            ("AccessDenied", true),
            // What AWS does not know is no absence either.
            ("UnknownOperation", false),
        ] {
            let mut bench = Bench::filled(&Faults::none());
            bench.leave.emulator = emulator;
            let error = CloudError::Refused {
                operation: "o",
                code: code.into(),
                message: "no".into(),
            };
            bench.cloud.break_call(call, error);
            let error = bench.run().await.unwrap_err();
            assert_eq!(error.to_string(), format!("o: {code}: no"), "{call}");
            assert_eq!(bench.cloud.writes(), [""; 0], "{call}");
        }
    }
}

/// On an emulator a service that there is not is named and counted, and the rest goes on.
#[tokio::test]
async fn what_an_emulator_lacks_is_named() {
    for (call, what) in [
        ("declared_stacks", "pipelines"),
        ("repository_contents", "image repositories"),
        ("report_groups", "report groups"),
        ("tagged", "resources by their tags"),
    ] {
        let mut bench = Bench::filled(&Faults::none());
        bench.leave.emulator = true;
        let error = CloudError::Refused {
            operation: "o",
            code: "UnknownOperation".into(),
            message: r#"{"error": "Unsupported service: x"}"#.into(),
        };
        bench.cloud.break_call(call, error);
        let destroyed = bench.run().await.unwrap();
        let lacking: Vec<_> = destroyed
            .left
            .not_offered
            .iter()
            .map(|one| one.what)
            .collect();
        assert_eq!(lacking, [what]);
    }
}

#[tokio::test]
async fn only_the_stacks_that_are_named_go() {
    let bench = Bench::filled(&Faults::none());
    let only = ["table".to_owned()];
    let inventory = bench.destroyer().inventory(&only).await.unwrap();
    let destroyed = bench.destroyer().destroy(&inventory, &only).await.unwrap();
    assert_eq!(
        bench.cloud.writes(),
        ["delete_stack stackway-eu-west-2-dev-table"]
    );
    assert!(destroyed.left.is_empty());
}
