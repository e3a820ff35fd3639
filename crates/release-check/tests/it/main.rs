//! The function that makes a release's requests, and the state machine that asks it to.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test, as the test itself would"
)]

mod definition;
mod requests;
