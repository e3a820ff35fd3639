//! The embedded DynamoDB and the emulator process, as their callers use them.

mod embedded;
mod emulator;
mod fake;
mod gateway;
mod http;
