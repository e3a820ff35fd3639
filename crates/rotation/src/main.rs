//! The function's process: reads the environment, then rotates when Secrets Manager asks.

use std::env;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stackway_aws_client::function;
use stackway_rotation::{Rotation, RotationEvent};

/// The name of the parameter that holds the API's address.
const API_URL_PARAMETER: &str = "API_URL_PARAMETER";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = function::settings(|name| env::var(name).ok(), &[API_URL_PARAMETER])?;
    let parameter = settings.variables[0].clone();
    let rotation = Rotation::new(settings.client, parameter);
    let rotation = &rotation;
    run(service_fn(
        async move |event: LambdaEvent<RotationEvent>| {
            let LambdaEvent { payload, context } = event;
            let done = rotation.run(&payload).await;
            let (level, text) = match &done {
                Ok(()) => ("INFO", "done".to_owned()),
                Err(error) => ("ERROR", error.to_string()),
            };
            let text = format!("{:?}: {text}", payload.step);
            function::log(&context.request_id, level, &text);
            done.map_err(Error::from)
        },
    ))
    .await
}
