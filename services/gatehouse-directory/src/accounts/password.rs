//! Passwords of people: argon2id, on threads of their own, a few at a time, so that a flood of
//! sign-ins takes neither the processor nor the memory of everything else.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::secrets::new_token;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Characters of a generated password: 6 bits each.
const GENERATED_CHARS: usize = 20;
/// Compared with where there is no such user, so that it takes as long as a wrong password. It is the
/// hash of a password that nobody knows, with the parameters of [`Argon2::default`].
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Z2F0ZWhvdXNlLW5vYm9keQ$7ZHdYzn8Hc5T6+Yq9m0JvZ0Qm3gX2m1rj9oQf0p6l5E";

/// A password for somebody who will change it.
pub(crate) fn generated_password() -> String {
    new_token().chars().take(GENERATED_CHARS).collect()
}

/// Hashes and compares passwords.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// Half of the machine's cores at most, one at least.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
        }
    }

    /// What is stored of a password.
    pub(crate) async fn hash(&self, password: String) -> Answer<String> {
        let hashed = self
            .in_turn(move || {
                Argon2::default()
                    .hash_password(password.as_bytes())
                    .map(|hash| hash.to_string())
            })
            .await?;
        hashed.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            Problem::new(
                ProblemCode::Internal,
                "An internal error; it is logged under this request's id.",
            )
        })
    }

    /// Which of the stored hashes belong to this password. Without any, one comparison is made all the
    /// same.
    pub(crate) async fn matching(
        &self,
        password: String,
        hashes: Vec<String>,
    ) -> Answer<Vec<bool>> {
        self.in_turn(move || {
            if hashes.is_empty() {
                fits(&password, NOBODY);
            }
            hashes.iter().map(|hash| fits(&password, hash)).collect()
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Answer<T> {
        let busy = || {
            Problem::new(
                ProblemCode::Unavailable,
                "Too many people sign in at once; try again shortly.",
            )
            .with_retry_after(2)
        };
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
        // The turn goes along: a caller who gives up does not free it before the work ends.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|_| busy())
    }
}

fn fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_and_no_other() {
        let passwords = Passwords::new();
        let right = passwords.hash("correct horse".into()).await.unwrap();
        let other = passwords.hash("battery staple".into()).await.unwrap();
        assert!(right.starts_with("$argon2id$v=19$"));
        let fitting = passwords
            .matching(
                "correct horse".into(),
                vec![right, other, "nonsense".into()],
            )
            .await
            .unwrap();
        assert_eq!(fitting, [true, false, false]);
        assert!(
            passwords
                .matching("x".into(), Vec::new())
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn nobody_is_as_dear_as_somebody() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = Argon2::default().hash_password(b"x").unwrap();
        assert_eq!(nobody.params, somebody.params);
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert_eq!(
            nobody.hash.unwrap().as_bytes().len(),
            somebody.hash.unwrap().as_bytes().len()
        );
    }

    #[test]
    fn generated_passwords_are_long_enough_to_be_chosen() {
        assert!(generated_password().len() >= crate::reading::PASSWORD_MIN_CHARS);
        assert_ne!(generated_password(), generated_password());
    }
}
