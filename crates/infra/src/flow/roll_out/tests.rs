use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::*;
use crate::clock::PollInterval;
use crate::cloud::fake::FakeClock;
use crate::cloud::stack_sets::fake::FakeStackSets;
use crate::flow::AllowReplace;
use crate::stack_set::{
    Amount, AutoDeployment, DriftStatus, InstanceDrift, Overrides, Pair, Permissions,
    ResourceDrift, StackSetDefinition, WantedPairs,
};

/// What was told, as lines.
#[derive(Default)]
struct Said(Mutex<Vec<String>>);

impl RollOutObserver for Said {
    fn observe_roll_out(&self, stack_set: &str, progress: &RollOutProgress) {
        let line = match progress {
            RollOutProgress::Started => "started".to_owned(),
            RollOutProgress::Waiting { operation, own } => {
                format!("waiting for {} {own}", operation.id)
            }
            RollOutProgress::Planned(plan) => format!(
                "planned +{} ~{} -{} ={} !{}",
                plan.pairs.create.len(),
                plan.pairs.update.len(),
                plan.pairs.delete.len(),
                plan.pairs.leave.len(),
                plan.pairs.stuck.len()
            ),
            RollOutProgress::Began {
                action, instances, ..
            } => format!("began {action} {instances:?}"),
            RollOutProgress::Instance(result) => format!("{} {}", result.pair, result.status),
            RollOutProgress::Ended(operation) => {
                format!("ended {} {}", operation.action, operation.status)
            }
            RollOutProgress::NoChanges => "no changes".to_owned(),
            RollOutProgress::Done => "done".to_owned(),
        };
        assert_eq!(stack_set, "set");
        self.0.lock().unwrap().push(line);
    }
}

fn at() -> StackSetAddress {
    StackSetAddress {
        name: "set".to_owned(),
        call_as: crate::stack_set::CallAs::Caller,
    }
}

fn pairs(text: &str) -> BTreeSet<Pair> {
    text.split_whitespace()
        .map(|pair| {
            let (place, region) = pair.split_once('/').unwrap();
            Pair::new(place, region)
        })
        .collect()
}

fn wanted(text: &str) -> WantedStackSet {
    WantedStackSet {
        stack: "table".to_owned(),
        address: at(),
        definition: StackSetDefinition {
            template_body: "one".to_owned(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
            permissions: Permissions::SelfManaged {
                administration_role: "arn:aws:iam::111111111111:role/a".to_owned(),
                execution_role: "e".to_owned(),
            },
        },
        targets: WantedPairs {
            pairs: pairs(text),
            overrides: BTreeMap::new(),
        },
        preferences: Preferences::default(),
        allow_replace: AllowReplace::default(),
        left_regions: BTreeSet::new(),
        unwanted: Unwanted::Go,
    }
}

struct Stage {
    sets: FakeStackSets,
    clock: FakeClock,
    said: Said,
}

impl Stage {
    fn new() -> Self {
        Self {
            sets: FakeStackSets::new(),
            clock: FakeClock::default(),
            said: Said::default(),
        }
    }

    fn roll_out(&self) -> RollOut<'_> {
        RollOut {
            sets: &self.sets,
            clock: &self.clock,
            poll: PollInterval::AWS,
            observer: &self.said,
        }
    }

    async fn run(&self, wanted: &WantedStackSet) -> Result<RolledOut, RollOutError> {
        self.roll_out().run(wanted).await
    }

    fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.0.lock().unwrap())
    }

    #[track_caller]
    fn stands(&self, text: &str) {
        let standing: BTreeSet<_> = self.sets.standing(&at()).into_keys().collect();
        assert_eq!(standing, pairs(text));
    }
}

#[tokio::test]
async fn a_set_is_made_grown_updated_shrunk_and_removed() {
    let stage = Stage::new();
    let done = stage.run(&wanted("1/a 1/b 2/a 2/b")).await.unwrap();
    assert!(done.created);
    stage.stands("1/a 1/b 2/a 2/b");
    assert_eq!(
        stage.said(),
        [
            "started",
            "planned +4 ~0 -0 =0 !0",
            "began CREATE Some(4)",
            "1/a SUCCEEDED",
            "1/b PENDING",
            "2/a PENDING",
            "2/b PENDING",
            "1/b SUCCEEDED",
            "2/a SUCCEEDED",
            "2/b SUCCEEDED",
            "ended CREATE SUCCEEDED",
            "done"
        ]
    );

    // The same once more: nothing is written.
    let before = stage.sets.writes().len();
    assert!(
        stage
            .run(&wanted("1/a 1/b 2/a 2/b"))
            .await
            .unwrap()
            .is_unchanged()
    );
    assert_eq!(stage.sets.writes().len(), before);
    assert_eq!(stage.said(), ["started", "no changes"]);

    // Grown by an account, in regions that others stand in already.
    let done = stage.run(&wanted("1/a 1/b 2/a 2/b 3/a 3/b")).await.unwrap();
    assert_eq!(done.instances, BTreeMap::from([("created", 2)]));
    stage.stands("1/a 1/b 2/a 2/b 3/a 3/b");

    // Updated and shrunk at once: what stays is updated, what goes is only deleted.
    let mut next = wanted("1/a 1/b 3/a");
    next.definition.template_body = "two".to_owned();
    let done = stage.run(&next).await.unwrap();
    assert_eq!(
        done.instances,
        BTreeMap::from([("deleted", 3), ("updated", 3)])
    );
    stage.stands("1/a 1/b 3/a");
    assert_eq!(stage.sets.definition(&at()).unwrap().template_body, "two");

    let removed = stage
        .roll_out()
        .remove(&at(), &Preferences::default(), false)
        .await
        .unwrap();
    assert_eq!(removed.unwrap().instances, 3);
    assert_eq!(stage.sets.definition(&at()), None);
    let again = stage
        .roll_out()
        .remove(&at(), &Preferences::default(), false)
        .await
        .unwrap();
    assert_eq!(again, None);
}

#[tokio::test]
async fn what_is_not_wanted_stays_until_its_turn() {
    let stage = Stage::new();
    stage.run(&wanted("1/a 1/b")).await.unwrap();
    let mut next = wanted("1/b 1/c");
    next.definition.template_body = "two".to_owned();
    next.unwanted = Unwanted::Stay;
    let done = stage.run(&next).await.unwrap();
    assert_eq!(
        done.instances,
        BTreeMap::from([("created", 1), ("updated", 1)])
    );
    assert_eq!((done.kept, done.is_unchanged()), (1, false));
    // The one in region a is there, and behind.
    stage.stands("1/b 1/c");
    next.unwanted = Unwanted::Go;
    let done = stage.run(&next).await.unwrap();
    assert_eq!(done.instances, BTreeMap::from([("deleted", 1)]));
    assert_eq!(done.kept, 0);
    stage.stands("1/b 1/c");
}

#[tokio::test]
async fn a_region_that_is_out_of_reach_is_left_as_it_is_and_caught_up_with() {
    let stage = Stage::new();
    stage.run(&wanted("1/a 1/b 2/b")).await.unwrap();
    stage
        .sets
        .fail(&Pair::new("1", "b"), "the region does not answer");
    let mut next = wanted("1/a 1/b 3/b");
    next.definition.template_body = "two".to_owned();
    next.left_regions = ["b".to_owned()].into();
    let done = stage.run(&next).await.unwrap();
    assert_eq!(done.instances, BTreeMap::from([("updated", 1)]));
    // Those of region b are there, and behind.
    stage.stands("1/a");

    // The region answers again: what stays there is brought up to date, and what is not wanted goes.
    stage.sets.mend();
    next.left_regions.clear();
    let done = stage.run(&next).await.unwrap();
    assert_eq!(
        done.instances,
        BTreeMap::from([("created", 1), ("updated", 1), ("deleted", 1)])
    );
    stage.stands("1/a 1/b 3/b");
}

#[tokio::test]
async fn an_operation_that_fails_is_a_failure_with_each_reason() {
    let stage = Stage::new();
    stage.sets.fail(&Pair::new("2", "a"), "the role is missing");
    let error = stage.run(&wanted("1/a 2/a 3/a")).await.unwrap_err();
    let RollOutError::Ended {
        operation,
        failed,
        cancelled,
        instances,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(operation.status.as_str(), "FAILED");
    assert_eq!((failed.len(), *cancelled, *instances), (1, 1, 3));
    assert_eq!(failed[0].reason.as_deref(), Some("the role is missing"));
    assert_eq!(error.to_string(), "stack set `set`: CREATE ended in FAILED");
    stage.stands("1/a");

    // With the cause removed, the next run takes up what is behind, and nothing else.
    stage.sets.mend();
    stage.said();
    stage.run(&wanted("1/a 2/a 3/a")).await.unwrap();
    stage.stands("1/a 2/a 3/a");
    assert_eq!(stage.said()[1], "planned +2 ~0 -0 =1 !0");
    // A second try has an id of its own, or the service would take it for the first.
    let ids: BTreeSet<_> = stage
        .sets
        .begun(&at())
        .into_iter()
        .map(|operation| operation.id)
        .collect();
    assert_eq!(ids.len(), 2);
}

#[tokio::test]
async fn failures_that_are_tolerated_are_told() {
    let stage = Stage::new();
    stage.sets.fail(&Pair::new("2", "a"), "the role is missing");
    let mut wanted = wanted("1/a 2/a 3/a");
    wanted.preferences.failure_tolerance = Amount::Count(1);
    let done = stage.run(&wanted).await.unwrap();
    assert_eq!(done.tolerated.len(), 1);
    stage.stands("1/a 3/a");
}

#[tokio::test]
async fn a_stopped_operation_is_a_failure_and_asked_for_it_is_not() {
    let stage = Stage::new();
    stage.sets.put_set(&at(), &wanted("").definition, &[]);
    stage.sets.begin_foreign(&at(), "RUNNING", 50);
    let stopped = stage.roll_out().stop(&at()).await.unwrap().unwrap();
    assert_eq!(stopped.status.as_str(), "STOPPED");
    assert_eq!(stage.roll_out().stop(&at()).await.unwrap(), None);
}

#[tokio::test]
async fn others_have_their_turn() {
    for status in ["RUNNING", "QUEUED", "STOPPING"] {
        let stage = Stage::new();
        stage.sets.put_set(&at(), &wanted("").definition, &[]);
        stage.sets.begin_foreign(&at(), status, 5);
        stage.run(&wanted("1/a")).await.unwrap();
        stage.stands("1/a");
        assert_eq!(stage.said()[1], "waiting for theirs false", "{status}");
    }
}

#[tokio::test]
async fn an_operation_that_comes_in_between_is_waited_for() {
    let stage = Stage::new();
    stage.sets.put_set(&at(), &wanted("").definition, &[]);
    let roll_out = stage.roll_out();
    let plan = roll_out.plan(&wanted("1/a")).await.unwrap();
    // Somebody was quicker, between the plan and its first operation.
    stage.sets.begin_foreign(&at(), "RUNNING", 3);
    let mut done = RolledOut::default();
    let set_id = plan.set_id.clone().unwrap();
    let held = roll_out
        .perform(&wanted("1/a"), &plan, &set_id, &mut done)
        .await
        .unwrap();
    assert!(!held, "the plan no longer holds");
    stage.run(&wanted("1/a")).await.unwrap();
    stage.stands("1/a");
}

#[tokio::test]
async fn an_instance_that_takes_no_operation_is_told_at_the_end() {
    let stage = Stage::new();
    let one = Pair::new("1", "a");
    stage
        .sets
        .put_set(&at(), &wanted("").definition, std::slice::from_ref(&one));
    stage
        .sets
        .put_status(&at(), &one, "INOPERABLE", "INOPERABLE");
    let error = stage.run(&wanted("1/a 2/a")).await.unwrap_err();
    assert!(
        matches!(&error, RollOutError::Stuck { pairs, .. } if pairs.contains_key(&one)),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "stack set `set`: 1 instance takes no operation"
    );
    stage.stands("2/a");
}

#[tokio::test]
async fn own_values_are_given_kept_and_taken_back() {
    let own = |value: &str| Overrides::from([("P".to_owned(), value.to_owned())]);
    let stage = Stage::new();
    let mut wanted = wanted("1/a 2/a 3/a");
    stage.run(&wanted).await.unwrap();
    let asked = |stage: &Stage| {
        let calls = stage.sets.calls();
        calls
            .iter()
            .filter(|call| call.starts_with("instance_overrides"))
            .count()
    };
    assert_eq!(asked(&stage), 0, "nobody has values of their own");

    wanted.targets.overrides = BTreeMap::from([(Pair::new("2", "a"), own("x"))]);
    stage.run(&wanted).await.unwrap();
    let standing = stage.sets.standing(&at());
    assert_eq!(standing[&Pair::new("2", "a")], own("x"));
    assert_eq!(standing[&Pair::new("1", "a")], Overrides::new());
    let writes = stage.sets.writes().len();
    assert!(stage.run(&wanted).await.unwrap().is_unchanged());
    assert_eq!(stage.sets.writes().len(), writes);

    // Nothing in the file tells of it any more; the set's tag does.
    wanted.targets.overrides.clear();
    stage.run(&wanted).await.unwrap();
    assert!(stage.sets.standing(&at()).values().all(Overrides::is_empty));
    assert!(stage.run(&wanted).await.unwrap().is_unchanged());
}

#[tokio::test]
async fn units_get_what_their_accounts_are() {
    let stage = Stage::new();
    let unit = "ou-ab12-11111111";
    stage.sets.put_unit(unit, &["1", "2"]);
    stage.sets.put_unit("ou-ab12-22222222", &[]);
    let mut wanted = wanted("ou-ab12-11111111/a ou-ab12-22222222/a");
    wanted.definition.permissions = Permissions::ServiceManaged(AutoDeployment {
        enabled: true,
        retain_on_removal: true,
    });
    stage.run(&wanted).await.unwrap();
    stage.stands("1/a 2/a");
    assert!(stage.run(&wanted).await.unwrap().is_unchanged());

    // Auto-deployment is switched for the whole set.
    wanted.definition.permissions = Permissions::ServiceManaged(AutoDeployment::default());
    stage.run(&wanted).await.unwrap();
    assert_eq!(
        stage.sets.definition(&at()).unwrap().permissions,
        wanted.definition.permissions
    );
    wanted.targets.pairs = pairs("ou-ab12-22222222/a");
    stage.run(&wanted).await.unwrap();
    stage.stands("");

    wanted.definition.permissions = self::wanted("").definition.permissions;
    let error = stage.run(&wanted).await.unwrap_err();
    assert!(matches!(error, RollOutError::PermissionModel { .. }));
}

#[tokio::test]
async fn a_deletion_that_fails_leaves_the_set() {
    let stage = Stage::new();
    stage.run(&wanted("1/a 2/a")).await.unwrap();
    stage
        .sets
        .fail(&Pair::new("2", "a"), "the bucket is not empty");
    let preferences = Preferences::default();
    let error = stage
        .roll_out()
        .remove(&at(), &preferences, false)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, RollOutError::Ended { failed, .. } if failed.len() == 1),
        "{error:?}"
    );
    assert!(stage.sets.definition(&at()).is_some());
    // Its stack may stay: then nothing can fail.
    let removed = stage.roll_out().remove(&at(), &preferences, true).await;
    assert!(removed.unwrap().is_some());
    assert_eq!(stage.sets.definition(&at()), None);
}

#[tokio::test]
async fn drift_is_told_by_instance_and_property() {
    let stage = Stage::new();
    stage.run(&wanted("1/a 2/a")).await.unwrap();
    let drift = InstanceDrift {
        pair: Pair::new("2", "a"),
        status: DriftStatus::Drifted,
        resources: vec![ResourceDrift {
            logical_id: "Table".to_owned(),
            physical_id: "t".to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            status: "MODIFIED".to_owned(),
            differences: vec![("/A".to_owned(), "1".to_owned(), "2".to_owned())],
        }],
    };
    stage.sets.drift(drift.clone());
    let report = stage
        .roll_out()
        .drift(&at(), &Preferences::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((report.set.drifted, report.set.in_sync), (1, 1));
    assert_eq!(report.instances, [drift]);
}

#[tokio::test]
async fn a_plan_only_reads() {
    let stage = Stage::new();
    stage.run(&wanted("1/a 2/a")).await.unwrap();
    let before = stage.sets.writes().len();
    let mut next = wanted("2/a 3/a");
    next.definition.template_body = "two".to_owned();
    next.targets.overrides = BTreeMap::from([(
        Pair::new("2", "a"),
        Overrides::from([("P".to_owned(), "x".to_owned())]),
    )]);
    let plan = stage.roll_out().plan(&next).await.unwrap();
    assert!(!plan.is_empty());
    assert_eq!(stage.sets.writes().len(), before);
}

const TABLE: &str = "
Parameters:
  Name: {Type: String, Default: a}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Ref Name}
";

/// Rolls `next` out over what stands; the logical ids of what stops it, each with the first cause.
async fn stopped(
    standing: &WantedStackSet,
    next: &WantedStackSet,
) -> Result<RolledOut, Vec<String>> {
    let stage = Stage::new();
    stage.run(standing).await.unwrap();
    let before = stage.sets.writes();
    match stage.run(next).await {
        Ok(done) => Ok(done),
        Err(RollOutError::Guarded { guarded, .. }) => {
            assert_eq!(stage.sets.writes(), before, "nothing is written");
            Err(guarded
                .iter()
                .map(|lost| {
                    format!(
                        "{} {}: {}",
                        lost.logical_id,
                        lost.loss.verb(),
                        lost.causes[0]
                    )
                })
                .collect())
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn data_in_any_instance_stops_a_roll_out() {
    let table = |pairs: &str| {
        let mut set = wanted(pairs);
        set.definition.template_body = TABLE.to_owned();
        set
    };
    let standing = table("1/a 2/a");
    let check = async |next: WantedStackSet, expected: &[&str]| {
        let lost = stopped(&standing, &next).await.err().unwrap_or_default();
        assert_eq!(lost, expected);
        // Named, each of them goes through.
        let mut allowed = next;
        allowed.allow_replace = AllowReplace::parse(&["table/Table".to_owned()]).unwrap();
        assert!(stopped(&standing, &allowed).await.is_ok());
    };
    check(standing.clone(), &[]).await;
    check(table("1/a 2/a 3/a"), &[]).await;
    check(
        table("1/a"),
        &["Table would be removed: instances that stackway.toml no longer wants go: 2/a"],
    )
    .await;

    let mut renamed = standing.clone();
    renamed
        .definition
        .parameters
        .insert("Name".to_owned(), "b".to_owned());
    let lost = stopped(&standing, &renamed).await.unwrap_err();
    assert_eq!(lost.len(), 1);
    assert!(lost[0].starts_with("Table would be replaced"), "{lost:?}");

    // By the value of one instance alone.
    let mut own = standing.clone();
    own.targets.overrides.insert(
        Pair::new("2", "a"),
        Overrides::from([("Name".to_owned(), "b".to_owned())]),
    );
    let lost = stopped(&standing, &own).await.unwrap_err();
    assert!(lost[0].starts_with("Table would be replaced"), "{lost:?}");

    let mut without = standing.clone();
    without.definition.template_body = "Resources: {Topic: {Type: 'AWS::SNS::Topic'}}".to_owned();
    let lost = stopped(&standing, &without).await.unwrap_err();
    assert!(lost[0].starts_with("Table would be removed"), "{lost:?}");
}
