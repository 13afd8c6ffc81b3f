//! Cells that are secrets: the rows of a job hold them sealed, and only its file shows them, to be
//! mended.

use super::columns::Column;
use gatehouse_platform::secrets::{Secrets, SecretsError};
use std::collections::BTreeMap;

const PURPOSE: &str = "job-row";
const SECRET: [Column; 2] = [Column::Pin, Column::IdDocumentNumber];

/// The cells with the secret ones sealed.
pub(super) fn sealed(
    cells: &BTreeMap<Column, String>,
    secrets: &Secrets,
) -> Result<BTreeMap<Column, String>, SecretsError> {
    let mut sealed = cells.clone();
    for cell in SECRET
        .iter()
        .filter_map(|column| cells.get_key_value(column))
    {
        let (column, plain) = cell;
        let text = hex::encode(secrets.seal(PURPOSE, plain.as_bytes())?);
        sealed.insert(*column, text);
    }
    Ok(sealed)
}

/// The cells as they came.
pub(super) fn opened(
    mut cells: BTreeMap<Column, String>,
    secrets: &Secrets,
) -> Result<BTreeMap<Column, String>, SecretsError> {
    for column in SECRET {
        if let Some(cell) = cells.get_mut(&column) {
            let sealed = hex::decode(&*cell).map_err(|_| SecretsError::Sealed)?;
            let plain = secrets.open(PURPOSE, &sealed)?;
            *cell = String::from_utf8(plain).map_err(|_| SecretsError::Sealed)?;
        }
    }
    Ok(cells)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_platform::secrets::SecretSettings;

    #[test]
    fn secrets_are_sealed_and_come_back() {
        let secrets = Secrets::new(&SecretSettings {
            master_key: "5a".repeat(32),
            operator_key: None,
        })
        .unwrap();
        let cells = BTreeMap::from([
            (Column::Code, "E-1".to_owned()),
            (Column::Pin, "4829".to_owned()),
            (Column::IdDocumentNumber, "110101199003071234".to_owned()),
        ]);
        let kept = sealed(&cells, &secrets).unwrap();
        assert_eq!(kept[&Column::Code], "E-1");
        let text = format!("{kept:?}");
        assert!(!text.contains("\"4829\"") && !text.contains("110101199003071234"));
        assert_eq!(opened(kept, &secrets).unwrap(), cells);
        assert!(opened(cells, &secrets).is_err());
    }
}
