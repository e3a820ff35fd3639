//! Load on the API as a plain server, beside the least that could serve the same.

mod driver;
mod measure;
mod process;

pub(crate) use driver::{Driver, Figures};
pub(crate) use measure::{Load, Report};
