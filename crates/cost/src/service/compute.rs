//! Lambda, Fargate and what stands before them.

use rust_decimal::Decimal;

use super::{Billed, Charge, HOURS, Subject, observability};
use crate::evaluate::Value;

const SECONDS_OF_HOUR: u32 = 3600;

/// Lambda's default memory, and what a function has free of temporary storage; both in MB.
const MEMORY_DEFAULT: u32 = 128;
const STORAGE_FREE: u32 = 512;

const MB_OF_GB: u32 = 1024;

/// The metrics of crates/api/src/metrics.rs, and the routes that can have one more.
const METRICS_OF_SERVICE: u32 = 6;
const METRICS_OF_ROUTES: u32 = 9;

pub(super) fn function(subject: &mut Subject<'_>) -> Billed {
    let requests = subject.usage("lambda.requests");
    let seconds = requests * subject.usage("lambda.duration_ms") / Decimal::ONE_THOUSAND;
    let memory = subject.number(&["MemorySize"], MEMORY_DEFAULT, 10_240);
    let gb_seconds = seconds * memory / Decimal::from(MB_OF_GB);
    let arm = (subject.resource.properties.at(&["Architectures"]).items())
        .iter()
        .any(|architecture| architecture.text() == Some("arm64"));
    let mut charges = vec![
        Charge {
            item: "lambda-requests",
            quantity: requests,
        },
        Charge {
            item: if arm {
                "lambda-gb-seconds-arm"
            } else {
                "lambda-gb-seconds-x86"
            },
            quantity: gb_seconds,
        },
    ];
    let metrics = subject.text(&["Environment", "Variables", "METRICS"], "none");
    charges.extend(metrics_in_log(&metrics));
    let storage = subject.number(&["EphemeralStorage", "Size"], STORAGE_FREE, 10_240);
    let extra = storage - Decimal::from(STORAGE_FREE);
    if extra > Decimal::ZERO {
        charges.push(Charge {
            item: "lambda-storage-gb-seconds",
            quantity: seconds * extra / Decimal::from(MB_OF_GB),
        });
    }
    if subject.text(&["TracingConfig", "Mode"], "PassThrough") == "Active" {
        charges.push(Charge {
            item: "xray-traces",
            quantity: subject.usage("xray.traces"),
        });
    }
    // A function writes a log group all the same; one that the template does not declare keeps it for ever.
    let declared =
        (subject.stack_resources.iter()).any(|other| other.resource_type == "AWS::Logs::LogGroup");
    if !declared {
        charges.extend(observability::logs(
            subject,
            Decimal::from(observability::KEPT_MONTHS),
        ));
    }
    Billed::For(charges)
}

/// As the API of this project says it: metrics in its log are billed as any others.
fn metrics_in_log(detail: &str) -> Option<Charge> {
    let metrics = match detail {
        "service" => METRICS_OF_SERVICE,
        "route" => METRICS_OF_SERVICE + METRICS_OF_ROUTES,
        _ => return None,
    };
    Some(Charge {
        item: "custom-metrics",
        quantity: Decimal::from(metrics),
    })
}

/// An alias costs by provisioned concurrency alone.
pub(super) fn alias(subject: &mut Subject<'_>) -> Billed {
    let path = [
        "ProvisionedConcurrencyConfig",
        "ProvisionedConcurrentExecutions",
    ];
    let provisioned = subject.number(&path, 0, 100_000);
    if provisioned.is_zero() {
        return Billed::Nothing;
    }
    let function = subject.resource.properties.at(&["FunctionName"]);
    let memory = (subject.referred(function, "AWS::Lambda::Function", "FunctionName"))
        .and_then(|function| {
            function
                .properties
                .at(&["MemorySize"])
                .text()?
                .parse::<Decimal>()
                .ok()
        })
        .filter(|memory| *memory > Decimal::ZERO && *memory <= Decimal::from(10_240))
        .unwrap_or_else(|| Decimal::from(MEMORY_DEFAULT));
    let seconds = Decimal::from(HOURS * SECONDS_OF_HOUR);
    Billed::one(
        "lambda-provisioned-gb-seconds",
        provisioned * memory / Decimal::from(MB_OF_GB) * seconds,
    )
}

/// Tasks of a service on Fargate: processors and memory of its task definition, and a public address each.
pub(super) fn service(subject: &mut Subject<'_>) -> Billed {
    let launch = subject.text(&["LaunchType"], "");
    let providers = subject
        .resource
        .properties
        .at(&["CapacityProviderStrategy"]);
    let fargate = launch == "FARGATE"
        || (providers.items().iter())
            .any(|provider| provider.at(&["CapacityProvider"]).text() == Some("FARGATE"));
    if !fargate {
        return Billed::NotPriced(
            "there is no rule for services that are not on Fargate".to_owned(),
        );
    }
    let tasks = tasks(subject);
    let hours = tasks * subject.usage("fargate.hours");
    let reference = subject.resource.properties.at(&["TaskDefinition"]);
    let definition = subject.referred(reference, "AWS::ECS::TaskDefinition", "Family");
    let size = |property: &str| {
        let value = definition?.properties.at(&[property]).text()?;
        let number = value.trim().parse::<Decimal>().ok()?;
        (number > Decimal::ZERO && number <= Decimal::from(1_000_000)).then_some(number)
    };
    let (Some(cpu), Some(memory)) = (size("Cpu"), size("Memory")) else {
        return Billed::NotPriced("the size of its task definition is not known".to_owned());
    };
    let arm = definition.is_some_and(|definition| {
        let path = ["RuntimePlatform", "CpuArchitecture"];
        definition.properties.at(&path).text() == Some("ARM64")
    });
    let item = |x86, arm64| if arm { arm64 } else { x86 };
    let mut charges = vec![
        Charge {
            item: item("fargate-vcpu-hours", "fargate-arm-vcpu-hours"),
            quantity: hours * cpu / Decimal::from(MB_OF_GB),
        },
        Charge {
            item: item("fargate-gb-hours", "fargate-arm-gb-hours"),
            quantity: hours * memory / Decimal::from(MB_OF_GB),
        },
    ];
    let path = [
        "NetworkConfiguration",
        "AwsvpcConfiguration",
        "AssignPublicIp",
    ];
    if subject.text(&path, "DISABLED") == "ENABLED" {
        charges.push(Charge {
            item: "public-ipv4-hours",
            quantity: hours,
        });
    }
    let metrics = definition_variable(subject, "METRICS");
    charges.extend(metrics.as_deref().and_then(metrics_in_log));
    Billed::For(charges)
}

/// How many tasks run: those that the service wants, or the least that its scaling keeps.
fn tasks(subject: &mut Subject<'_>) -> Decimal {
    const DIMENSION: &str = "ecs:service:DesiredCount";
    let scaling = (subject.stack_resources.iter()).find(|other| {
        other.resource_type == "AWS::ApplicationAutoScaling::ScalableTarget"
            && other.properties.at(&["ScalableDimension"]).text() == Some(DIMENSION)
    });
    let least = scaling.and_then(|scaling| {
        let least = scaling.properties.at(&["MinCapacity"]).text()?;
        least.trim().parse::<u32>().ok()
    });
    let least = least.filter(|least| *least <= 100_000).unwrap_or(1);
    subject.number(&["DesiredCount"], least, 100_000)
}

/// A variable of the first container that has it.
fn definition_variable(subject: &Subject<'_>, name: &str) -> Option<String> {
    let reference = subject.resource.properties.at(&["TaskDefinition"]);
    let definition = subject.referred(reference, "AWS::ECS::TaskDefinition", "Family")?;
    let containers = definition.properties.at(&["ContainerDefinitions"]);
    let mut variables =
        (containers.items().iter()).flat_map(|container| container.at(&["Environment"]).items());
    let found = variables.find(|variable| variable.at(&["Name"]).text() == Some(name))?;
    found.at(&["Value"]).text().map(str::to_owned)
}

pub(super) fn load_balancer(subject: &mut Subject<'_>) -> Billed {
    let kind = subject.text(&["Type"], "application");
    if kind != "application" {
        return Billed::NotPriced(format!("there is no rule for {kind} load balancers"));
    }
    let hours = Decimal::from(HOURS);
    let mut charges = vec![
        Charge {
            item: "alb-hours",
            quantity: hours,
        },
        Charge {
            item: "alb-lcu-hours",
            quantity: hours * subject.usage("alb.lcu"),
        },
    ];
    if subject.text(&["Scheme"], "internet-facing") == "internet-facing" {
        // One address for each subnet; two where the list is not known, the least that AWS takes.
        let subnets = match subject.resource.properties.at(&["Subnets"]) {
            Value::List(subnets) => u32::try_from(subnets.len()).unwrap_or(2),
            _ => 2,
        };
        charges.push(Charge {
            item: "public-ipv4-hours",
            quantity: hours * Decimal::from(subnets),
        });
    }
    Billed::For(charges)
}
