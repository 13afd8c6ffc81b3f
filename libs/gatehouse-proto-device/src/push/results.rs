//! `syresult` (9.4): what came of what the feed listed.

use super::{Operation, body, words};
use gatehouse_wire::{Object, ReadError, Value};

/// What came of one person. `None` and empty text mean that the device did not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultLine {
    /// `userID` or `userId`, trimmed; never empty.
    pub user_id: String,
    /// `status`, trimmed: `100` is success, everything else a failure.
    pub status: String,
    /// `msg`, trimmed.
    pub message: String,
    /// `operationType`, which real devices add.
    pub operation: Option<Operation>,
}

impl ResultLine {
    /// Whether the device did what it was told; 100 is the only code that the document names.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status == "100"
    }
}

/// Reads results: `resultList` is an object in the document and a list in its name; both are read,
/// and a body without it. Lines without a user are left out.
///
/// # Errors
/// [`ReadError`] where the body is no JSON object.
pub fn read_results(bytes: &[u8]) -> Result<Vec<ResultLine>, ReadError> {
    let object = body(bytes)?;
    let lines = match object.get("resultList") {
        Some(Value::List(items)) => items.iter().filter_map(of_value).collect(),
        Some(Value::Object(item)) => line(item).into_iter().collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_)) => Vec::new(),
        None => line(&object).into_iter().collect(),
    };
    Ok(lines)
}

fn of_value(value: &Value<'_>) -> Option<ResultLine> {
    match value {
        Value::Object(item) => line(item),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
    }
}

fn line(item: &Object<'_>) -> Option<ResultLine> {
    let operation = item
        .word("operationType")
        .or_else(|| item.word("operation"))
        .and_then(Operation::read);
    Some(ResultLine {
        user_id: words(item, "userId")?,
        status: words(item, "status").unwrap_or_default(),
        message: words(item, "msg").unwrap_or_default(),
        operation,
    })
}
