//! The pictures of a record: out of the frame, into the object store, under a key that only the
//! platform makes. A field that is no picture does not hold up the record.

use bytes::Bytes;
use gatehouse_domain::TenantId;
use gatehouse_platform::objects::{ObjectError, Objects};
use gatehouse_proto_terminal::{PhotoField, PictureKind};

/// Where the pictures of a record are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeptPhotos {
    /// Who stood there.
    pub(crate) snapshot_key: Option<String>,
    /// The stored photo it was compared with.
    pub(crate) compare_key: Option<String>,
    /// What was wrong with one of them, as a sentence.
    pub(crate) fault: Option<String>,
}

/// What became of one field.
#[derive(Debug, Default)]
struct Kept {
    key: Option<String>,
    fault: Option<String>,
}

/// Keeps both pictures, at the same time.
pub(crate) async fn keep(
    objects: &Objects,
    tenant: TenantId,
    day: chrono::NaiveDate,
    snapshot: Option<PhotoField>,
    compare: Option<PhotoField>,
) -> Result<KeptPhotos, ObjectError> {
    if snapshot.is_none() && compare.is_none() {
        return Ok(KeptPhotos::default());
    }
    let (snapshot, compare) = futures_util::future::try_join(
        keep_one(objects, tenant, day, snapshot, "recognitionPhoto"),
        keep_one(objects, tenant, day, compare, "comparePhoto"),
    )
    .await?;
    let faults: Vec<String> = [snapshot.fault, compare.fault]
        .into_iter()
        .flatten()
        .collect();
    Ok(KeptPhotos {
        snapshot_key: snapshot.key,
        compare_key: compare.key,
        fault: (!faults.is_empty()).then(|| faults.join("; ")),
    })
}

async fn keep_one(
    objects: &Objects,
    tenant: TenantId,
    day: chrono::NaiveDate,
    field: Option<PhotoField>,
    name: &str,
) -> Result<Kept, ObjectError> {
    let Some(field) = field else {
        return Ok(Kept::default());
    };
    let decoded = field.decode().map(|bytes| (PictureKind::of(&bytes), bytes));
    // The text is larger than the picture and is needed no longer.
    drop(field);
    let (kind, bytes) = match decoded {
        Ok((Some(kind), bytes)) => (kind, bytes),
        Ok((None, _)) => return Ok(Kept::not_a_picture(name, "it is no picture")),
        Err(error) => return Ok(Kept::not_a_picture(name, error)),
    };
    let key = object_key(tenant, day, &bytes, kind);
    match objects
        .put(&key, kind.media_type(), Bytes::from(bytes))
        .await
    {
        Ok(()) => Ok(Kept {
            key: Some(key),
            fault: None,
        }),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            tracing::error!(%error, %tenant, "the object store refuses a picture for good");
            Ok(Kept::not_a_picture(name, "the object store refused it"))
        }
    }
}

impl Kept {
    fn not_a_picture(name: &str, why: impl std::fmt::Display) -> Self {
        metrics::counter!("gatehouse_record_photo_faults_total").increment(1);
        Self {
            key: None,
            fault: Some(format!("{name}: {why}")),
        }
    }
}

/// The same picture of the same day has the same key: a repeat writes it again and adds nothing.
fn object_key(tenant: TenantId, day: chrono::NaiveDate, bytes: &[u8], kind: PictureKind) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    format!(
        "{}/records/{}/{}.{}",
        tenant.uuid().as_simple(),
        day.format("%Y%m%d"),
        hex::encode(digest),
        match kind {
            PictureKind::Jpeg => "jpg",
            PictureKind::Png => "png",
            PictureKind::Bmp => "bmp",
        },
    )
}
