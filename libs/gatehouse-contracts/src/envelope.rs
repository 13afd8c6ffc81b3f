//! What stands around every event.

use chrono::{DateTime, Utc};
use gatehouse_domain::{MessageId, TenantId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Something that happened, told to whoever asked to know.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Name and version, also the routing key, for example `record.stored.v1`.
    const KIND: &'static str;
}

/// An event with who it concerns, when it happened and an id by which a repeat is recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// The same over every repetition of the same message.
    pub id: MessageId,
    /// The event's kind, equal to the routing key.
    pub kind: String,
    /// Whose data it is.
    pub tenant_id: TenantId,
    /// When the fact was stored.
    pub occurred_at: DateTime<Utc>,
    /// The event itself.
    pub data: T,
}

/// An envelope whose event is not read yet: a queue may carry several kinds. The event is the text
/// that was written when it happened; nobody on the way takes it apart.
pub type RawEnvelope = Envelope<Box<RawValue>>;

/// The envelope carries another event, or one of another shape.
#[derive(Debug, thiserror::Error)]
pub enum WrongKind {
    /// Another kind than the reader handles.
    #[error("expected a message of kind {expected}, found {found}")]
    Kind {
        /// What the reader handles.
        expected: &'static str,
        /// What the envelope says.
        found: String,
    },
    /// The right kind in a shape that cannot be read.
    #[error("a message of kind {kind} could not be read: {source}")]
    Shape {
        /// The kind.
        kind: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

impl<T: Event> Envelope<T> {
    /// Puts an event into its envelope.
    #[must_use]
    pub fn new(id: MessageId, tenant_id: TenantId, occurred_at: DateTime<Utc>, data: T) -> Self {
        Self {
            id,
            kind: T::KIND.to_owned(),
            tenant_id,
            occurred_at,
            data,
        }
    }
}

impl RawEnvelope {
    /// Reads the event, if it is of kind `T`.
    ///
    /// # Errors
    /// [`WrongKind`] where the kind or the shape is another.
    pub fn read<T: Event>(self) -> Result<Envelope<T>, WrongKind> {
        if self.kind != T::KIND {
            return Err(WrongKind::Kind {
                expected: T::KIND,
                found: self.kind,
            });
        }
        let data = serde_json::from_str(self.data.get()).map_err(|source| WrongKind::Shape {
            kind: T::KIND,
            source,
        })?;
        Ok(Envelope {
            id: self.id,
            kind: self.kind,
            tenant_id: self.tenant_id,
            occurred_at: self.occurred_at,
            data,
        })
    }
}
