//! What holds data: tables, buckets, images, keys, secrets, parameters.

use rust_decimal::Decimal;

use super::{Billed, Charge, HOURS, Subject, units};

/// A write unit takes 1 KB of an item, a read unit 4 KB.
///
/// See [capacity units](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html).
const WRITE_KB: u32 = 1;
const READ_KB: u32 = 4;

/// More capacity than this is a slip; AWS gives a table 40,000 units.
const CAPACITY_MAX: u32 = 100_000_000;

pub(super) fn table(subject: &mut Subject<'_>) -> Billed {
    let class = subject.text(&["TableClass"], "STANDARD");
    if class != "STANDARD" {
        return Billed::NotPriced(format!("there is no rule for table class {class}"));
    }
    let indexes = subject
        .resource
        .properties
        .at(&["GlobalSecondaryIndexes"])
        .items();
    let copies = Decimal::from(u32::try_from(indexes.len()).unwrap_or_default() + 1);
    let mut charges = Vec::new();
    // What CloudFormation takes where the template does not say.
    if subject.text(&["BillingMode"], "PROVISIONED") == "PROVISIONED" {
        let capacity = |subject: &mut Subject<'_>, key: &str| {
            let table = subject.number(&["ProvisionedThroughput", key], 5, CAPACITY_MAX);
            let indexes = subject
                .resource
                .properties
                .at(&["GlobalSecondaryIndexes"])
                .items();
            let of_indexes = indexes.iter().filter_map(|index| {
                let text = index.at(&["ProvisionedThroughput", key]).text()?;
                text.parse::<Decimal>().ok().filter(|units| {
                    !units.is_sign_negative() && *units <= Decimal::from(CAPACITY_MAX)
                })
            });
            (table + of_indexes.sum::<Decimal>()) * Decimal::from(HOURS)
        };
        charges.push(Charge {
            item: "dynamodb-write-capacity",
            quantity: capacity(subject, "WriteCapacityUnits"),
        });
        charges.push(Charge {
            item: "dynamodb-read-capacity",
            quantity: capacity(subject, "ReadCapacityUnits"),
        });
    } else {
        let item = subject.usage("dynamodb.item_kb");
        charges.push(Charge {
            item: "dynamodb-write-units",
            // A write goes to every index too.
            quantity: subject.usage("dynamodb.writes") * units(item, WRITE_KB) * copies,
        });
        charges.push(Charge {
            item: "dynamodb-read-units",
            quantity: subject.usage("dynamodb.reads") * units(item, READ_KB),
        });
    }
    let stored = subject.usage("dynamodb.storage_gb") * copies;
    charges.push(Charge {
        item: "dynamodb-storage",
        quantity: stored,
    });
    let path = [
        "PointInTimeRecoverySpecification",
        "PointInTimeRecoveryEnabled",
    ];
    if subject.text(&path, "false") == "true" {
        charges.push(Charge {
            item: "dynamodb-pitr",
            quantity: subject.usage("dynamodb.storage_gb"),
        });
    }
    Billed::For(charges)
}

/// Each replica is written and stored as a table of its own, at the price of the stack's region; what is sent between regions
/// is not counted.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/global-tables-billing.html>
pub(super) fn global_table(subject: &mut Subject<'_>) -> Billed {
    if subject.text(&["BillingMode"], "PROVISIONED") == "PROVISIONED" {
        return Billed::NotPriced(
            "there is no rule for a global table with provisioned capacity".to_owned(),
        );
    }
    let replicas = subject.resource.properties.at(&["Replicas"]).items();
    let recoverable = replicas.iter().filter(|replica| {
        let path = [
            "PointInTimeRecoverySpecification",
            "PointInTimeRecoveryEnabled",
        ];
        replica.at(&path).text() == Some("true")
    });
    let count = |count: usize| Decimal::from(u32::try_from(count).unwrap_or_default());
    let (replicas, recoverable) = (count(replicas.len()), count(recoverable.count()));
    let item = subject.usage("dynamodb.item_kb");
    let stored = subject.usage("dynamodb.storage_gb");
    Billed::For(vec![
        Charge {
            item: "dynamodb-write-units",
            quantity: subject.usage("dynamodb.writes") * units(item, WRITE_KB) * replicas,
        },
        Charge {
            item: "dynamodb-read-units",
            quantity: subject.usage("dynamodb.reads") * units(item, READ_KB),
        },
        Charge {
            item: "dynamodb-storage",
            quantity: stored * replicas,
        },
        Charge {
            item: "dynamodb-pitr",
            quantity: stored * recoverable,
        },
    ])
}

pub(super) fn bucket(subject: &mut Subject<'_>) -> Billed {
    Billed::For(vec![
        Charge {
            item: "s3-storage",
            quantity: subject.usage("s3.storage_gb"),
        },
        Charge {
            item: "s3-puts",
            quantity: subject.usage("s3.puts"),
        },
        Charge {
            item: "s3-gets",
            quantity: subject.usage("s3.gets"),
        },
    ])
}

pub(super) fn repository(subject: &mut Subject<'_>) -> Billed {
    let stored = subject.usage("ecr.images") * subject.usage("ecr.image_mb");
    Billed::one("ecr-storage", stored / Decimal::from(1024))
}

pub(super) fn key(subject: &mut Subject<'_>) -> Billed {
    if subject.text(&["Origin"], "AWS_KMS") == "AWS_CLOUDHSM" {
        return Billed::NotPriced("there is no rule for keys of a custom key store".to_owned());
    }
    Billed::For(vec![
        Charge {
            item: "kms-keys",
            quantity: Decimal::ONE,
        },
        Charge {
            item: "kms-requests",
            quantity: subject.usage("kms.requests"),
        },
    ])
}

pub(super) fn secret(subject: &mut Subject<'_>) -> Billed {
    // A copy in another region is a secret of its own.
    let copies = subject
        .resource
        .properties
        .at(&["ReplicaRegions"])
        .items()
        .len();
    Billed::For(vec![
        Charge {
            item: "secrets",
            quantity: Decimal::from(u32::try_from(copies).unwrap_or_default() + 1),
        },
        Charge {
            item: "secret-requests",
            quantity: subject.usage("secrets.calls"),
        },
    ])
}

pub(super) fn parameter(subject: &mut Subject<'_>) -> Billed {
    match subject.text(&["Tier"], "Standard").as_str() {
        "Advanced" => Billed::one("ssm-advanced-parameters", Decimal::ONE),
        _ => Billed::Nothing,
    }
}
