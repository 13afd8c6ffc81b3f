//! Taking the files of an import: a form with the parts `file` (the table), `photos` (an archive,
//! optional), `dry_run` and `existing`.
//!
//! Files go to the disk while they come in, so that an archive of gigabytes costs no memory. The
//! archive is unpacked here, before the job exists, so that one that is refused is refused at once;
//! each photo goes to the object store by itself, under a hash of its code.

use super::archive::{self, Photo};
use super::begin::begin;
use super::store::{Existing, Job, JobType, NewJob, Options};
use super::{forget, sheet};
use crate::directory::Directory;
use crate::reading::Reading;
use actix_multipart::{Field, Multipart};
use bytes::Bytes;
use futures_util::StreamExt;
use gatehouse_domain::JobId;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::objects::{ObjectError, Objects};
use gatehouse_platform::secrets::hash_token;
use gatehouse_platform::tenant::TenantScope;
use std::io::Write;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use uuid::Uuid;

const TABLE_MAX_BYTES: u64 = 64 << 20;
const PHOTOS_MAX_BYTES: u64 = 8 << 30;
const WORD_MAX_BYTES: u64 = 100;
/// Photos that are on their way to the object store at the same time.
const PUTS_AT_ONCE: usize = 8;

/// What a form brought.
#[derive(Default)]
struct Form {
    table: Option<NamedTempFile>,
    photos: Option<NamedTempFile>,
    dry_run: Option<String>,
    existing: Option<String>,
}

/// Takes the files in and makes the job.
pub(super) async fn take(
    directory: &Directory,
    scope: &TenantScope,
    form: Multipart,
    request_id: &str,
) -> Answer<Job> {
    // 1. Everything onto the disk, within bounds.
    let form = read(form).await?;
    let mut reading = Reading::begin();
    let existing = reading.word("/existing", form.existing.as_deref(), Existing::Update);
    let dry_run = match form.dry_run.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            reading.fault("/dry_run", "must be true or false");
            false
        }
    };
    reading.end()?;
    let Some(table) = form.table else {
        return Err(Problem::invalid(
            "/file",
            "is missing: the table of persons, xlsx or csv",
        ));
    };

    // 2. The table must be one: what is wrong with the whole of it is said now, not by a job.
    let table = tokio::task::spawn_blocking(move || std::fs::read(table.path()))
        .await
        .map_err(|error| not_kept(&error))?
        .map_err(|error| not_kept(&error))?;
    let (table, faults) = tokio::task::spawn_blocking(move || {
        let faults = sheet::read(&table).map(drop);
        (table, faults)
    })
    .await
    .map_err(|error| not_kept(&error))?;
    faults.map_err(|fault| Problem::invalid("/file", format!("cannot be taken. {fault}")))?;

    // 3. The photos, each by itself; then the table.
    let id = JobId::from_uuid(Uuid::now_v7());
    let format = sheet::Format::of(&table);
    let mut laid = Laid {
        folder: folder(scope, id),
        table: format!("{}/table.{format}", folder(scope, id)),
        photo_hashes: Vec::new(),
    };
    let job = Asked {
        id,
        format,
        existing,
        dry_run,
        request_id,
    };
    let kept = keep(directory, scope, &job, table, form.photos, &mut laid).await;
    if kept.is_err() {
        laid.take_back(&directory.kit.objects).await;
    }
    kept
}

/// What was asked for beside the files.
struct Asked<'a> {
    id: JobId,
    format: sheet::Format,
    existing: Existing,
    dry_run: bool,
    request_id: &'a str,
}

/// What lies in the object store, or may, and nobody knows of yet.
struct Laid {
    folder: String,
    table: String,
    photo_hashes: Vec<String>,
}

impl Laid {
    /// Without a job nobody would ever delete it.
    async fn take_back(self, objects: &Objects) {
        let photos = self.photo_hashes.iter();
        let photos = photos.map(|hash| photo_key(&self.folder, hash));
        let keys = photos.chain([self.table.clone()]).collect();
        if let Err(error) = forget::delete(objects, keys).await {
            tracing::error!(folder = self.folder, %error, "files of an import that was refused stay in the object store");
        }
    }
}

async fn keep(
    directory: &Directory,
    scope: &TenantScope,
    asked: &Asked<'_>,
    table: Vec<u8>,
    photos: Option<NamedTempFile>,
    laid: &mut Laid,
) -> Answer<Job> {
    let objects = &directory.kit.objects;
    if let Some(archive) = photos {
        unpack(objects, archive, laid).await?;
    }
    let content_type = asked.format.content_type();
    objects
        .put(&laid.table, content_type, Bytes::from(table))
        .await
        .map_err(|error| away(&error))?;

    // 4. The job, only now that all of it is there.
    let options = Options {
        format: Some(asked.format.to_string()),
        existing: Some(asked.existing.to_string()),
        photos: u64::try_from(laid.photo_hashes.len()).unwrap_or(u64::MAX),
        ..Options::default()
    };
    let tx = directory.kit.db.tenant(scope).await?;
    let new = NewJob {
        id: asked.id,
        kind: JobType::PersonImport,
        dry_run: asked.dry_run,
        options: &options,
        input_key: Some(&laid.table),
        photo_hashes: laid.photo_hashes.clone(),
    };
    let job = begin(&tx, new, asked.request_id).await?;
    tx.commit().await?;
    Ok(job)
}

/// Where the files of a job lie.
pub(super) fn folder(scope: &TenantScope, id: JobId) -> String {
    format!(
        "jobs/{}/{}",
        scope.tenant().uuid().simple(),
        id.uuid().simple()
    )
}

/// What of a code its photo lies under.
pub(super) fn photo_hash(code: &str) -> String {
    hex::encode(hash_token(code))
}

/// Where a photo of a job lies.
pub(super) fn photo_key(folder: &str, hash: &str) -> String {
    format!("{folder}/photos/{hash}")
}

async fn read(mut form: Multipart) -> Answer<Form> {
    let mut read = Form::default();
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|error| unreadable(&error))?;
        match field.name().unwrap_or_default() {
            "file" => read.table = Some(onto_disk(&mut field, "/file", TABLE_MAX_BYTES).await?),
            "photos" => {
                read.photos = Some(onto_disk(&mut field, "/photos", PHOTOS_MAX_BYTES).await?)
            }
            "dry_run" => read.dry_run = Some(word(&mut field, "/dry_run").await?),
            "existing" => read.existing = Some(word(&mut field, "/existing").await?),
            _ => {
                return Err(Problem::invalid(
                    "",
                    "has a part that is not known; known are file, photos, dry_run and existing",
                ));
            }
        }
    }
    Ok(read)
}

async fn onto_disk(field: &mut Field, pointer: &str, most: u64) -> Answer<NamedTempFile> {
    let mut file = NamedTempFile::new().map_err(|error| not_kept(&error))?;
    let mut length = 0_u64;
    while let Some(chunk) = field.next().await {
        let chunk = chunk.map_err(|error| unreadable(&error))?;
        length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if length > most {
            let detail = format!(
                "The part {pointer} has more than {} MB; cut it into several.",
                most >> 20
            );
            return Err(Problem::new(ProblemCode::TooLarge, detail).with_pointer(pointer));
        }
        file = tokio::task::spawn_blocking(move || file.write_all(&chunk).map(|()| file))
            .await
            .map_err(|error| not_kept(&error))?
            .map_err(|error| not_kept(&error))?;
    }
    Ok(file)
}

async fn word(field: &mut Field, pointer: &str) -> Answer<String> {
    let mut word = Vec::new();
    while let Some(chunk) = field.next().await {
        word.extend_from_slice(&chunk.map_err(|error| unreadable(&error))?);
        if u64::try_from(word.len()).unwrap_or(u64::MAX) > WORD_MAX_BYTES {
            return Err(Problem::invalid(pointer, "is too long"));
        }
    }
    Ok(String::from_utf8_lossy(&word).trim().to_owned())
}

/// Unpacks an archive into the object store. What is on its way there is noted before it leaves.
async fn unpack(objects: &Objects, archive: NamedTempFile, laid: &mut Laid) -> Answer<()> {
    let Laid {
        folder,
        photo_hashes,
        table: _,
    } = laid;
    let (sent, mut photos) = mpsc::channel::<Photo>(PUTS_AT_ONCE);
    let unpacking = tokio::task::spawn_blocking(move || {
        let file = archive
            .reopen()
            .map_err(|e| archive::ArchiveFault::NotKept(e.to_string()))?;
        archive::photos(std::io::BufReader::new(file), &archive::PHOTOS, |photo| {
            sent.blocking_send(photo)
                .map_err(|_| "the request ended".to_owned())
        })
    });
    let arriving = futures_util::stream::poll_fn(move |context| photos.poll_recv(context));
    let mut puts = arriving
        .map(|photo| {
            let hash = photo_hash(&photo.code);
            let key = photo_key(folder, &hash);
            photo_hashes.push(hash);
            async move {
                objects
                    .put(&key, "application/octet-stream", photo.bytes.into())
                    .await
            }
        })
        .buffer_unordered(PUTS_AT_ONCE);
    while let Some(put) = puts.next().await {
        put.map_err(|error| away(&error))?;
    }
    unpacking
        .await
        .map_err(|error| not_kept(&error))?
        .map_err(|fault| Problem::invalid("/photos", format!("cannot be taken. {fault}")))?;
    Ok(())
}

fn unreadable(error: &actix_multipart::MultipartError) -> Problem {
    Problem::new(
        ProblemCode::MalformedRequest,
        format!(
            "The form cannot be read ({error}); send multipart/form-data with the part \"file\"."
        ),
    )
}

fn not_kept(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "an upload could not be kept on the disk");
    Problem::new(
        ProblemCode::Unavailable,
        "The upload could not be kept; try again shortly.",
    )
    .with_retry_after(10)
}

pub(super) fn away(error: &ObjectError) -> Problem {
    tracing::warn!(%error, "the object store is away");
    Problem::new(
        ProblemCode::Unavailable,
        "The object store is not available at the moment; try again shortly.",
    )
    .with_retry_after(5)
}
