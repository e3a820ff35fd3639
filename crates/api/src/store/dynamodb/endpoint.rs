//! Where the table's requests go, decided once.

use std::fmt;

use aws_sdk_dynamodb::config::endpoint::{
    Endpoint, EndpointFuture, Params, ResolveEndpoint, SharedEndpointResolver,
};
use stackway_aws_client::endpoint::regional;

/// Gives the same endpoint for every request.
///
/// The SDK's own resolver reads the list of all partitions when it is made, a third of what a cold start may cost, and
/// runs its rules again for each request.
struct Fixed(Endpoint);

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fixed").field(&self.0.url()).finish()
    }
}

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint(&self, _: &Params) -> EndpointFuture<'_> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}

/// The resolver for the address that is used in place of the region's own, or for `region`.
///
/// `None` leaves a region that is not known here to the rules of the SDK.
pub(super) fn resolver(instead: Option<String>, region: &str) -> Option<SharedEndpointResolver> {
    let url = instead.or_else(|| regional("dynamodb", region))?;
    Some(Fixed(Endpoint::builder().url(url).build()).into_shared_resolver())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::endpoint::DefaultResolver;

    use super::*;

    /// What is fixed here is what the SDK's rules would say.
    #[test]
    fn a_region_has_the_endpoint_that_the_sdk_gives_it() {
        for region in [
            "us-east-1",
            "eu-west-2",
            "ap-southeast-7",
            "ca-west-1",
            "il-central-1",
            "mx-central-1",
            "me-south-1",
            "af-south-1",
            "sa-east-1",
        ] {
            let params = Params::builder().region(region).build().unwrap();
            let resolver = DefaultResolver::new();
            let future = ResolveEndpoint::resolve_endpoint(&resolver, &params);
            let theirs = futures::executor::block_on(future).unwrap();
            assert_eq!(
                regional("dynamodb", region).as_deref(),
                Some(theirs.url()),
                "{region}"
            );
        }
    }

    #[test]
    fn other_partitions_are_left_to_the_sdk() {
        for region in [
            "cn-north-1",
            "us-gov-west-1",
            "us-iso-east-1",
            "eusc-de-east-1",
            "nowhere",
            "",
            "eu-west-2a",
            "eu--2",
        ] {
            assert_eq!(regional("dynamodb", region), None, "{region}");
        }
    }

    #[test]
    fn an_address_goes_before_the_region() {
        let resolver = resolver(Some("http://127.0.0.1:8000".into()), "eu-west-2");
        assert!(
            format!("{resolver:?}").contains("http://127.0.0.1:8000"),
            "{resolver:?}"
        );
        assert!(super::resolver(None, "cn-north-1").is_none());
    }
}
