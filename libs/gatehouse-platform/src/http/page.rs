//! Lists: an opaque cursor, a hard maximum, no total.

use super::{Answer, Problem};
use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

/// Most items of a page.
pub const MAX_LIMIT: u32 = 200;
const DEFAULT_LIMIT: u32 = 50;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items, 1 to 200; 50 where not said.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// How many items the caller may have.
    ///
    /// # Errors
    /// A problem where the number is out of range.
    pub fn limit(&self) -> Answer<u64> {
        match self.limit {
            None => Ok(u64::from(DEFAULT_LIMIT)),
            Some(n @ 1..=MAX_LIMIT) => Ok(u64::from(n)),
            Some(_) => Err(Problem::invalid(
                "/limit",
                format!("must be between 1 and {MAX_LIMIT}"),
            )),
        }
    }

    /// The position after which the page begins, as [`Page::cut`] wrote it.
    ///
    /// # Errors
    /// A problem where the cursor is not one of this list.
    pub fn position<P: DeserializeOwned>(&self) -> Answer<Option<P>> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        BASE64URL
            .decode_to_vec(cursor.as_bytes())
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .map(Some)
            .ok_or_else(|| {
                Problem::invalid(
                    "/cursor",
                    "is not a cursor of this list; begin again without one",
                )
            })
    }
}

/// An instant that a caller asks about. RFC 3339 has years of four digits; what else chrono reads lies
/// in part beyond what the database holds.
///
/// # Errors
/// A problem where the year has not four digits.
pub fn within_calendar(pointer: &str, at: Option<DateTime<Utc>>) -> Answer<Option<DateTime<Utc>>> {
    match at {
        Some(at) if !(0..=9999).contains(&at.year()) => Err(Problem::invalid(
            pointer,
            "must lie between the years 0000 and 9999",
        )),
        within => Ok(within),
    }
}

/// One part of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page whose end was found otherwise; `next` is where to go on.
    #[must_use]
    pub fn before(items: Vec<T>, next: Option<impl Serialize>) -> Self {
        Self {
            items,
            next_cursor: next.and_then(cursor),
        }
    }

    /// Makes a page of rows that were fetched with `limit + 1`: one more row than wanted means that
    /// another page follows, after the position of the last item kept.
    pub fn cut<R, P: Serialize>(
        mut rows: Vec<R>,
        limit: u64,
        position: impl Fn(&R) -> P,
        item: impl Fn(R) -> T,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .and_then(|last| cursor(position(last)));
        Self {
            items: rows.into_iter().map(item).collect(),
            next_cursor,
        }
    }
}

fn cursor(position: impl Serialize) -> Option<String> {
    let bytes = serde_json::to_vec(&position).ok()?;
    Some(BASE64URL.encode_to_string(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_where_the_next_begins() {
        let page: Page<i32> = Page::cut(vec![1, 2, 3], 2, |r| *r, |r| r);
        assert_eq!(page.items, [1, 2]);
        let query = PageQuery {
            limit: None,
            cursor: page.next_cursor,
        };
        assert_eq!(query.position::<i32>().unwrap(), Some(2));
        let last: Page<i32> = Page::cut(vec![3], 2, |r| *r, |r| r);
        assert_eq!((last.items, last.next_cursor), (vec![3], None));
    }

    #[test]
    fn years_of_four_digits_are_asked_about() {
        for (text, fine) in [
            ("2026-11-25T00:00:00Z", true),
            ("9999-12-31T23:59:59Z", true),
            ("+10000-01-01T00:00:00Z", false),
            ("-4800-01-01T00:00:00Z", false),
        ] {
            let read = within_calendar("/from", Some(text.parse().unwrap()));
            assert_eq!(read.is_ok(), fine, "{text}");
        }
        assert_eq!(within_calendar("/from", None).unwrap(), None);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(
            PageQuery {
                limit: Some(0),
                cursor: None
            }
            .limit()
            .is_err()
        );
        assert!(
            PageQuery {
                limit: Some(201),
                cursor: None
            }
            .limit()
            .is_err()
        );
        assert!(
            PageQuery {
                limit: None,
                cursor: Some("x".into())
            }
            .position::<i32>()
            .is_err()
        );
    }
}
