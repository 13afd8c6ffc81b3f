//! `Idempotency-Key`: the same request sent twice is carried out once. The key is stored in the
//! transaction that does the work, so that either both are there or neither.

use super::{Answer, Problem, ProblemCode};
use crate::db::{DbError, ServiceRoles, TenantTx, sql};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, http::StatusCode};
use aws_lc_rs::digest;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use std::future::{Ready, ready};

/// The header, where sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(Option<String>);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("Idempotency-Key") else {
            return ready(Ok(Self(None)));
        };
        let text = value.to_str().unwrap_or_default();
        let fine = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        ready(if fine {
            Ok(Self(Some(text.to_owned())))
        } else {
            Err(Problem::new(
                ProblemCode::MalformedRequest,
                "Idempotency-Key must have 1 to 128 visible ASCII characters.",
            ))
        })
    }
}

/// What the key says of a request.
#[derive(Debug)]
pub enum Begun {
    /// Not seen before, or no key was sent: do the work, then [`finish`].
    Fresh,
    /// Seen before, with the same content: this was the answer.
    Replay(HttpResponse),
}

/// Claims the key for this transaction. A second request with the same key waits here until the
/// first one's transaction has ended.
///
/// # Errors
/// A problem where the key was used for another request, or the database's.
pub async fn begin(
    tx: &TenantTx,
    roles: ServiceRoles,
    operation: &'static str,
    key: &IdempotencyKey,
    request: &impl Serialize,
) -> Answer<Begun> {
    let Some(key) = &key.0 else {
        return Ok(Begun::Fresh);
    };
    let body = serde_json::to_vec(request).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, &body).as_ref().to_vec();
    let table = format!("{}.idempotency_keys", roles.schema);
    let claimed = tx
        .conn()
        .execute_raw(sql(
            &format!(
                "insert into {table} (tenant_id, operation, key, request_hash) values ($1, $2, $3, $4) on conflict do nothing"
            ),
            [tx.tenant_uuid().into(), operation.into(), key.as_str().into(), hash.clone().into()],
        ))
        .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Begun::Fresh);
    }
    let row = tx
        .conn()
        .query_one_raw(sql(
            &format!(
                "select request_hash, status, answer from {table} where tenant_id = $1 and operation = $2 and key = $3"
            ),
            [tx.tenant_uuid().into(), operation.into(), key.as_str().into()],
        ))
        .await?
        .ok_or_else(|| Problem::new(ProblemCode::Conflict, "The same request is under way; try again shortly."))?;
    let read = |e: sea_orm::DbErr| Problem::from(DbError::from(e));
    if row.try_get::<Vec<u8>>("", "request_hash").map_err(read)? != hash {
        return Err(Problem::new(
            ProblemCode::IdempotencyMismatch,
            "This Idempotency-Key was used with another request; take a new key for a new request.",
        ));
    }
    let status: Option<i16> = row.try_get("", "status").map_err(read)?;
    let answer: Option<serde_json::Value> = row.try_get("", "answer").map_err(read)?;
    let status = status
        .and_then(|s| u16::try_from(s).ok())
        .and_then(|s| StatusCode::from_u16(s).ok());
    Ok(Begun::Replay(
        HttpResponse::build(status.unwrap_or(StatusCode::OK))
            .insert_header(("Idempotent-Replayed", "true"))
            .json(answer.unwrap_or_default()),
    ))
}

/// Stores the answer beside the key, before the commit.
///
/// # Errors
/// The database's.
pub async fn finish(
    tx: &TenantTx,
    roles: ServiceRoles,
    operation: &'static str,
    key: &IdempotencyKey,
    status: u16,
    body: &impl Serialize,
) -> Answer<()> {
    let Some(key) = &key.0 else { return Ok(()) };
    let answer = serde_json::to_value(body).unwrap_or_default();
    tx.conn()
        .execute_raw(sql(
            &format!(
                "update {}.idempotency_keys set status = $4, answer = $5 where tenant_id = $1 and operation = $2 and key = $3",
                roles.schema
            ),
            [
                tx.tenant_uuid().into(),
                operation.into(),
                key.as_str().into(),
                i16::try_from(status).unwrap_or(200).into(),
                answer.into(),
            ],
        ))
        .await?;
    Ok(())
}
