//! The hash of all that a terminal is told about a person. A change that leaves it alone sends
//! nothing.

use super::store;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_schema::entities::people::persons::Model;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Changes where more, or something else, is told: then everybody is sent once more.
const FORM: &str = "person-1";

/// The hash of a person with these cards and these pictures' hashes, in the order of their slots. The
/// id stands for the number, which it determines and which is not known before the row is. Terminals
/// are told the first card, none of the others, and no PIN.
pub(super) fn of(row: &Model, cards: &[String], photos: &[Vec<u8>]) -> Vec<u8> {
    let photos: Vec<String> = photos.iter().map(hex::encode).collect();
    let told = json!([
        FORM,
        row.id,
        row.kind,
        row.name,
        row.gender,
        row.birthday_on,
        row.phone,
        row.valid_from,
        row.valid_to,
        row.welcome_text,
        row.display_text,
        cards.first(),
        photos,
    ]);
    Sha256::digest(told.to_string().as_bytes()).to_vec()
}

/// Computes the hash of a person anew, after their pictures have changed. The row must be locked by
/// this transaction.
///
/// # Errors
/// The database's.
pub(crate) async fn refresh(tx: &TenantTx, row: &Model) -> Result<Vec<u8>, DbError> {
    let id: Uuid = row.id;
    let cards = store::cards(tx, id).await?;
    let photos = store::photo_hashes(tx, id).await?;
    Ok(of(row, &cards, &photos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_with_what_a_terminal_is_told_and_with_nothing_else() {
        let row = crate::persons::store::sample();
        let hash = of(&row, &[], &[]);
        for told in [
            Model {
                name: "李四".into(),
                ..row.clone()
            },
            Model {
                gender: "male".into(),
                ..row.clone()
            },
            Model {
                phone: Some("1".into()),
                ..row.clone()
            },
            Model {
                welcome_text: Some("1".into()),
                ..row.clone()
            },
            Model {
                display_text: Some("1".into()),
                ..row.clone()
            },
        ] {
            assert_ne!(of(&told, &[], &[]), hash, "{told:?}");
        }
        let first = of(&row, &["1".into()], &[]);
        assert_ne!(first, hash);
        assert_eq!(of(&row, &["1".into(), "2".into()], &[]), first);
        assert_ne!(of(&row, &[], &[vec![1]]), hash);
        let untold = Model {
            remark: "x".into(),
            pin_sealed: Some(vec![1]),
            email: Some("a@b.example".into()),
            version: 7,
            ..row
        };
        assert_eq!(of(&untold, &[], &[]), hash);
    }
}
