//! The SQL of offers: who has work waiting, and offering it. Set operations throughout; every
//! statement may run in two processes at once.

use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// How long an offer counts as under way before it is made again, and a little for each one that
/// stands before it in the queue. A session that ends voids its offers at once; this is for what was
/// lost on the way.
const LEASE_TERMINAL_S: f64 = 180.0;
const LEASE_PUSH_S: f64 = 600.0;
const LEASE_EACH_S: f64 = 10.0;

/// A device for which something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, FromQueryResult)]
pub(super) struct Waiting {
    /// Whose.
    pub(super) tenant_id: Uuid,
    /// Which.
    pub(super) device_id: Uuid,
}

/// Devices that can be told something now: terminals with a live session, and push devices, which
/// fetch by themselves (their session is 0).
const LIVE: &str = "select d.tenant_id, d.id as device_id, d.protocol, \
         case when d.protocol = 'http_push' then 0 else t.session end as session \
    from directory.devices d \
    left join hub.terminals t on t.tenant_id = d.tenant_id and t.device_id = d.id \
   where (d.protocol = 'http_push' or (t.connected_at is not null and t.disconnected_at is null))";

/// Devices with something due and room for it, or with a session that was not seen before: of each
/// tenant some, drawn by lot, so that no tenant and no device waits behind another for ever. `among`:
/// of these only. (`limit 1` and not `exists`, which may be answered by reading what is due of all
/// devices, those that are offline for weeks included.)
pub(super) async fn waiting(
    tx: &SystemTx,
    among: Option<&[Waiting]>,
    offers_per_device: i64,
    devices_per_tenant: i64,
    devices: i64,
) -> Result<Vec<Waiting>, DbError> {
    let (tenants, ids): (Vec<Uuid>, Vec<Uuid>) = among
        .unwrap_or_default()
        .iter()
        .map(|one| (one.tenant_id, one.device_id))
        .unzip();
    let chosen = if among.is_some() {
        "and (d.tenant_id, d.id) in (select * from unnest($4::uuid[], $5::uuid[]))"
    } else {
        "and $4::uuid[] = $5::uuid[]"
    };
    let statement = sql(
        &format!(
            "with live as ({LIVE} {chosen}) \
             select tenant_id, device_id from ( \
               select l.tenant_id, l.device_id, row_number() over (partition by l.tenant_id order by random()) as turn \
                 from live l \
                 left join sync.devices s on s.tenant_id = l.tenant_id and s.device_id = l.device_id \
                where s.session is distinct from l.session \
                   or case when (select true from sync.assignments a where a.tenant_id = l.tenant_id and a.device_id = l.device_id \
                                    and a.urgency = 0 and a.due_at <= now() limit 1) \
                      then (select count(*) from sync.assignments o where o.tenant_id = l.tenant_id and o.device_id = l.device_id \
                              and o.urgency = 0 and o.offer is not null and o.offered_session = l.session and o.due_at > now()) < $1 end \
                   or case when (select true from sync.assignments a where a.tenant_id = l.tenant_id and a.device_id = l.device_id \
                                    and a.urgency = 1 and a.due_at <= now() limit 1) \
                      then (select count(*) from sync.assignments o where o.tenant_id = l.tenant_id and o.device_id = l.device_id \
                              and o.offer is not null and o.offered_session = l.session and o.due_at > now()) * 2 <= $1 end \
             ) w where turn <= $2 order by turn, tenant_id limit $3"
        ),
        [
            offers_per_device.into(),
            devices_per_tenant.into(),
            devices.into(),
            tenants.into(),
            ids.into(),
        ],
    );
    Ok(Waiting::find_by_statement(statement).all(tx.conn()).await?)
}

/// A device held for this transaction: nobody else offers or settles for it meanwhile.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Held {
    device_id: Uuid,
    protocol: String,
    session: i64,
    /// Another session than the one seen before.
    renewed: bool,
}

/// Whether to wait for devices that somebody else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// Their work is being done: pass over.
    Skip,
    /// An answer is being settled; what follows builds on it.
    Await,
}

/// Holds those of the devices that are there now.
pub(super) async fn hold(
    tx: &TenantTx,
    devices: &[Uuid],
    busy: Busy,
) -> Result<Vec<Held>, DbError> {
    let values = || [tx.tenant_uuid().into(), devices.to_vec().into()];
    tx.conn()
        .execute_raw(sql(
            "insert into sync.devices (tenant_id, device_id, sn) \
             select d.tenant_id, d.id, d.sn from directory.devices d \
              where d.tenant_id = $1 and d.id = any($2) \
                and not exists (select from sync.devices s where s.tenant_id = d.tenant_id and s.device_id = d.id) \
             on conflict do nothing",
            values(),
        ))
        .await?;
    let busy = match busy {
        Busy::Skip => "skip locked",
        Busy::Await => "",
    };
    let statement = sql(
        &format!(
            "select l.device_id, l.protocol, l.session, s.session is distinct from l.session as renewed \
               from sync.devices s \
               join ({LIVE} and d.tenant_id = $1 and d.id = any($2)) l on l.tenant_id = s.tenant_id and l.device_id = s.device_id \
              where s.tenant_id = $1 and s.device_id = any($2) and l.session is not null \
              order by s.device_id for update of s {busy}"
        ),
        values(),
    );
    Ok(Held::find_by_statement(statement).all(tx.conn()).await?)
}

/// What waits in back-off is due now that a terminal has come (back), and what an older session was
/// offered is void.
pub(super) async fn renew(tx: &TenantTx, held: &[Held]) -> Result<(), DbError> {
    let renewed: Vec<&Held> = held.iter().filter(|device| device.renewed).collect();
    if renewed.is_empty() {
        return Ok(());
    }
    let values = || {
        [
            tx.tenant_uuid().into(),
            renewed
                .iter()
                .map(|d| d.device_id)
                .collect::<Vec<_>>()
                .into(),
            renewed.iter().map(|d| d.session).collect::<Vec<_>>().into(),
        ]
    };
    tx.conn()
        .execute_raw(sql(
            "update sync.assignments a set due_at = now() \
               from unnest($2::uuid[], $3::int8[]) r (device_id, session) \
              where a.tenant_id = $1 and a.device_id = r.device_id and a.due_at > now() \
                and (a.offer is null or a.offered_session is distinct from r.session)",
            values(),
        ))
        .await?;
    tx.conn()
        .execute_raw(sql(
            "update sync.devices s set session = r.session from unnest($2::uuid[], $3::int8[]) r (device_id, session) \
              where s.tenant_id = $1 and s.device_id = r.device_id",
            values(),
        ))
        .await?;
    Ok(())
}

/// Offers what is due, most urgent first, up to the devices' room; removals have room of their own,
/// so that none waits behind additions. Gives the device of each offer.
pub(super) async fn offer(
    tx: &TenantTx,
    held: &[Held],
    offers_per_device: i64,
) -> Result<Vec<Uuid>, DbError> {
    // How many rows a lateral limit brings cannot be estimated: without this the whole table is read.
    tx.conn()
        .execute_unprepared("set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_seqscan = off")
        .await?;
    // Materialized: a plan that runs a locking part twice would choose twice.
    // UUID v7: the time and the place in the queue come first, so that the hub sends in this order.
    let now = Uuid::now_v7().to_string();
    let begin = now.get(..15).unwrap_or_default();
    let lease = |device: &Held| match device.protocol.as_str() {
        "http_push" => LEASE_PUSH_S,
        _ => LEASE_TERMINAL_S,
    };
    let statement = sql(
        "with room as materialized ( \
           select r.*, o.outstanding, o.removals \
             from unnest($2::uuid[], $3::int8[], $4::float8[]) r (device_id, session, lease_s) \
            cross join lateral ( \
              select count(*) as outstanding, count(*) filter (where o.urgency = 0) as removals from sync.assignments o \
               where o.tenant_id = $1 and o.device_id = r.device_id and o.offer is not null \
                 and o.offered_session = r.session and o.due_at > now()) o), \
         removals as materialized ( \
           select m.device_id, c.* from room m cross join lateral ( \
             select a.number, a.urgency, a.due_at from sync.assignments a \
              where a.tenant_id = $1 and a.device_id = m.device_id and a.urgency = 0 and a.due_at <= now() \
              order by a.due_at limit greatest($5 - m.removals, 0) for update skip locked) c), \
         additions as materialized ( \
           select m.device_id, c.* from room m \
             left join (select device_id, count(*) as chosen from removals group by device_id) f on f.device_id = m.device_id \
            cross join lateral ( \
             select a.number, a.urgency, a.due_at from sync.assignments a \
              where a.tenant_id = $1 and a.device_id = m.device_id and a.urgency = 1 and a.due_at <= now() \
              order by a.due_at \
              limit case when m.outstanding * 2 <= $5 then greatest($5 - m.outstanding - coalesce(f.chosen, 0), 0) else 0 end \
              for update skip locked) c), \
         chosen as materialized ( \
           select m.session, m.lease_s, m.outstanding, c.device_id, c.number, \
                  row_number() over (partition by c.device_id order by c.urgency, c.due_at, c.number) as turn \
             from (select * from removals union all select * from additions) c \
             join room m on m.device_id = c.device_id) \
         update sync.assignments a \
            set offer = ($6 || lpad(to_hex(least(c.turn, 4095)), 3, '0') || substr(gen_random_uuid()::text, 19))::uuid, \
                offered = a.desired, offered_session = c.session, sent_at = now(), \
                due_at = now() + make_interval(secs => c.lease_s + (c.outstanding + c.turn) * $7), \
                state = case when a.desired is null then 'removing' else 'sending' end, \
                maybe_held = a.maybe_held or a.desired is not null \
           from chosen c where a.tenant_id = $1 and a.device_id = c.device_id and a.number = c.number \
         returning a.device_id",
        [
            tx.tenant_uuid().into(),
            held.iter().map(|d| d.device_id).collect::<Vec<_>>().into(),
            held.iter().map(|d| d.session).collect::<Vec<_>>().into(),
            held.iter().map(lease).collect::<Vec<_>>().into(),
            offers_per_device.into(),
            begin.into(),
            LEASE_EACH_S.into(),
        ],
    );
    let rows = tx.conn().query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok(row.try_get("", "device_id")?))
        .collect()
}

/// Terminals whose session has ended since the last look.
pub(super) async fn gone(tx: &SystemTx, devices: i64) -> Result<Vec<Waiting>, DbError> {
    let statement = sql(
        "select s.tenant_id, s.device_id from sync.devices s \
           left join hub.terminals t on t.tenant_id = s.tenant_id and t.device_id = s.device_id \
            and t.connected_at is not null and t.disconnected_at is null \
          where s.session <> 0 and t.device_id is null limit $1",
        [devices.into()],
    );
    Ok(Waiting::find_by_statement(statement).all(tx.conn()).await?)
}

/// What was handed over to a session that has ended waits again. The offers themselves stay until the
/// next ones: an answer may still be on its way here.
pub(super) async fn set_back(tx: &TenantTx, devices: &[Uuid]) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "with gone as ( \
               update sync.devices s set session = null \
                where s.tenant_id = $1 and s.device_id = any($2) and s.session <> 0 \
                  and not exists (select from hub.terminals t where t.tenant_id = s.tenant_id and t.device_id = s.device_id \
                    and t.connected_at is not null and t.disconnected_at is null) \
               returning s.device_id) \
             update sync.assignments a set state = 'pending', due_at = now() from gone g \
              where a.tenant_id = $1 and a.device_id = g.device_id and a.offer is not null and a.state = 'sending'",
            [tx.tenant_uuid().into(), devices.to_vec().into()],
        ))
        .await?;
    Ok(())
}
