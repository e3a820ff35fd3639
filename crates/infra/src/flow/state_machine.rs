//! An execution of a state machine, from its start to its end.

use crate::clock::{Clock, PollInterval};
use crate::cloud::{CloudError, MachineExecution, MachineKind, MachineStatus, StateMachines};

/// Starts executions of state machines, and waits for them.
#[derive(Clone, Copy)]
pub struct MachineRunner<'a> {
    /// Step Functions.
    pub machines: &'a dyn StateMachines,
    /// Time.
    pub clock: &'a dyn Clock,
    /// How often to ask.
    pub poll: PollInterval,
}

/// What came of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineRun {
    /// There is no such state machine.
    Missing,
    /// It was started; the executions of an express machine are not waited for.
    Started {
        /// Its ARN.
        execution: String,
    },
    /// It has ended.
    Ended {
        /// Its ARN.
        execution: String,
        /// How.
        result: MachineExecution,
    },
}

impl MachineRunner<'_> {
    /// Starts an execution of this name and waits for its end, as CodePipeline's action does.
    ///
    /// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html).
    ///
    /// # Errors
    /// A call that fails.
    pub async fn run(
        &self,
        machine: &str,
        name: &str,
        input: &str,
    ) -> Result<MachineRun, CloudError> {
        let Some(kind) = self.machines.machine_kind(machine).await? else {
            return Ok(MachineRun::Missing);
        };
        let execution = self.machines.start_execution(machine, name, input).await?;
        if kind == MachineKind::Express {
            return Ok(MachineRun::Started { execution });
        }
        for attempt in 0.. {
            let result = self.machines.describe_execution(&execution).await?;
            if result.status != MachineStatus::Running {
                return Ok(MachineRun::Ended { execution, result });
            }
            let wait = self.poll.wait(attempt, self.clock.now());
            self.clock.sleep(wait).await;
        }
        unreachable!("the loop ends by returning")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::cloud::fake::FakeClock;

    /// Machines whose executions stand so, one word each time that they are looked at.
    struct Scripted {
        kind: Option<MachineKind>,
        coming: Mutex<Vec<&'static str>>,
    }

    #[async_trait]
    impl StateMachines for Scripted {
        async fn machine_kind(&self, _: &str) -> Result<Option<MachineKind>, CloudError> {
            Ok(self.kind)
        }

        async fn start_execution(
            &self,
            machine: &str,
            name: &str,
            _: &str,
        ) -> Result<String, CloudError> {
            Ok(format!("{machine}:{name}"))
        }

        async fn describe_execution(&self, _: &str) -> Result<MachineExecution, CloudError> {
            let word = self.coming.lock().unwrap().remove(0);
            Ok(MachineExecution {
                status: MachineStatus::parse(word),
                error: None,
                cause: None,
            })
        }
    }

    #[tokio::test]
    async fn a_standard_execution_is_waited_for() {
        let standard = Some(MachineKind::Standard);
        let ended = |word: &str| Some(MachineStatus::parse(word));
        for (kind, coming, expected) in [
            (
                standard,
                vec!["RUNNING", "RUNNING", "SUCCEEDED"],
                ended("SUCCEEDED"),
            ),
            (
                standard,
                vec!["PENDING_REDRIVE", "TIMED_OUT"],
                ended("TIMED_OUT"),
            ),
            (Some(MachineKind::Express), vec![], None),
        ] {
            let machines = Scripted {
                kind,
                coming: Mutex::new(coming),
            };
            let runner = MachineRunner {
                machines: &machines,
                clock: &FakeClock::default(),
                poll: PollInterval::AWS,
            };
            let found = match runner.run("machine", "name", "{}").await.unwrap() {
                MachineRun::Ended { execution, result } => {
                    assert_eq!(execution, "machine:name");
                    Some(result.status)
                }
                MachineRun::Started { .. } => None,
                MachineRun::Missing => panic!("it is there"),
            };
            assert_eq!(found, expected);
            assert!(machines.coming.lock().unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn a_machine_that_is_not_there_is_not_started() {
        let machines = Scripted {
            kind: None,
            coming: Mutex::new(Vec::new()),
        };
        let runner = MachineRunner {
            machines: &machines,
            clock: &FakeClock::default(),
            poll: PollInterval::AWS,
        };
        let run = runner.run("machine", "name", "{}").await.unwrap();
        assert_eq!(run, MachineRun::Missing);
    }
}
