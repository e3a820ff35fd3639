//! Artifacts: zips that are named after what is in them, and are never trusted.

mod pack;
mod read;
mod store;
mod unpack;

pub(crate) use pack::select;
pub use pack::{Selection, pack};
pub use read::read_file;
pub use store::Store;
pub use unpack::{Kept, Limits, unpack};
