//! The shape of a tenant's tree: how deep and how large it may be, and what lies above and below.

use gatehouse_domain::DepartmentId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// Most levels, the top included.
pub(super) const LEVELS_MAX: i64 = 16;
/// Most departments of a tenant: the tree can be shown whole.
pub(super) const DEPARTMENTS_MAX: i64 = 5000;

/// Holds the tenant's tree until the transaction ends: nobody else changes its shape meanwhile. Called
/// before anything of the tree is read that the change depends on.
pub(super) async fn hold(tx: &TenantTx) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "select pg_advisory_xact_lock(hashtextextended('departments ' || $1::uuid::text, 0))",
            [tx.tenant_uuid().into()],
        ))
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Node {
    id: Uuid,
    level: i64,
}

/// Both walks end where a tree of the admitted depth has ended long ago.
const ABOVE: &str = "
  with recursive above (id, parent_id, level) as (
    select id, parent_id, 1::bigint from directory.departments where tenant_id = $1 and id = $2
    union all
    select d.id, d.parent_id, a.level + 1
      from above a join directory.departments d on d.tenant_id = $1 and d.id = a.parent_id
     where a.level <= 16)
  select id, level from above";

const BELOW: &str = "
  with recursive below (id, level) as (
    select id, 1::bigint from directory.departments where tenant_id = $1 and id = $2
    union all
    select d.id, b.level + 1
      from below b join directory.departments d on d.tenant_id = $1 and d.parent_id = b.id
     where b.level <= 16)
  select id, level from below";

async fn walk(tx: &TenantTx, way: &str, id: DepartmentId) -> Result<Vec<Node>, DbError> {
    let values = [tx.tenant_uuid().into(), id.uuid().into()];
    Ok(Node::find_by_statement(sql(way, values))
        .all(tx.conn())
        .await?)
}

/// A department and all below it.
pub(super) async fn with_all_below(tx: &TenantTx, id: DepartmentId) -> Result<Vec<Uuid>, DbError> {
    let nodes = walk(tx, BELOW, id).await?;
    Ok(nodes.into_iter().map(|node| node.id).collect())
}

fn levels(nodes: &[Node]) -> i64 {
    nodes.iter().map(|node| node.level).max().unwrap_or(0)
}

/// Whether a new department may stand below this one. The tree must be held.
pub(super) async fn check_new(tx: &TenantTx, parent: Option<DepartmentId>) -> Answer<()> {
    let statement = sql(
        "select count(*) as level, $1 as id from (
           select from directory.departments where tenant_id = $1 limit $2) d",
        [tx.tenant_uuid().into(), DEPARTMENTS_MAX.into()],
    );
    let count = Node::find_by_statement(statement).one(tx.conn()).await?;
    if count.is_some_and(|count| count.level >= DEPARTMENTS_MAX) {
        return Err(Problem::new(
            ProblemCode::Conflict,
            format!(
                "There are {DEPARTMENTS_MAX} departments, which is the most a tenant can have."
            ),
        ));
    }
    let Some(parent) = parent else { return Ok(()) };
    let above = walk(tx, ABOVE, parent).await?;
    check_parent(&above, levels(&above), 1)
}

/// Whether a department may move below another one with all below it. The tree must be held.
pub(super) async fn check_move(
    tx: &TenantTx,
    id: DepartmentId,
    parent: Option<DepartmentId>,
) -> Answer<()> {
    let Some(parent) = parent else { return Ok(()) };
    let above = walk(tx, ABOVE, parent).await?;
    if above.iter().any(|node| node.id == id.uuid()) {
        return Err(Problem::invalid(
            "/parent_id",
            "must not be the department itself or one below it",
        ));
    }
    let below = walk(tx, BELOW, id).await?;
    check_parent(&above, levels(&above), levels(&below))
}

fn check_parent(above: &[Node], levels_above: i64, levels_below: i64) -> Answer<()> {
    if above.is_empty() {
        return Err(Problem::invalid(
            "/parent_id",
            "names a department that there is not",
        ));
    }
    if levels_above.saturating_add(levels_below) > LEVELS_MAX {
        return Err(Problem::invalid(
            "/parent_id",
            format!("would make the tree deeper than {LEVELS_MAX} levels"),
        ));
    }
    Ok(())
}
