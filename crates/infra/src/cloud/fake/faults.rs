//! Faults for scripted fakes: which calls a flow makes, and what becomes of one of them.
//!
//! A fake sends each of its calls through [`Faults::read`] or [`Faults::write`]. [`for_each_fault`] then runs a flow
//! once for every call that it makes and every fault that can befall the call, and hands each end to a test.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{Either, select};
use tokio::sync::Notify;

use crate::cloud::CloudError;

/// A flow that makes more calls than this does not end.
const ENDLESS: usize = 10_000;

/// Whether a call changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It looks.
    Read,
    /// It changes something.
    Write,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its place among the calls of its run, from 0.
    pub number: usize,
    /// Whether it changes something.
    pub effect: Effect,
    /// The trait's verb.
    pub verb: &'static str,
    /// What it is about, such as a stack's name.
    pub target: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.target)
    }
}

/// What becomes of one call. The SDK has repeated it by then: this is what its last attempt ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused as one too many; it did not happen.
    Throttled,
    /// Refused for want of a permission; it did not happen.
    Denied,
    /// Answered by a 500; it did not happen.
    ServerError,
    /// No answer came, and it did not happen.
    LostBefore,
    /// It happened, and its answer was lost.
    LostAfter,
    /// It was delivered twice, as when a first answer is lost and the SDK asks again; the second answer counts.
    Twice,
    /// It happened, and the process was killed.
    KilledAfter,
}

impl Fault {
    /// What can befall a call. A look that is lost, or repeated, is the same before and after.
    pub fn befalling(effect: Effect) -> &'static [Fault] {
        use Fault::{Denied, KilledAfter, LostAfter, LostBefore, ServerError, Throttled, Twice};
        match effect {
            Effect::Read => &[Throttled, Denied, ServerError, LostBefore, KilledAfter],
            Effect::Write => &[
                Throttled,
                Denied,
                ServerError,
                LostBefore,
                LostAfter,
                Twice,
                KilledAfter,
            ],
        }
    }

    /// The error that the caller gets, where it gets one whatever the call does.
    pub fn error(self) -> Option<CloudError> {
        let refused = |code: &str, message: &str| {
            Some(CloudError::Refused {
                operation: "fake:Call",
                code: code.to_owned(),
                message: message.to_owned(),
            })
        };
        match self {
            Self::Throttled => refused("Throttling", "Rate exceeded"),
            Self::Denied => refused("AccessDenied", "not authorized to perform this"),
            Self::ServerError => refused("InternalFailure", "an internal error has occurred"),
            Self::LostBefore | Self::LostAfter => Some(CloudError::Unreachable {
                operation: "fake:Call",
                message: "timed out".to_owned(),
            }),
            Self::Twice | Self::KilledAfter => None,
        }
    }
}

/// Records calls, and lets one fault befall one of them. Clones share the record, so that several fakes count as one.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    record: Arc<Mutex<Record>>,
    killed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Record {
    calls: Vec<Call>,
    coming: Option<(usize, Fault)>,
}

impl Faults {
    /// Records and lets every call pass.
    pub fn none() -> Self {
        Self::default()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Record) -> T) -> T {
        work(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets what was recorded, and lets `fault` befall the call of that number from now on, counted from 0.
    pub fn arm(&self, number: usize, fault: Fault) {
        self.with(|record| {
            record.calls.clear();
            record.coming = Some((number, fault));
        });
    }

    /// Forgets what was recorded, and lets every call pass from now on.
    pub fn heal(&self) {
        self.with(|record| *record = Record::default());
    }

    /// What was called, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.with(|record| record.calls.clone())
    }

    /// The calls that change something, as `verb target`, in order.
    pub fn writes(&self) -> Vec<String> {
        self.calls()
            .iter()
            .filter(|call| call.effect == Effect::Write)
            .map(ToString::to_string)
            .collect()
    }

    /// Returns once [`Fault::KilledAfter`] has befallen a call.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Makes a call that looks.
    pub async fn read<T: Send>(
        &self,
        verb: &'static str,
        target: &str,
        work: impl FnMut() -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        self.call(Effect::Read, verb, target, work).await
    }

    /// Makes a call that changes something.
    pub async fn write<T: Send>(
        &self,
        verb: &'static str,
        target: &str,
        work: impl FnMut() -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        self.call(Effect::Write, verb, target, work).await
    }

    async fn call<T: Send>(
        &self,
        effect: Effect,
        verb: &'static str,
        target: &str,
        mut work: impl FnMut() -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let fault = self.with(|record| {
            let number = record.calls.len();
            assert!(number < ENDLESS, "the flow does not end: {verb} {target}");
            record.calls.push(Call {
                number,
                effect,
                verb,
                target: target.to_owned(),
            });
            record.coming.take_if(|(at, _)| *at == number)
        });
        let Some((_, fault)) = fault else {
            return work();
        };
        if matches!(fault, Fault::LostAfter | Fault::Twice | Fault::KilledAfter) {
            // It happened, and nobody is there for its answer.
            drop(work());
        }
        match (fault, fault.error()) {
            (Fault::KilledAfter, _) => {
                self.killed.notify_one();
                pending().await
            }
            (_, Some(error)) => Err(error),
            (_, None) => work(),
        }
    }
}

/// One run of [`for_each_fault`].
#[derive(Clone, Debug)]
pub struct Case {
    /// The call that it is about.
    pub call: Call,
    /// What befell it.
    pub fault: Fault,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "call {} ({}) {:?}",
            self.call.number, self.call, self.fault
        )
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Ended<T> {
    /// The flow returned this.
    Returned(T),
    /// The flow was dropped in the middle of a call, as by SIGKILL.
    Killed,
}

/// Runs a flow once without a fault, and then once for each of its calls and each fault that can befall the call.
///
/// `world` makes a fresh world around the recorder; what it calls is not counted. `run` runs the flow in it. `check`
/// sees how each run ended, with the faults healed, so that it can run the flow again. Returns how many cases there
/// were; a test should assert it to be more than 0.
///
/// # Panics
/// Where the flow does not end, or ends without having made the call that it made in the first run.
pub async fn for_each_fault<W, T>(
    world: impl AsyncFn(&Faults) -> W,
    run: impl AsyncFn(&W) -> T,
    check: impl AsyncFn(&W, &Case, Ended<T>),
) -> usize {
    let faults = Faults::none();
    let clean = world(&faults).await;
    faults.heal();
    run(&clean).await;
    let mut cases = 0;
    for call in faults.calls() {
        for &fault in Fault::befalling(call.effect) {
            let case = Case {
                call: call.clone(),
                fault,
            };
            let faults = Faults::none();
            let world = world(&faults).await;
            faults.arm(call.number, fault);
            let ended = {
                let killed = std::pin::pin!(faults.killed());
                let run = std::pin::pin!(run(&world));
                match select(run, killed).await {
                    Either::Left((result, _)) => Ended::Returned(result),
                    Either::Right(_) => Ended::Killed,
                }
            };
            let unmet = faults.with(|record| record.coming.is_some());
            assert!(!unmet, "{case}: the flow ended before that call");
            faults.heal();
            check(&world, &case, ended).await;
            cases += 1;
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter behind calls: the flow looks at it, and raises it if it is 0.
    struct Counter {
        faults: Faults,
        value: Mutex<u32>,
    }

    impl Counter {
        async fn raise_once(&self) -> Result<u32, CloudError> {
            let get = || Ok(*self.value.lock().unwrap());
            if self.faults.read("get", "counter", get).await? > 0 {
                return Ok(0);
            }
            let raise = || {
                let mut value = self.value.lock().unwrap();
                *value += 1;
                Ok(*value)
            };
            self.faults.write("raise", "counter", raise).await
        }
    }

    #[tokio::test]
    async fn every_fault_befalls_every_call() {
        let seen = Mutex::new(Vec::new());
        let cases = for_each_fault(
            async |faults| Counter {
                faults: faults.clone(),
                value: Mutex::new(0),
            },
            Counter::raise_once,
            async |counter: &Counter, case: &Case, ended: Ended<Result<u32, CloudError>>| {
                let end = match ended {
                    Ended::Killed => "killed".to_owned(),
                    Ended::Returned(Ok(value)) => format!("answer {value}"),
                    Ended::Returned(Err(error)) => error.code().unwrap_or("no answer").to_owned(),
                };
                let value = *counter.value.lock().unwrap();
                seen.lock()
                    .unwrap()
                    .push(format!("{case}: {end}, stands at {value}"));
                assert!(counter.raise_once().await.is_ok(), "healed");
            },
        )
        .await;
        assert_eq!(cases, 12);
        insta::assert_snapshot!(seen.into_inner().unwrap().join("\n"), @r"
        call 0 (get counter) Throttled: Throttling, stands at 0
        call 0 (get counter) Denied: AccessDenied, stands at 0
        call 0 (get counter) ServerError: InternalFailure, stands at 0
        call 0 (get counter) LostBefore: no answer, stands at 0
        call 0 (get counter) KilledAfter: killed, stands at 0
        call 1 (raise counter) Throttled: Throttling, stands at 0
        call 1 (raise counter) Denied: AccessDenied, stands at 0
        call 1 (raise counter) ServerError: InternalFailure, stands at 0
        call 1 (raise counter) LostBefore: no answer, stands at 0
        call 1 (raise counter) LostAfter: no answer, stands at 1
        call 1 (raise counter) Twice: answer 2, stands at 2
        call 1 (raise counter) KilledAfter: killed, stands at 1
        ");
    }

    #[tokio::test]
    async fn writes_are_told_from_reads() {
        let faults = Faults::none();
        let counter = Counter {
            faults: faults.clone(),
            value: Mutex::new(0),
        };
        counter.raise_once().await.unwrap();
        counter.raise_once().await.unwrap();
        assert_eq!(faults.calls().len(), 3);
        assert_eq!(faults.writes(), ["raise counter"]);
    }
}
