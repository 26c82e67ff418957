//! Waiting for what another process does.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything may take before a test gives up. It bounds a hang, not a speed.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks until the answer is yes; fails, naming `what` and the last answer, when it never is.
pub async fn until<T, F>(
    what: &str,
    mut ask: impl FnMut() -> F,
    yes: impl Fn(&T) -> bool,
) -> Result<T>
where
    T: Debug,
    F: Future<Output = Result<T>>,
{
    let begin = Instant::now();
    loop {
        let answer = ask().await?;
        if yes(&answer) {
            return Ok(answer);
        }
        if begin.elapsed() > PATIENCE {
            bail!("waited in vain for {what}; last seen: {answer:#?}");
        }
        // There is no event to await across a WebDriver session or a file system.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
