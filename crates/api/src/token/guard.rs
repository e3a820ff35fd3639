//! Which tokens count, read from their source as seldom as a rotation allows.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tokio::{sync::Mutex, time::Instant};

use super::{SecretSettings, Stage, Token, TokenError, TokenSource, Version, secret::Secret};

/// How long what was read is believed. A rotation leaves the replaced token valid for hours, so that no client notices.
const FRESH: Duration = Duration::from_mins(5);
/// How often an unknown token may make the source be read again: whoever guesses tokens pays no call for each.
const BETWEEN_READS: Duration = Duration::from_secs(5);
/// How soon the source is tried again after a failure.
const BETWEEN_FAILURES: Duration = Duration::from_secs(1);
/// How long the last tokens that were read count while the source does not answer.
const STALE: Duration = Duration::from_hours(1);

/// Tells the tokens that count from others.
pub struct TokenGuard(Kind);

enum Kind {
    Fixed(Token),
    Source(Box<Cached>),
}

struct Cached {
    source: Box<dyn TokenSource>,
    /// How long a replaced token counts.
    grace: Duration,
    state: RwLock<State>,
    /// Held by the one request that reads the source; the others wait for what it finds.
    turn: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    known: Option<Arc<Known>>,
    /// When the source was asked last, and why it did not answer.
    asked: Option<(Instant, Option<TokenError>)>,
}

struct Known {
    tokens: Vec<Token>,
    read: Instant,
}

impl Known {
    /// Compares with every token, so that the time does not tell which it was.
    fn holds(&self, offered: &str) -> bool {
        self.tokens
            .iter()
            .fold(false, |held, token| held | token.is(offered))
    }
}

impl State {
    /// The answer that needs no call: whether the token counts, or why nothing can be said; none where the source is to
    /// be asked.
    fn answer(&self, offered: &str) -> Option<Result<bool, TokenError>> {
        let held = self.known.as_ref().filter(|known| known.holds(offered));
        if held.is_some_and(|known| known.read.elapsed() < FRESH) {
            return Some(Ok(true));
        }
        let (asked, failure) = self.asked.as_ref()?;
        match failure {
            None if asked.elapsed() < BETWEEN_READS => Some(Ok(held.is_some())),
            Some(_) if asked.elapsed() >= BETWEEN_FAILURES => None,
            // What counted a while ago still does, rather than nobody's token.
            Some(_) if held.is_some_and(|known| known.read.elapsed() < STALE) => Some(Ok(true)),
            Some(failure) => Some(Err(failure.clone())),
            None => None,
        }
    }
}

impl TokenGuard {
    /// Admits one token that never changes.
    pub fn fixed(token: Token) -> Self {
        Self(Kind::Fixed(token))
    }

    /// Admits the token of a secret. Makes no call.
    pub fn secret(settings: SecretSettings) -> Self {
        let grace = settings.grace;
        Self::over(Secret::new(settings), grace)
    }

    /// Admits the tokens of a source, one that was replaced for `grace` longer.
    pub fn over(source: impl TokenSource, grace: Duration) -> Self {
        Self(Kind::Source(Box::new(Cached {
            source: Box::new(source),
            grace,
            state: RwLock::default(),
            turn: Mutex::new(()),
        })))
    }

    /// Reads the tokens before the first request needs them.
    ///
    /// # Errors
    /// If the source does not answer; the first request asks it again.
    pub async fn read_ahead(&self) -> Result<(), TokenError> {
        match &self.0 {
            Kind::Fixed(_) => Ok(()),
            Kind::Source(cached) => cached.ask().await,
        }
    }

    /// Whether a token counts.
    ///
    /// # Errors
    /// If the source does not answer, and the token is none that counted lately: it is neither admitted nor refused.
    pub async fn admits(&self, offered: &str) -> Result<bool, TokenError> {
        let cached = match &self.0 {
            Kind::Fixed(token) => return Ok(token.is(offered)),
            Kind::Source(cached) => cached,
        };
        if let Some(answer) = cached.state().answer(offered) {
            return answer;
        }
        let _turn = cached.turn.lock().await;
        // Another may have asked meanwhile.
        if let Some(answer) = cached.state().answer(offered) {
            return answer;
        }
        if let Err(error) = cached.ask().await {
            tracing::warn!(%error, "token");
        }
        cached
            .state()
            .answer(offered)
            .unwrap_or_else(|| Err(TokenError("the token was not read in time".to_owned())))
    }
}

impl Cached {
    fn state(&self) -> State {
        // A panic leaves nothing half written: the state is replaced whole.
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn ask(&self) -> Result<(), TokenError> {
        let read = self.read().await;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let failure = match read {
            Ok(tokens) => {
                state.known = Some(Arc::new(Known {
                    tokens,
                    read: Instant::now(),
                }));
                None
            }
            Err(error) => Some(error),
        };
        state.asked = Some((Instant::now(), failure.clone()));
        failure.map_or(Ok(()), Err)
    }

    /// The tokens that count now: the current one, the pending one of a rotation under way, and the one before for as
    /// long as its grace.
    async fn read(&self) -> Result<Vec<Token>, TokenError> {
        let (current, pending) = futures::join!(
            self.source.version(Stage::Current),
            self.source.version(Stage::Pending)
        );
        let current = current?.ok_or_else(|| {
            TokenError("the secret has no current version, or is not there".to_owned())
        })?;
        let previous = if self.is_in_grace(&current) {
            self.source.version(Stage::Previous).await?
        } else {
            None
        };
        let all = [Some(current), pending?, previous];
        Ok(all.into_iter().flatten().map(|one| one.token).collect())
    }

    /// A date in the future is that of a clock that is ahead.
    fn is_in_grace(&self, current: &Version) -> bool {
        SystemTime::now()
            .duration_since(current.created)
            .is_ok_and(|age| age < self.grace)
            || current.created > SystemTime::now()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex as StdMutex,
        atomic::{AtomicUsize, Ordering},
    };

    use async_trait::async_trait;

    use super::*;

    const GRACE: Duration = Duration::from_hours(1);

    /// The current, previous and pending token, each with its age in seconds.
    type Versions = [Option<(&'static str, u64)>; 3];

    /// A secret whose versions a test sets, or that does not answer.
    #[derive(Clone, Default)]
    struct Scripted {
        versions: Arc<StdMutex<Versions>>,
        reads: Arc<AtomicUsize>,
        failing: Arc<std::sync::atomic::AtomicBool>,
    }

    impl Scripted {
        fn set(&self, versions: Versions) {
            *self.versions.lock().unwrap() = versions;
        }

        /// How often the secret was read since the last call.
        fn reads(&self) -> usize {
            self.reads.swap(0, Ordering::SeqCst)
        }
    }

    #[async_trait]
    impl TokenSource for Scripted {
        async fn version(&self, stage: Stage) -> Result<Option<Version>, TokenError> {
            if stage == Stage::Current {
                self.reads.fetch_add(1, Ordering::SeqCst);
            }
            // Others get their turn, as they would while a call is under way.
            tokio::task::yield_now().await;
            if self.failing.load(Ordering::SeqCst) {
                return Err(TokenError("no answer".to_owned()));
            }
            let versions = *self.versions.lock().unwrap();
            let found = match stage {
                Stage::Current => versions[0],
                Stage::Previous => versions[1],
                Stage::Pending => versions[2],
            };
            Ok(found.map(|(token, age)| Version {
                token: Token::new(token.to_owned()).unwrap(),
                created: SystemTime::now() - Duration::from_secs(age),
            }))
        }
    }

    fn guard(versions: Versions) -> (TokenGuard, Scripted) {
        let source = Scripted::default();
        source.set(versions);
        (TokenGuard::over(source.clone(), GRACE), source)
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_known_token_costs_one_read_for_minutes() {
        let (guard, source) = guard([Some(("now", 0)), None, None]);
        for _ in 0..100 {
            assert_eq!(guard.admits("now").await, Ok(true));
        }
        assert_eq!(source.reads(), 1);
        pass(FRESH.as_secs()).await;
        assert_eq!(guard.admits("now").await, Ok(true));
        assert_eq!(source.reads(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_are_refused_and_do_not_multiply_calls() {
        let (guard, source) = guard([Some(("now", 0)), None, None]);
        let guesses = (0..50).map(|_| guard.admits("guess"));
        for answer in futures::future::join_all(guesses).await {
            assert_eq!(answer, Ok(false));
        }
        assert_eq!(source.reads(), 1);
        for wrong in ["no", "nowt", "NOW", ""] {
            assert_eq!(guard.admits(wrong).await, Ok(false), "{wrong}");
        }
        assert_eq!(source.reads(), 0);
        pass(BETWEEN_READS.as_secs()).await;
        assert_eq!(guard.admits("guess").await, Ok(false));
        assert_eq!(source.reads(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rotation_leaves_no_moment_without_a_token() {
        let (guard, source) = guard([Some(("old", 9000)), None, None]);
        assert_eq!(guard.admits("old").await, Ok(true));
        // createSecret: the rotation tests the pending token with the service.
        source.set([Some(("old", 9000)), None, Some(("new", 0))]);
        pass(BETWEEN_READS.as_secs()).await;
        assert_eq!(guard.admits("new").await, Ok(true));
        assert_eq!(guard.admits("old").await, Ok(true));
        // finishSecret: the labels move.
        source.set([Some(("new", 0)), Some(("old", 9000)), Some(("new", 0))]);
        pass(FRESH.as_secs()).await;
        assert_eq!(guard.admits("new").await, Ok(true));
        assert_eq!(guard.admits("old").await, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replaced_token_counts_for_its_grace() {
        let versions = |age| [Some(("new", age)), Some(("old", 90_000)), None];
        let (guard_in, _) = guard(versions(GRACE.as_secs() - 60));
        assert_eq!(guard_in.admits("old").await, Ok(true));
        let (guard_after, _) = guard(versions(GRACE.as_secs() + 1));
        assert_eq!(guard_after.admits("old").await, Ok(false));
        assert_eq!(guard_after.admits("new").await, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_does_not_answer_refuses_nobody() {
        let (guard, source) = guard([Some(("now", 0)), None, None]);
        source.failing.store(true, Ordering::SeqCst);
        assert!(guard.admits("now").await.is_err());
        assert!(guard.admits("guess").await.is_err());
        assert_eq!(source.reads(), 1);

        source.failing.store(false, Ordering::SeqCst);
        pass(BETWEEN_FAILURES.as_secs()).await;
        assert_eq!(guard.admits("now").await, Ok(true));

        // Later it is away again: who was known stays known, for an hour.
        source.failing.store(true, Ordering::SeqCst);
        pass(FRESH.as_secs()).await;
        assert_eq!(guard.admits("now").await, Ok(true));
        assert!(guard.admits("guess").await.is_err());
        pass(STALE.as_secs()).await;
        assert!(guard.admits("now").await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_without_a_current_version_admits_nobody() {
        let (guard, _) = guard([None, None, Some(("new", 0))]);
        assert!(guard.admits("new").await.is_err());
    }
}
