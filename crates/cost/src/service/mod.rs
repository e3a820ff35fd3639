//! What each type of resource is billed for: one file a family of services.
//!
//! A rule turns a resource's resolved properties and its usage into quantities of the price book's items. It knows no
//! prices. A type without a rule is "not priced", and said to be.

mod api;
mod compute;
mod delivery;
mod free;
mod messaging;
mod network;
mod observability;
mod storage;

use rust_decimal::Decimal;

use crate::evaluate::{Gap, Resource, Value};
use crate::usage::Profile;

/// Hours of a month, as AWS's own calculator counts them.
pub(crate) const HOURS: u32 = 730;

/// A quantity of an item in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// The item's id in the price book.
    pub(crate) item: &'static str,
    pub(crate) quantity: Decimal,
}

/// What a resource is billed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Billed {
    /// For these quantities.
    For(Vec<Charge>),
    /// For nothing of its own.
    Nothing,
    /// For something that there is no rule for.
    NotPriced(String),
}

/// A resource with all that a rule may look at.
pub(crate) struct Subject<'a> {
    pub(crate) stack: &'a str,
    pub(crate) resource: &'a Resource,
    /// All resources of the stack.
    pub(crate) stack_resources: &'a [Resource],
    pub(crate) profile: &'a Profile,
    /// What a rule could not tell, and what it took in place of it.
    pub(crate) gaps: &'a mut Vec<Gap>,
}

/// What a resource is billed for.
pub(crate) fn billed(subject: &mut Subject<'_>) -> Billed {
    match subject.resource.resource_type.as_str() {
        "AWS::ApiGatewayV2::Api" => api::http(subject),
        "AWS::ApiGateway::RestApi" => api::rest(subject),
        "AWS::Lambda::Function" => compute::function(subject),
        "AWS::Lambda::Alias" => compute::alias(subject),
        "AWS::ECS::Service" => compute::service(subject),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => compute::load_balancer(subject),
        "AWS::EC2::EIP" => Billed::one("public-ipv4-hours", Decimal::from(HOURS)),
        "AWS::EC2::VPCEndpoint" => network::endpoint(subject),
        "AWS::ServiceDiscovery::PrivateDnsNamespace"
        | "AWS::ServiceDiscovery::PublicDnsNamespace" => network::namespace(),
        "AWS::DynamoDB::GlobalTable" => storage::global_table(subject),
        "AWS::DynamoDB::Table" => storage::table(subject),
        "AWS::S3::Bucket" => storage::bucket(subject),
        "AWS::ECR::Repository" => storage::repository(subject),
        "AWS::KMS::Key" => storage::key(subject),
        "AWS::SecretsManager::Secret" => storage::secret(subject),
        "AWS::SSM::Parameter" => storage::parameter(subject),
        "AWS::Logs::LogGroup" => observability::log_group(subject),
        "AWS::Logs::MetricFilter" => Billed::one("custom-metrics", Decimal::ONE),
        "AWS::CloudWatch::Alarm" => observability::alarm(subject),
        "AWS::CloudWatch::Dashboard" => Billed::one("dashboards", Decimal::ONE),
        "AWS::CodePipeline::Pipeline" => delivery::pipeline(subject),
        "AWS::CodeBuild::Project" => delivery::project(subject),
        "AWS::StepFunctions::StateMachine" => messaging::state_machine(subject),
        "AWS::SNS::Topic" => messaging::topic(subject),
        "AWS::SQS::Queue" => messaging::queue(subject),
        "" => Billed::NotPriced("it has no type".to_owned()),
        kind if free::is_free(kind) => Billed::Nothing,
        kind => Billed::NotPriced(format!("there is no rule for {kind}")),
    }
}

impl Billed {
    fn one(item: &'static str, quantity: Decimal) -> Self {
        Self::For(vec![Charge { item, quantity }])
    }
}

impl Subject<'_> {
    /// A figure of the usage.
    fn usage(&self, key: &'static str) -> Decimal {
        self.profile.figure(self.stack, &self.resource.id, key)
    }

    fn gap(&mut self, line: usize, what: String) {
        self.gaps.push(Gap { line, what });
    }

    /// A property as text; `default` where it is not set, and where it is not known, which is then said.
    fn text(&mut self, path: &[&str], default: &str) -> String {
        let id = &self.resource.id;
        let (line, why) = match self.resource.properties.at(path) {
            Value::Text(text) => return text.clone(),
            Value::Absent => return default.to_owned(),
            Value::Unknown(unknown) => (unknown.line, unknown.why.clone()),
            Value::List(_) | Value::Map(_) | Value::Resource(_) => {
                (self.resource.line, "it is not text".to_owned())
            }
        };
        let what = format!("`{}` of `{id}` counts as {default}: {why}", path.join("."));
        self.gap(line, what);
        default.to_owned()
    }

    /// A property as a number from 0 to `most`, with the same rules.
    fn number(&mut self, path: &[&str], default: u32, most: u32) -> Decimal {
        let text = self.text(path, &default.to_string());
        let number = text.trim().parse::<Decimal>().ok();
        let fits = number.filter(|number| {
            !number.is_sign_negative() && *number <= Decimal::from(most) && number.scale() <= 6
        });
        fits.unwrap_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let what = format!(
                "`{}` of `{}` counts as {default}: `{shown}` is no number from 0 to {most}",
                path.join("."),
                self.resource.id
            );
            self.gap(self.resource.line, what);
            Decimal::from(default)
        })
    }

    /// The resource of that type that a value refers to: by its logical id, or by the name that it is given.
    fn referred<'s>(&'s self, value: &Value, kind: &str, name: &str) -> Option<&'s Resource> {
        self.stack_resources.iter().find(|other| {
            other.resource_type == kind
                && match value {
                    Value::Resource(id) => *id == other.id,
                    Value::Text(text) => other.properties.at(&[name]).text() == Some(text),
                    Value::Unknown(unknown) => unknown.resource.as_ref() == Some(&other.id),
                    Value::Absent | Value::List(_) | Value::Map(_) => false,
                }
        })
    }
}

/// How many units of `size` a quantity takes, at least one.
fn units(quantity: Decimal, size: u32) -> Decimal {
    (quantity / Decimal::from(size)).ceil().max(Decimal::ONE)
}
