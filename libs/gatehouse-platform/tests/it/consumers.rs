//! From a row in the outbox to an effect, and what becomes of messages that cannot be handled.

use crate::kit::{
    Effects, Verdict, an_event, bus, consumer, database, ended, eventually, fresh_tenant, publish,
    raw_connection, with_queue,
};
use crate::service::Probe;
use gatehouse_contracts::{EVENTS_EXCHANGE, Envelope, Event};
use gatehouse_domain::MessageId;
use gatehouse_platform::db::{Database, HUB, sql};
use gatehouse_platform::outbox;
use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::AMQPValue;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_orm;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Puts a message on the exchange past the outbox.
async fn send(kind: &str, body: &[u8]) {
    let connection = raw_connection().await;
    let channel = connection.create_channel().await.unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    let sent = channel
        .basic_publish(
            EVENTS_EXCHANGE.into(),
            kind.into(),
            BasicPublishOptions::default(),
            body,
            lapin::BasicProperties::default().with_type(kind.into()),
        )
        .await
        .unwrap();
    assert!(sent.await.unwrap().is_ack());
}

async fn in_outbox(db: &Database, id: MessageId) -> bool {
    let tx = db.system().await.unwrap();
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select 1 from hub.outbox where id = $1",
            [id.uuid().into()],
        ))
        .await
        .unwrap();
    row.is_some()
}

#[tokio::test]
async fn an_event_takes_effect_once_though_it_comes_twice() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![]);
        let probe = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        let event = publish(&db, &scope).await;
        eventually("the effect", || async { effects.of(&db, event).await == 1 }).await;
        eventually("the row is gone", || async { !in_outbox(&db, event).await }).await;

        let again = Envelope::new(event, scope.tenant(), chrono::Utc::now(), an_event());
        let body = serde_json::to_vec(&again).unwrap();
        for _ in 0..20 {
            send(<gatehouse_contracts::DeviceChanged as Event>::KIND, &body).await;
        }
        eventually("the repeats are recognised", || async {
            ended(queue, "repeated") == 20
        })
        .await;
        probe.stop().await;
        assert_eq!(effects.of(&db, event).await, 1);
        assert_eq!(effects.attempts(event), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_rolled_back_is_never_published() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![]);
        let probe = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        let tx = db.tenant(&scope).await.unwrap();
        let never = outbox::publish(&tx, HUB, an_event()).await.unwrap();
        drop(tx);
        let marker = publish(&db, &scope).await;
        eventually("the marker", || async {
            effects.of(&db, marker).await == 1
        })
        .await;
        assert_eq!(effects.attempts(never), 0);
        probe.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_passing_failure_and_a_panic_come_again_and_leave_one_effect() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![Verdict::Panic, Verdict::Transient]);
        let probe = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        let began = Instant::now();
        let event = publish(&db, &scope).await;
        eventually("the effect", || async { effects.of(&db, event).await == 1 }).await;
        // One second after the first failure, five after the second.
        assert!(began.elapsed() >= Duration::from_secs(6));
        assert_eq!(effects.attempts(event), 3);
        assert_eq!(probe.bus.dead_letters(queue).await.unwrap(), 0);
        probe.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_message_that_waits_is_left_to_the_next_process() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![Verdict::Transient]);
        let bus = bus();
        let first = Probe::start_with(&db, &bus, vec![consumer(queue, &effects)]).await;
        let event = publish(&db, &scope).await;
        eventually("it waits", || async { ended(queue, "retried") == 1 }).await;
        first.stop().await;
        let next = Probe::start_with(&db, &bus, vec![consumer(queue, &effects)]).await;
        eventually("the effect", || async { effects.of(&db, event).await == 1 }).await;
        assert_eq!(effects.attempts(event), 2);
        next.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_lasting_failure_is_kept_among_the_dead_letters_with_its_reason() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![Verdict::Transient, Verdict::Permanent]);
        let probe = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        let event = publish(&db, &scope).await;
        eventually("a dead letter", || async {
            probe.bus.dead_letters(queue).await.is_ok_and(|n| n == 1)
        })
        .await;
        probe.stop().await;
        assert_eq!(effects.attempts(event), 2);
        assert_eq!(
            effects.of(&db, event).await,
            0,
            "the transaction was rolled back"
        );

        let channel = raw_connection().await.create_channel().await.unwrap();
        let dead = format!("{queue}.dead");
        let letter = channel
            .basic_get(dead.as_str().into(), BasicGetOptions::default())
            .await
            .unwrap()
            .unwrap();
        let headers = letter.properties.headers().clone().unwrap();
        let header = |name: &str| headers.inner().get(name).cloned().unwrap();
        assert_eq!(header("x-error"), AMQPValue::LongString("never".into()));
        assert_eq!(
            header("x-kind"),
            AMQPValue::LongString("device.changed.v1".into())
        );
        let id = letter.properties.message_id().clone().unwrap();
        assert_eq!(id.as_str(), event.to_string());
        let body: gatehouse_contracts::RawEnvelope = serde_json::from_slice(&letter.data).unwrap();
        assert_eq!(body.id, event);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_envelope_is_kept_and_holds_nobody_up() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![]);
        let own_kind: &'static str =
            Box::leak(format!("test.{}.v1", Uuid::now_v7().simple()).into_boxed_str());
        let mut reader = consumer(queue, &effects);
        reader.kinds = Box::leak(Box::new([own_kind, crate::kit::DEVICE_CHANGED[0]]));
        let probe = Probe::start_with(&db, &bus(), vec![reader]).await;
        send(own_kind, b"not JSON").await;
        let event = publish(&db, &scope).await;
        eventually("the effect", || async { effects.of(&db, event).await == 1 }).await;
        eventually("a dead letter", || async {
            probe.bus.dead_letters(queue).await.is_ok_and(|n| n == 1)
        })
        .await;
        probe.stop().await;
    })
    .await;
}
