//! Figure 8: lists and searches of persons in a tenant of a million, beside the same in a tenant of a
//! thousand: their cost must not grow with the tenant.

use crate::figure::{Figure, say};
use crate::floor::{self, Floor};
use crate::rounds::{median, ms};
use crate::server::Server;
use anyhow::Context;
use kit::Tenant;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::{Duration, Instant};

const GOAL: f64 = 3.0;
const SMALL: i64 = 1_000;
const ROUNDS: usize = 30;
/// Pages that a cursor has passed before one is measured.
const DEEP_PAGES: usize = 40;

/// Measures it.
pub(crate) async fn measure(persons: usize) -> anyhow::Result<Figure> {
    println!("search: a tenant of {persons} persons beside one of {SMALL}");
    let server = Server::start().await;
    let floor = Floor::copy(&[]).await?;
    let large = Crowded::fill(&server, floor.pool(), i64::try_from(persons)?).await?;
    let small = Crowded::fill(&server, floor.pool(), SMALL).await?;
    let mut notes = Vec::new();
    let mut worst = (0.0, "", Duration::ZERO, Duration::ZERO);
    for (what, path) in large.questions().await? {
        let (_, beside) = small
            .questions()
            .await?
            .into_iter()
            .find(|(other, _)| *other == what)
            .context("both tenants are asked the same")?;
        let (ours, bound) = (large.ask(&path).await?, small.ask(&beside).await?);
        let ratio = ours.as_secs_f64() / bound.as_secs_f64();
        say(format_args!(
            "{what}: {:.2} ms, beside {:.2} ms",
            ms(ours),
            ms(bound)
        ));
        notes.push(format!(
            "{what}: {:.2} ms in the large tenant, {:.2} ms in the small one",
            ms(ours),
            ms(bound)
        ));
        if ratio > worst.0 {
            worst = (ratio, what, ours, bound);
        }
    }
    large.clear(floor.pool()).await?;
    floor.drop().await?;
    let (ratio, what, ours, bound) = worst;
    Ok(Figure {
        name: format!("Lists of a tenant of {persons} persons, the worst: {what}"),
        value: format!("{:.2} ms", ms(ours)),
        bound: format!("{:.2} ms (tenant of {SMALL})", ms(bound)),
        ratio,
        goal: format!("<= {GOAL} x"),
        met: ratio <= GOAL,
        lost: None,
        numbers: json!({"ratio": ratio, "persons": persons, "ours_ms": ms(ours), "bound_ms": ms(bound)}),
        notes,
    })
}

/// A tenant with many persons, half of them in one group.
struct Crowded {
    tenant: Tenant,
    group: String,
    count: i64,
}

impl Crowded {
    async fn fill(server: &Server, pool: &PgPool, count: i64) -> anyhow::Result<Self> {
        say(format_args!(
            "writing {count} persons with the terms they are found by"
        ));
        let tenant = Tenant::create(server.base_url()).await;
        let group = tenant
            .api
            .post("/v1/groups", json!({"name": "Half", "type": "staff"}))
            .await
            .expect(201);
        let group = group["id"]
            .as_str()
            .context("a group has an id")?
            .to_owned();
        let mut tx = floor::as_tenant(pool, tenant.uuid()).await?;
        sqlx::query(
            "with born as (
               insert into directory.persons (tenant_id, id, type, name, code, phone, terminal_hash, updated_at)
               select $1, gen_random_uuid(), 'staff', 'Person ' || n, 'C' || n, '138' || lpad(n::text, 8, '0'),
                      sha256(convert_to(n::text, 'UTF8')), now() - make_interval(secs => ($2 - n))
                 from generate_series(1, $2) n
               returning tenant_id, id, name, number),
             joined as (
               insert into directory.group_members (tenant_id, group_id, person_id)
               select tenant_id, $3, id from born where number % 2 = 0)
             insert into directory.person_terms (tenant_id, person_id, term)
             select tenant_id, id, term from born
              cross join lateral (values (lower(replace(name, ' ', ''))), (split_part(name, ' ', 2))) t (term)",
        )
        .bind(tenant.uuid())
        .bind(count)
        .bind(kit::uuid_of(&group))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        sqlx::query(
            "vacuum analyze directory.persons, directory.group_members, directory.person_terms",
        )
        .execute(pool)
        .await?;
        Ok(Self {
            tenant,
            group,
            count,
        })
    }

    /// What people ask.
    async fn questions(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let middle = self.count / 2;
        let since = chrono::Utc::now() - chrono::TimeDelta::seconds(500);
        let since = since.format("%Y-%m-%dT%H:%M:%SZ");
        let deep = self.deep("/v1/persons?limit=20").await?;
        let deep_in_group = self
            .deep(&format!("/v1/persons?limit=10&group_id={}", self.group))
            .await?;
        Ok(vec![
            ("the first page", "/v1/persons?limit=20".to_owned()),
            ("a page deep inside", deep),
            (
                "a name that few have",
                format!("/v1/persons?limit=20&q=person{middle}"),
            ),
            (
                "a beginning that all have",
                "/v1/persons?limit=20&q=pers".to_owned(),
            ),
            ("a code", format!("/v1/persons?code=C{middle}")),
            ("a phone", format!("/v1/persons?phone=138{middle:08}")),
            (
                "a group",
                format!("/v1/persons?limit=20&group_id={}", self.group),
            ),
            ("a group, deep inside", deep_in_group),
            (
                "changed of late",
                format!("/v1/persons?limit=20&updated_since={since}"),
            ),
        ])
    }

    /// The path of a page behind many others.
    async fn deep(&self, path: &str) -> anyhow::Result<String> {
        let mut cursor = String::new();
        for _ in 0..DEEP_PAGES {
            let page = self
                .tenant
                .api
                .get(&format!("{path}{cursor}"))
                .await
                .expect(200);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        Ok(format!("{path}{cursor}"))
    }

    /// The middle time of an answer, which must have items.
    async fn ask(&self, path: &str) -> anyhow::Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let page: Value = self.tenant.api.get(path).await.expect(200);
            times.push(begun.elapsed().as_secs_f64());
            let found = page["items"]
                .as_array()
                .is_some_and(|items| !items.is_empty());
            anyhow::ensure!(found, "{path} finds nobody");
        }
        Ok(Duration::from_secs_f64(median(&times)))
    }

    /// A million rows that nobody needs any more.
    async fn clear(&self, pool: &PgPool) -> anyhow::Result<()> {
        say("deleting them");
        let mut tx = floor::as_tenant(pool, self.tenant.uuid()).await?;
        for table in ["group_members", "person_terms", "persons"] {
            let statement = format!("delete from directory.{table} where tenant_id = $1");
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .bind(self.tenant.uuid())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
