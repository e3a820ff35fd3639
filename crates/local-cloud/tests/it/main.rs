//! The embedded DynamoDB, the function with its gateway, and the emulator process, as their callers use them.

mod embedded;
mod emulator;
mod fake;
mod function;
mod gateway;
mod http;
mod runtime_api;
