//! Looking at a photo: off the threads that serve requests, as many at a time as there are cores.

use super::receive::Room;
use super::{criteria, refusal};
use crate::directory::Directory;
use actix_web::web::Bytes;
use gatehouse_faces::{
    Criteria, Examined, Faces, Fault, Findings, Jpeg, Limits, NoVariant, Unreadable, Variant,
};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::tenant::TenantScope;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{OnceCell, Semaphore};

/// The face models, read when the first photo comes, and how many photos are looked at together.
#[derive(Debug)]
pub(crate) struct Examiner {
    folder: PathBuf,
    faces: OnceCell<Arc<Faces>>,
    places: Arc<Semaphore>,
    pub(super) room: Room,
}

/// A photo that was looked at.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(super) findings: Findings,
    pub(super) faults: Vec<Fault>,
    /// The pictures to keep, where nothing refuses it.
    accepted: Option<Pictures>,
}

/// A photo that may be kept.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Of the picture to keep: its name in the object store.
    pub(super) sha256: Vec<u8>,
    findings: Findings,
    warnings: Vec<Fault>,
    pictures: Pictures,
}

#[derive(Debug)]
struct Pictures {
    original: Jpeg,
    terminal: Jpeg,
    push: Jpeg,
}

impl Checked {
    pub(super) const fn original(&self) -> &Jpeg {
        &self.pictures.original
    }
    pub(super) const fn terminal(&self) -> &Jpeg {
        &self.pictures.terminal
    }
    pub(super) const fn push(&self) -> &Jpeg {
        &self.pictures.push
    }
    pub(super) const fn findings(&self) -> &Findings {
        &self.findings
    }
    pub(super) fn warnings(&self) -> &[Fault] {
        &self.warnings
    }
}

impl Examiner {
    /// Nothing is read yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            folder,
            faces: OnceCell::new(),
            places: Arc::new(Semaphore::new(cores)),
            room: Room::new(),
        }
    }

    /// The models. Where they are missing they are looked for again the next time.
    async fn faces(&self) -> Answer<Arc<Faces>> {
        let load = || async {
            let folder = self.folder.clone();
            match tokio::task::spawn_blocking(move || Faces::load(&folder)).await {
                Ok(Ok(faces)) => Ok(Arc::new(faces)),
                Ok(Err(error)) => {
                    tracing::error!(%error, "photos cannot be checked");
                    Err(Problem::new(
                        ProblemCode::FaceModelsMissing,
                        error.to_string(),
                    ))
                }
                Err(error) => Err(broken(&error)),
            }
        };
        self.faces.get_or_try_init(load).await.cloned()
    }

    /// Looks at a photo.
    pub(super) async fn look(
        &self,
        bytes: Bytes,
        criteria: Criteria,
    ) -> Answer<Result<Looked, Unreadable>> {
        let faces = self.faces().await?;
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|closed| broken(&closed))?;
        let looked = tokio::task::spawn_blocking(move || {
            let looked = look(&faces, &bytes, &criteria);
            drop(place);
            looked
        });
        match looked.await {
            Ok(Ok(looked)) => Ok(looked),
            Ok(Err(error)) => Err(broken(&error)),
            Err(error) => Err(broken(&error)),
        }
    }
}

fn look(
    faces: &Faces,
    bytes: &[u8],
    criteria: &Criteria,
) -> Result<Result<Looked, Unreadable>, NoVariant> {
    let examined = match faces.examine(bytes, &Limits::default(), criteria) {
        Ok(examined) => examined,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let accepted = examined
        .accepted()
        .then(|| pictures(&examined))
        .transpose()?;
    Ok(Ok(Looked {
        findings: examined.findings,
        faults: examined.faults,
        accepted,
    }))
}

fn pictures(examined: &Examined) -> Result<Pictures, NoVariant> {
    Ok(Pictures {
        original: examined.original().clone(),
        terminal: examined.variant(Variant::Terminal)?,
        push: examined.variant(Variant::Push)?,
    })
}

impl Looked {
    pub(super) const fn accepted(&self) -> bool {
        self.accepted.is_some()
    }
}

/// Examines a photo by the tenant's criteria, and refuses what does not meet them.
///
/// # Errors
/// `photo_rejected` with the faults, `too_large`, `face_models_missing`.
pub(crate) async fn examine(
    directory: &Directory,
    scope: &TenantScope,
    bytes: Bytes,
) -> Answer<Checked> {
    let criteria = {
        let tx = directory.kit.db.tenant(scope).await?;
        criteria::read(&tx).await?.thresholds
    };
    let looked = directory.examiner.look(bytes, criteria).await?;
    let Looked {
        findings,
        faults,
        accepted,
    } = looked.map_err(|unreadable| refusal::unreadable(&unreadable))?;
    let Some(pictures) = accepted else {
        return Err(refusal::rejected(&faults));
    };
    Ok(Checked {
        sha256: Sha256::digest(&pictures.original.bytes).to_vec(),
        findings,
        warnings: faults,
        pictures,
    })
}

fn broken(error: &impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a photo could not be looked at");
    Problem::new(
        ProblemCode::Internal,
        "The photo could not be looked at; the fault is ours, and logged under this request's id.",
    )
}
