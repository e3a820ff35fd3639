//! Deploy and destroy over the scripted cloud.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::WhatHappened::{Created, Unchanged, Updated};
use super::{
    AllowReplace, Deployer, FlowError, Observer, Planner, Progress, Remedies, StackInput,
    StackInputs, Stop, Tools, WhatHappened,
};
use crate::clock::PollInterval;
use crate::cloud::CloudError;
use crate::cloud::fake::{Ending, FakeClock, FakeCloud, Faults};
use crate::stack::{Action, Replacement, ResourceChange};
use crate::stack_def::{Need, Presence, StackDef, StackGraph};

pub(super) const GRAPH: &[StackDef] = &[
    StackDef {
        name: "base",
        summary: "",
        needs: &[],
        package: None,
        presence: Presence::Always,
        outputs: &["Name"],
    },
    StackDef {
        name: "side",
        summary: "",
        needs: &[],
        package: None,
        presence: Presence::Always,
        outputs: &[],
    },
    StackDef {
        name: "top",
        summary: "",
        needs: &[Need {
            parameter: "BaseName",
            stack: "base",
            output: "Name",
            if_there: false,
        }],
        package: None,
        presence: Presence::Always,
        outputs: &[],
    },
];

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn observe(&self, stack: &str, progress: &Progress) {
        let text = match progress {
            Progress::Started => "started".to_owned(),
            Progress::Waiting { status } => format!("waits for {status}"),
            Progress::ChangeSet(changes) => format!("{} changes", changes.resources.len()),
            Progress::Event(event) => format!("{} {}", event.logical_id, event.status),
            Progress::Emptied { bucket, objects } => format!("emptied {bucket} of {objects}"),
            Progress::Adopted => "adopted".to_owned(),
            Progress::Removing { status } => format!("removes it in {status}"),
            Progress::Undoing { skip } => format!("undoes, skipping {skip:?}"),
            Progress::Cancelled => "cancelled".to_owned(),
            Progress::GoesOn { status } => format!("goes on in {status}"),
            Progress::Protected => "protected".to_owned(),
            Progress::Removal(removal) => format!("{removal:?}"),
            Progress::NoChanges => "no changes".to_owned(),
            Progress::Done => "done".to_owned(),
        };
        self.0.lock().unwrap().push(format!("{stack}: {text}"));
    }
}

pub(super) struct Inputs(pub(super) &'static str);

#[async_trait]
impl StackInputs for Inputs {
    fn input(&self, stack: &StackDef) -> Result<StackInput, FlowError> {
        Ok(StackInput {
            stack_name: stack.name.to_owned(),
            template_body: self.0.to_owned(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
        })
    }

    async fn prepare(
        &self,
        _: &StackDef,
        _: &BTreeMap<&'static str, BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        Ok(BTreeMap::new())
    }

    fn check(&self, _: &StackDef, _: &BTreeMap<String, String>) -> Result<(), FlowError> {
        Ok(())
    }
}

pub(super) struct Bench {
    pub(super) cloud: FakeCloud,
    clock: FakeClock,
    seen: Seen,
    pub(super) allow_replace: AllowReplace,
    pub(super) remedies: Remedies,
    pub(super) protect: bool,
    pub(super) stop: Stop,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with_faults(&Faults::none())
    }

    pub(super) fn with_faults(faults: &Faults) -> Self {
        let cloud = FakeCloud::with_faults(faults);
        cloud.put_stack("base", "DELETE_COMPLETE", &[("Name", "b")]);
        Self {
            cloud,
            clock: FakeClock::default(),
            seen: Seen::default(),
            allow_replace: AllowReplace::default(),
            remedies: Remedies::default(),
            protect: false,
            stop: Planner::stop_at(std::future::pending()),
        }
    }

    pub(super) fn tools(&self) -> Tools<'_> {
        Tools {
            stacks: &self.cloud,
            clock: &self.clock,
            poll: PollInterval::AWS,
            observer: &self.seen,
        }
    }

    pub(super) async fn deploy(
        &self,
        template: &'static str,
        stacks: &[&str],
    ) -> Result<Vec<(&'static str, WhatHappened)>, FlowError> {
        let names: Vec<_> = stacks.iter().map(|&name| name.to_owned()).collect();
        let graph = StackGraph::new(GRAPH)
            .unwrap()
            .select(&names, true)
            .unwrap();
        let deployed = Deployer {
            tools: self.tools(),
            control: &self.cloud,
            inputs: &Inputs(template),
            allow_replace: &self.allow_replace,
            remedies: &self.remedies,
            protect: self.protect,
            stop: self.stop.clone(),
        }
        .deploy(&graph)
        .await?;
        Ok(deployed
            .into_iter()
            .map(|deployed| (deployed.name, deployed.what))
            .collect())
    }

    pub(super) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.0.lock().unwrap())
    }
}

#[tokio::test]
async fn a_deploy_then_the_same_again() {
    let bench = Bench::new();
    let all = bench.deploy("one", &[]).await.unwrap();
    assert_eq!(
        all,
        [("base", Created), ("side", Created), ("top", Created)]
    );
    assert_eq!(
        bench.deploy("one", &[]).await.unwrap(),
        [("base", Unchanged), ("side", Unchanged), ("top", Unchanged)]
    );
    assert_eq!(
        bench.deploy("two", &["top"]).await.unwrap(),
        [("base", Updated), ("top", Updated)]
    );
}

#[tokio::test]
async fn an_empty_change_set_is_deleted() {
    let bench = Bench::new();
    bench.deploy("one", &["side"]).await.unwrap();
    let before = bench.cloud.writes().len();
    bench.deploy("one", &["side"]).await.unwrap();
    assert_eq!(
        bench.cloud.writes()[before..],
        ["create_change_set side", "delete_change_set side"]
    );
}

#[tokio::test]
async fn progress_is_told_in_order_and_once() {
    let bench = Bench::new();
    bench.deploy("one", &["side"]).await.unwrap();
    let expected = [
        "side: started",
        "side: 1 changes",
        "side: side CREATE_IN_PROGRESS",
        "side: Resource CREATE_COMPLETE",
        "side: side CREATE_COMPLETE",
        "side: done",
    ];
    assert_eq!(bench.seen(), expected);
    // The next operation shows its own events alone.
    bench.deploy("two", &["side"]).await.unwrap();
    assert!(
        !bench
            .seen()
            .contains(&"side: side CREATE_IN_PROGRESS".to_owned())
    );
}

#[tokio::test]
async fn a_failure_stops_what_needs_it_and_names_its_root_cause() {
    let bench = Bench::new();
    bench
        .cloud
        .ending("base", Ending::Fail("a bucket with this name exists"));
    let error = bench.deploy("one", &[]).await.unwrap_err();
    let FlowError::Failed {
        stack,
        status,
        failures,
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (stack.as_str(), status.as_str()),
        ("base", "ROLLBACK_COMPLETE")
    );
    assert_eq!(
        failures[0].reason.as_deref(),
        Some("a bucket with this name exists")
    );
    assert!(
        !bench
            .cloud
            .calls()
            .iter()
            .any(|call| call.ends_with(" top"))
    );
    assert!(
        bench.seen().contains(&"side: done".to_owned()),
        "what runs beside it is brought to its end"
    );
}

#[tokio::test]
async fn a_failed_change_set_of_a_new_stack_leaves_nothing() {
    let bench = Bench::new();
    let error = bench.deploy("invalid", &["side"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "stack `side`: the change set failed: Template error"
    );
    assert_eq!(
        bench.cloud.writes(),
        [
            "create_change_set side",
            "delete_change_set side",
            "delete_stack side"
        ]
    );
}

#[tokio::test]
async fn what_each_status_means_to_a_deploy() {
    for (status, expected) in [
        ("CREATE_COMPLETE", "Updated"),
        ("UPDATE_COMPLETE", "Updated"),
        ("UPDATE_ROLLBACK_COMPLETE", "Updated"),
        ("IMPORT_COMPLETE", "Updated"),
        ("IMPORT_ROLLBACK_COMPLETE", "Updated"),
        ("REVIEW_IN_PROGRESS", "Created"),
        ("DELETE_COMPLETE", "Created"),
        ("ROLLBACK_COMPLETE", "stack `side` is in ROLLBACK_COMPLETE"),
        ("ROLLBACK_FAILED", "stack `side` is in ROLLBACK_FAILED"),
        ("CREATE_FAILED", "stack `side` is in CREATE_FAILED"),
        ("DELETE_FAILED", "stack `side` is in DELETE_FAILED"),
        ("UPDATE_FAILED", "stack `side` is in UPDATE_FAILED"),
        (
            "UPDATE_ROLLBACK_FAILED",
            "stack `side` is in UPDATE_ROLLBACK_FAILED",
        ),
        (
            "IMPORT_ROLLBACK_FAILED",
            "stack `side` is in IMPORT_ROLLBACK_FAILED",
        ),
        ("TELEPORT_COMPLETE", "stack `side` is in TELEPORT_COMPLETE"),
    ] {
        let bench = Bench::new();
        bench.cloud.put_stack("side", status, &[]);
        let result = bench.deploy("one", &["side"]).await;
        let text = result
            .as_ref()
            .map_or_else(ToString::to_string, |all| format!("{:?}", all[0].1));
        assert_eq!(text, expected, "{status}");
        if result.is_err() {
            assert_eq!(bench.cloud.writes(), [""; 0], "{status}");
        }
    }
}

#[tokio::test]
async fn an_operation_in_flight_is_waited_for() {
    for (coming, expected) in [
        ("CREATE_IN_PROGRESS CREATE_COMPLETE", "Updated"),
        (
            "CREATE_IN_PROGRESS ROLLBACK_IN_PROGRESS ROLLBACK_COMPLETE",
            "stack `side` is in ROLLBACK_COMPLETE",
        ),
        (
            "ROLLBACK_IN_PROGRESS ROLLBACK_FAILED",
            "stack `side` is in ROLLBACK_FAILED",
        ),
        (
            "UPDATE_IN_PROGRESS UPDATE_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_COMPLETE",
            "Updated",
        ),
        (
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_COMPLETE",
            "Updated",
        ),
        (
            "UPDATE_ROLLBACK_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE",
            "Updated",
        ),
        (
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE",
            "Updated",
        ),
        (
            "UPDATE_ROLLBACK_IN_PROGRESS UPDATE_ROLLBACK_FAILED",
            "stack `side` is in UPDATE_ROLLBACK_FAILED",
        ),
        ("DELETE_IN_PROGRESS DELETE_COMPLETE", "Created"),
        (
            "DELETE_IN_PROGRESS DELETE_FAILED",
            "stack `side` is in DELETE_FAILED",
        ),
        ("IMPORT_IN_PROGRESS IMPORT_COMPLETE", "Updated"),
        (
            "IMPORT_ROLLBACK_IN_PROGRESS IMPORT_ROLLBACK_COMPLETE",
            "Updated",
        ),
    ] {
        let bench = Bench::new();
        let coming: Vec<_> = coming.split(' ').collect();
        bench.cloud.put_stack("side", coming[0], &[]);
        bench.cloud.coming("side", &coming);
        let result = bench.deploy("one", &["side"]).await;
        let text = result
            .as_ref()
            .map_or_else(ToString::to_string, |all| format!("{:?}", all[0].1));
        assert_eq!(text, expected, "{coming:?}");
        let waits = format!("side: waits for {}", coming[0]);
        assert_eq!(bench.seen()[..2], ["side: started", waits.as_str()]);
    }
}

#[tokio::test]
async fn a_missing_output_is_named() {
    let bench = Bench::new();
    bench.cloud.put_stack("base", "DELETE_COMPLETE", &[]);
    let error = bench.deploy("one", &["top"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "stack `base` has no output `Name`, which `top` needs"
    );
}

#[tokio::test]
async fn a_refused_look_is_not_an_absence() {
    let bench = Bench::new();
    let denied = CloudError::Refused {
        operation: "o",
        code: "AccessDenied".into(),
        message: "no".into(),
    };
    bench.cloud.break_call("describe_stack", denied);
    let error = bench.deploy("one", &["side"]).await.unwrap_err();
    assert_eq!(error.to_string(), "o: AccessDenied: no");
    assert_eq!(bench.cloud.writes(), [""; 0]);
}

fn loss(action: Action, replacement: Replacement) -> ResourceChange {
    let mut change = ResourceChange::new(action, "Table", "AWS::DynamoDB::Table");
    change.replacement = replacement;
    change
}

/// The loss of a table stops a deploy before its change set runs, unless it is named; the change set does not stay.
#[tokio::test]
async fn the_loss_of_data_stops_a_deploy() {
    for (change, flags, stops) in [
        (loss(Action::Modify, Replacement::Always), &[][..], true),
        (loss(Action::Modify, Replacement::Conditional), &[], true),
        (loss(Action::Remove, Replacement::Never), &[], true),
        (
            loss(Action::Remove, Replacement::Never),
            &["Other", "base/Table"],
            true,
        ),
        (loss(Action::Modify, Replacement::Always), &["Table"], false),
        (
            loss(Action::Remove, Replacement::Never),
            &["side/Table"],
            false,
        ),
        (loss(Action::Modify, Replacement::Never), &[], false),
    ] {
        let mut bench = Bench::new();
        bench.deploy("one", &["side"]).await.unwrap();
        let names: Vec<_> = flags.iter().map(|name| (*name).to_owned()).collect();
        bench.allow_replace = AllowReplace::parse(&names).unwrap();
        bench.cloud.put_changes("side", vec![change.clone()]);
        let before = bench.cloud.writes().len();
        let result = bench.deploy("two", &["side"]).await;
        let writes = &bench.cloud.writes()[before..];
        if stops {
            let Err(FlowError::Guarded { stack, guarded }) = result else {
                panic!("{change:?} {flags:?} {result:?}");
            };
            assert_eq!(
                (stack.as_str(), guarded[0].logical_id.as_str()),
                ("side", "Table")
            );
            assert_eq!(writes, ["create_change_set side", "delete_change_set side"]);
        } else {
            result.unwrap();
            assert!(
                writes.contains(&"execute_change_set side".to_owned()),
                "{writes:?}"
            );
        }
    }
}
