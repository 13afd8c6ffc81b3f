//! Figure 5: assignments planned per second when a large group may pass many terminals, beside a bare
//! `INSERT ... SELECT` of the same rows into a table with the same indexes.

use crate::crowd::Crowd;
use crate::figure::{Figure, say};
use crate::floor::{self, Floor};
use crate::machine;
use crate::people::People;
use crate::rounds::median;
use crate::server::Server;
use anyhow::Context;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::time::{Duration, Instant};
use uuid::Uuid;

const GOAL: f64 = 0.5;
const DEVICES: usize = 100;
const ROUNDS: usize = 3;
const PLANNED_WITHIN: Duration = Duration::from_secs(300);
/// Beyond this the process holds rows.
const FLAT_BYTES: u64 = 64 << 20;

/// Measures it.
pub(crate) async fn measure(persons: usize) -> anyhow::Result<Figure> {
    println!("planning: an authority of {persons} persons x {DEVICES} terminals, {ROUNDS} rounds");
    let server = Server::start().await;
    let floor = Floor::copy(&["sync.assignments"]).await?;
    let crowd = Crowd::claim(&server, DEVICES).await?;
    let people = People::write(&crowd, floor.pool(), persons, &[]).await?;
    let (mut ours, mut bound, mut grown, mut lost) = (Vec::new(), Vec::new(), 0, None);
    for round in 1..=ROUNDS {
        let planned = plan(&server, &crowd, &people).await?;
        let rows = count(&floor, crowd.tenant_uuid()?).await?;
        let wanted = persons * DEVICES;
        if rows != wanted {
            lost = Some(format!("{rows} assignments of {wanted} are planned"));
        }
        let bare = bare(&floor, crowd.tenant_uuid()?).await?;
        let per_second = |took: Duration| wanted as f64 / took.as_secs_f64();
        say(format_args!(
            "round {round}: planned in {:.1} s, {:.0} per second; bare {:.1} s, {:.0} per second",
            planned.took.as_secs_f64(),
            per_second(planned.took),
            bare.as_secs_f64(),
            per_second(bare)
        ));
        ours.push(per_second(planned.took));
        bound.push(per_second(bare));
        grown = grown.max(planned.grown);
        withdraw(&floor, &crowd, &planned.authority).await?;
    }
    floor.drop().await?;
    let (ours, bound) = (median(&ours), median(&bound));
    let ratio = ours / bound;
    Ok(Figure {
        name: format!("Planning {persons} persons x {DEVICES} terminals"),
        value: format!("{ours:.0}/s"),
        bound: format!("{bound:.0}/s (bare INSERT ... SELECT)"),
        ratio,
        goal: format!(">= {GOAL} x, memory flat"),
        met: ratio >= GOAL && grown < FLAT_BYTES,
        lost,
        notes: vec![
            format!(
                "from the request that saves the authority to the plan's commit; the process grew by {:.1} MB at most",
                grown as f64 / 1e6
            ),
            "each person is planned once for each terminal; the terminals are offline".to_owned(),
        ],
        numbers: json!({"per_s": ours, "bound_per_s": bound, "persons": persons, "devices": DEVICES, "grown_bytes": grown}),
    })
}

struct Planned {
    authority: String,
    took: Duration,
    grown: u64,
}

/// Saves an authority and waits until it is planned, watching the server's memory.
async fn plan(server: &Server, crowd: &Crowd, people: &People) -> anyhow::Result<Planned> {
    let before = machine::resident(server.pid())?;
    let begun = Instant::now();
    let (authority, distribution) = people.authorize(crowd).await?;
    let path = format!("/v1/distributions/{distribution}");
    let mut most = before;
    loop {
        most = most.max(machine::resident(server.pid())?);
        let seen = crowd.tenant.api.get(&path).await.expect(200);
        if seen["state"] != "waiting" {
            break;
        }
        anyhow::ensure!(
            begun.elapsed() < PLANNED_WITHIN,
            "not planned within {PLANNED_WITHIN:?}: {seen}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(Planned {
        authority,
        took: begun.elapsed(),
        grown: most - before,
    })
}

async fn count(floor: &Floor, tenant: Uuid) -> anyhow::Result<usize> {
    let mut tx = floor::as_tenant(floor.pool(), tenant).await?;
    let count: i64 = sqlx::query_scalar(
        "select count(*) from sync.assignments where tenant_id = $1 and desired is not null",
    )
    .bind(tenant)
    .fetch_one(&mut *tx)
    .await?;
    Ok(usize::try_from(count)?)
}

/// The same rows into a copy of the table.
async fn bare(floor: &Floor, tenant: Uuid) -> anyhow::Result<Duration> {
    let mut tx = floor::as_tenant(floor.pool(), tenant).await?;
    let begun = Instant::now();
    let statement = format!(
        "insert into {}.assignments select * from sync.assignments where tenant_id = $1",
        floor.schema()
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(tenant)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    let took = begun.elapsed();
    let statement = format!("truncate {}.assignments", floor.schema());
    sqlx::query(AssertSqlSafe(statement))
        .execute(floor.pool())
        .await?;
    Ok(took)
}

/// Takes the authority away, and waits until nothing of it is left; the next round finds a table
/// without dead rows.
async fn withdraw(floor: &Floor, crowd: &Crowd, authority: &str) -> anyhow::Result<()> {
    let reply = crowd
        .tenant
        .api
        .delete(&format!("/v1/authorities/{authority}"))
        .await;
    anyhow::ensure!(
        reply.status < 300,
        "the authority is not removed: {}",
        reply.json
    );
    let begun = Instant::now();
    while count(floor, crowd.tenant_uuid()?).await? > 0 {
        anyhow::ensure!(
            begun.elapsed() < PLANNED_WITHIN,
            "assignments stay after their authority"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    sqlx::query("vacuum sync.assignments")
        .execute(floor.pool())
        .await
        .context("the table is swept")?;
    Ok(())
}
