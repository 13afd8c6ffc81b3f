//! Many persons of a tenant, written straight into the tables: what is measured begins after they
//! are there.

use crate::crowd::Crowd;
use crate::figure::say;
use crate::floor;
use anyhow::Context;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

/// Persons of a group, with a photo each as far as rows tell.
#[derive(Debug)]
pub(crate) struct People {
    /// `grp_...`
    pub(crate) group: String,
    /// `sch_...`
    pub(crate) schedule: String,
}

impl People {
    /// Writes the rows. `photos` are contents that lie in the object store already; person n has the
    /// n-th of them, in turn.
    pub(crate) async fn write(
        crowd: &Crowd,
        pool: &PgPool,
        count: usize,
        photos: &[Vec<u8>],
    ) -> anyhow::Result<Self> {
        say(format_args!("writing {count} persons"));
        let api = &crowd.tenant.api;
        let group = api
            .post(
                "/v1/groups",
                json!({"name": format!("Everybody {}", Uuid::new_v4()), "type": "staff"}),
            )
            .await
            .expect(201);
        let weekdays: Vec<Value> = (1..=7)
            .map(|day| json!({"weekday": day, "periods": [{"from": "06:00", "to": "22:00"}]}))
            .collect();
        let schedule = api
            .post(
                "/v1/schedules",
                json!({"name": format!("Day {}", Uuid::new_v4()), "weekdays": weekdays}),
            )
            .await
            .expect(201);
        let people = Self {
            group: text(&group, "id")?,
            schedule: text(&schedule, "id")?,
        };
        let tenant = crowd.tenant_uuid()?;
        let mut tx = floor::as_tenant(pool, tenant).await?;
        sqlx::query(
            "with born as (
               insert into directory.persons (tenant_id, id, type, name, photo_count, terminal_hash)
               select $1, gen_random_uuid(), 'staff', 'Person ' || n, 1, sha256(convert_to('person ' || n, 'UTF8'))
                 from generate_series(1, $2::int8) n
               returning tenant_id, id, number),
             joined as (
               insert into directory.group_members (tenant_id, group_id, person_id)
               select tenant_id, $3, id from born)
             insert into directory.photos (tenant_id, id, person_id, slot, number, sha256, width, height, original_bytes,
                                           terminal_bytes, push_bytes, findings)
             select tenant_id, gen_random_uuid(), id, 1, '654321', ($4::bytea[])[1 + number % cardinality($4::bytea[])],
                    500, 500, 60000, 60000, 60000, '{}'
               from born where cardinality($4::bytea[]) > 0",
        )
        .bind(tenant)
        .bind(i64::try_from(count)?)
        .bind(kit::uuid_of(&people.group))
        .bind(photos.to_vec())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        sqlx::query("analyze directory.persons, directory.group_members, directory.photos")
            .execute(pool)
            .await?;
        Ok(people)
    }

    /// Lets the group pass all devices; the id of the change on its way to the terminals.
    pub(crate) async fn authorize(&self, crowd: &Crowd) -> anyhow::Result<(String, String)> {
        let devices: Vec<String> = crowd.devices.iter().map(|(_, id)| id.to_string()).collect();
        let authority = crowd
            .tenant
            .api
            .post(
                "/v1/authorities",
                json!({"device_ids": devices, "group_ids": [self.group], "schedule_id": self.schedule}),
            )
            .await
            .expect(201);
        Ok((
            text(&authority, "id")?,
            text(&authority, "distribution_id")?,
        ))
    }
}

/// A field that must be text.
pub(crate) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("no {field} in {value}"))
}
