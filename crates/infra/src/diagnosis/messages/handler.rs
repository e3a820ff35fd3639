//! The error codes of resource handlers: what is known of an error by its kind alone.
//!
//! See [handler error codes](https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html).

use super::message;
use crate::diagnosis::KnownMessage;

pub(super) const MESSAGES: &[KnownMessage] = &[
    message(
        "handler-already-exists",
        &[],
        &["handlererrorcode: alreadyexists"],
        "a resource of that name is there, and is not the stack's: left by a stack that retained it, or made by hand",
        "import it into the stack, delete it, or choose another name",
    ),
    message(
        "resource-exists",
        &[],
        &["resource of type", "already exists"],
        "a resource of that name is there, and is not the stack's: left by a stack that retained it, or made by hand",
        "import it into the stack, delete it, or choose another name",
    ),
    message(
        "handler-access-denied",
        &[],
        &["handlererrorcode: accessdenied"],
        "whoever deploys, or the stack's role, lacks a permission",
        "allow the action that the reason names; `cargo xtask doctor` names others that are lacking",
    ),
    message(
        "handler-not-found",
        &[],
        &["handlererrorcode: notfound"],
        "the resource is gone: somebody removed it outside of the stack, or what it refers to is not there",
        "run `cargo xtask drift`; take it out of the template and deploy, then put it back",
    ),
    message(
        "handler-not-updatable",
        &[],
        &["handlererrorcode: notupdatable"],
        "a property was changed that cannot be changed on a resource that stands",
        "take the property back, or give the resource another logical id, which makes it anew",
    ),
    message(
        "handler-throttling",
        &[],
        &["handlererrorcode: throttling"],
        "the service got too many calls",
        "deploy again; if it comes back, let resources of that type depend on one another",
    ),
    message(
        "handler-limit",
        &[],
        &["handlererrorcode: servicelimitexceeded"],
        "a quota of the service is used up",
        "delete what nobody uses, or have the quota raised: `aws service-quotas list-service-quotas`",
    ),
    message(
        "handler-conflict",
        &[],
        &["handlererrorcode: resourceconflict"],
        "another operation on the resource was under way",
        "deploy again once it has ended",
    ),
    message(
        "handler-not-stabilized",
        &[],
        &["handlererrorcode: notstabilized"],
        "the resource was made and did not become ready in time",
        "look at its state in its own service",
    ),
    message(
        "handler-credentials",
        &[],
        &["handlererrorcode: invalidcredentials"],
        "the credentials of the operation were refused",
        "log in again, then repeat the operation",
    ),
    message(
        "handler-service-internal",
        &[],
        &["handlererrorcode: serviceinternalerror"],
        "the service had a fault of its own",
        "deploy again; if it comes back, look at the AWS Health dashboard",
    ),
    message(
        "handler-internal",
        &[],
        &["handlererrorcode: internalfailure"],
        "the resource type's handler had a fault of its own",
        "deploy again; if it comes back, make the resource once by hand to see the service's own error",
    ),
    message(
        "handler-timeout",
        &[],
        &["handlererrorcode: servicetimeout"],
        "the service did not answer in time",
        "deploy again",
    ),
    message(
        "handler-network",
        &[],
        &["handlererrorcode: networkfailure"],
        "the resource type's handler could not reach the service",
        "deploy again",
    ),
    message(
        "handler-invalid-request",
        &[],
        &["handlererrorcode: invalidrequest"],
        "the service refused a value, for the reason that it gives",
        "correct the property that the reason is about",
    ),
    message(
        "general-service-exception",
        &[],
        &["handlererrorcode: generalserviceexception"],
        "the service refused the call, for the reason that it gives",
        "read the service's own words in the reason; they name the value or the state that it minds",
    ),
];
