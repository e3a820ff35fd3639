//! Networks: endpoints of AWS's services in a VPC, and the zones that names in it are in.

use rust_decimal::Decimal;

use super::{Billed, Charge, HOURS, Subject};
use crate::evaluate::Value;

/// An interface endpoint is paid by the hour in each zone, and by what goes through it; one of a gateway is free.
///
/// See [PrivateLink pricing](https://aws.amazon.com/privatelink/pricing/).
pub(super) fn endpoint(subject: &mut Subject<'_>) -> Billed {
    match subject.text(&["VpcEndpointType"], "Gateway").as_str() {
        "Gateway" => Billed::Nothing,
        "Interface" => {
            // One zone where the list is not known, the least that AWS takes.
            let zones = match subject.resource.properties.at(&["SubnetIds"]) {
                Value::List(subnets) => u32::try_from(subnets.len().max(1)).unwrap_or(1),
                _ => 1,
            };
            Billed::For(vec![
                Charge {
                    item: "vpc-endpoint-hours",
                    quantity: Decimal::from(HOURS) * Decimal::from(zones),
                },
                Charge {
                    item: "vpc-endpoint-gb",
                    quantity: subject.usage("vpc_endpoint.gb"),
                },
            ])
        }
        other => Billed::NotPriced(format!("there is no rule for {other} endpoints")),
    }
}

/// A namespace of Cloud Map whose names are in DNS has a zone of Route 53. What ECS registers in it is free; what else
/// asks Cloud Map is paid by the call, which the templates do not tell.
///
/// See [Cloud Map pricing](https://aws.amazon.com/cloud-map/pricing/).
pub(super) fn namespace() -> Billed {
    Billed::one("hosted-zones", Decimal::ONE)
}
