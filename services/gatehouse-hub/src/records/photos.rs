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

/// Whose pictures they are: no two persons share an object, so that one can be erased without the
/// other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PicturesOf<'a> {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The day on which they came.
    pub(crate) day: chrono::NaiveDate,
    /// The number of the person on the terminal; empty for strangers.
    pub(crate) number: &'a str,
}

/// Keeps both pictures, at the same time.
pub(crate) async fn keep(
    objects: &Objects,
    of: PicturesOf<'_>,
    snapshot: Option<PhotoField>,
    compare: Option<PhotoField>,
) -> Result<KeptPhotos, ObjectError> {
    if snapshot.is_none() && compare.is_none() {
        return Ok(KeptPhotos::default());
    }
    let (snapshot, compare) = futures_util::future::try_join(
        keep_one(objects, of, snapshot, "recognitionPhoto"),
        keep_one(objects, of, compare, "comparePhoto"),
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

/// Deletes what was kept.
pub(crate) async fn delete(objects: &Objects, kept: &KeptPhotos) -> Result<(), ObjectError> {
    for key in [&kept.snapshot_key, &kept.compare_key]
        .into_iter()
        .flatten()
    {
        objects.delete(key).await?;
    }
    Ok(())
}

async fn keep_one(
    objects: &Objects,
    of: PicturesOf<'_>,
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
    let key = object_key(of, &bytes, kind);
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
            tracing::error!(%error, tenant = %of.tenant, "the object store refuses a picture for good");
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

/// The same picture of the same person and day has the same key: a repeat writes it again and adds
/// nothing.
fn object_key(of: PicturesOf<'_>, bytes: &[u8], kind: PictureKind) -> String {
    let PicturesOf {
        tenant,
        day,
        number,
    } = of;
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    digest.update(number.as_bytes());
    digest.update(&[0]);
    digest.update(bytes);
    let digest = digest.finish();
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

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn no_two_persons_share_an_object() {
        let of = |number| PicturesOf {
            tenant: TenantId::from_uuid(Uuid::from_u128(1)),
            day: chrono::NaiveDate::default(),
            number,
        };
        let key = |number| object_key(of(number), b"same", PictureKind::Jpeg);
        assert_eq!(key("1"), key("1"), "a repeat writes it again");
        assert_ne!(key("1"), key("2"));
        assert!(key("1").starts_with("00000000000000000000000000000001/records/19700101/"));
    }
}
