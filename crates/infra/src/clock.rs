//! Time, injected, so that a test of a one-hour deployment takes a millisecond.

use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

/// Where a flow gets its time from.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> OffsetDateTime;
    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// How often a flow asks: it starts at `first` and slows down to `max`.
#[derive(Clone, Copy, Debug)]
pub struct PollInterval {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl PollInterval {
    /// For AWS: from 1 s to 5 s, well inside the rate limits of the Describe calls.
    pub const AWS: Self = Self {
        first: Duration::from_secs(1),
        max: Duration::from_secs(5),
    };
    /// For an emulator on this machine: from 25 ms to 500 ms.
    pub const LOCAL: Self = Self {
        first: Duration::from_millis(25),
        max: Duration::from_millis(500),
    };

    /// The wait before attempt `attempt` (from 0): half as long again each time, spread by ±20 % so that stacks
    /// deployed side by side do not ask in step.
    pub fn wait(&self, attempt: u32, now: OffsetDateTime) -> Duration {
        let grown = self
            .first
            .mul_f64(1.5_f64.powi(attempt.min(16).cast_signed()))
            .min(self.max);
        let spread = f64::from(now.nanosecond() % 1_000) / 1_000.0;
        grown.mul_f64(0.8 + 0.4 * spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_maximum() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let waits: Vec<_> = (0..12)
            .map(|attempt| PollInterval::AWS.wait(attempt, now))
            .collect();
        assert!(waits.is_sorted());
        assert_eq!(waits[0], Duration::from_millis(800));
        assert_eq!(waits[11], Duration::from_secs(4));
    }
}
