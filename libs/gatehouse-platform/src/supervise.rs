//! Runs a service in the background: consumers, schedules, tasks, the outbox relay, and what is
//! measured about them.
//!
//! A process stops in this order: readiness off; [`Supervised::stop_work`] (consumers finish what is
//! in flight, schedules end); the service's `drain`; HTTP stops; [`Supervised::finish`] (tasks end, the
//! outbox is flushed). Tasks outlive HTTP because requests and sockets may still need them.

use crate::backoff::chance;
use crate::bus::{run_consumer, watch_dead_letters};
use crate::service::{Kit, Schedule, Service};
use crate::{ledgers, outbox};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

/// How long consumers and schedules may take to end. A little more than a consumer gives its messages.
const STOP_WORK: Duration = Duration::from_secs(25);
/// How long tasks may take to end.
const STOP_TASKS: Duration = Duration::from_secs(10);
/// How long the relay may take to end. A little more than it gives itself.
const STOP_RELAY: Duration = Duration::from_secs(8);
/// The first run of a schedule comes within this time, or within its period where that is shorter.
const FIRST_RUN: Duration = Duration::from_secs(5);

/// A service at work in the background. Dropped, it ends without finishing.
#[derive(Debug)]
pub struct Supervised {
    service: &'static str,
    work: JoinSet<()>,
    stop_work: CancellationToken,
    tasks: JoinSet<()>,
    stop_tasks: CancellationToken,
    relay: JoinSet<()>,
    stop_relay: CancellationToken,
    _observers: JoinSet<()>,
    _when_dropped: [DropGuard; 3],
}

impl Supervised {
    /// Starts everything. Must be called within a tokio runtime. The kit is the service's own:
    /// see [`Kit::for_service`].
    pub fn start<S: Service>(service: &Arc<S>, kit: &Kit) -> Self {
        let stop_work = kit.cancel.child_token();
        let (stop_tasks, stop_relay) = (CancellationToken::new(), CancellationToken::new());
        let mut work = JoinSet::new();
        let consumers = service.consumers();
        let queues = consumers.iter().map(|c| c.queue).collect();
        for consumer in consumers {
            work.spawn(run_consumer(
                kit.bus.clone(),
                kit.db.clone(),
                consumer,
                stop_work.clone(),
            ));
        }
        let schedules = service.schedules();
        for schedule in schedules.into_iter().chain(ledgers::schedules(&kit.db)) {
            work.spawn(run_schedule(schedule, S::ROLES.schema, stop_work.clone()));
        }
        let mut tasks = JoinSet::new();
        for task in service.tasks() {
            let running = (task.run)(stop_tasks.clone());
            tasks.spawn(run_task(task.name, running, stop_tasks.clone()));
        }
        let mut relay = JoinSet::new();
        relay.spawn(outbox::relay(
            kit.bus.clone(),
            kit.db.clone(),
            stop_relay.clone(),
        ));
        let mut observers = JoinSet::new();
        observers.spawn(watch_dead_letters(kit.bus.clone(), queues));
        observers.spawn(outbox::watch_depth(kit.db.clone()));
        Self {
            service: S::ROLES.schema,
            work,
            tasks,
            relay,
            _observers: observers,
            _when_dropped: [
                stop_work.clone().drop_guard(),
                stop_tasks.clone().drop_guard(),
                stop_relay.clone().drop_guard(),
            ],
            stop_work,
            stop_tasks,
            stop_relay,
        }
    }

    /// Ends consumers and schedules: they take nothing new and finish what is in flight.
    pub async fn stop_work(&mut self) {
        self.stop_work.cancel();
        ended(
            self.service,
            "consumers and schedules",
            &mut self.work,
            STOP_WORK,
        )
        .await;
    }

    /// Ends tasks, then flushes the outbox and ends the relay. Ends consumers and schedules first
    /// where that has not happened yet.
    pub async fn finish(mut self) {
        self.stop_work().await;
        self.stop_tasks.cancel();
        ended(self.service, "tasks", &mut self.tasks, STOP_TASKS).await;
        self.stop_relay.cancel();
        ended(
            self.service,
            "the outbox relay",
            &mut self.relay,
            STOP_RELAY,
        )
        .await;
    }
}

async fn ended(service: &str, what: &str, running: &mut JoinSet<()>, patience: Duration) {
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(patience, all).await.is_err() {
        tracing::warn!(
            service,
            what,
            "did not end within {patience:?} and is cut off"
        );
        running.shutdown().await;
    }
}

async fn run_task(
    name: &'static str,
    running: futures_util::future::BoxFuture<'static, ()>,
    stop: CancellationToken,
) {
    let outcome = AbortOnDropHandle::new(tokio::spawn(running)).await;
    if let Err(error) = outcome {
        tracing::error!(task = name, %error, "a task failed; it does not run again in this process");
    } else if !stop.is_cancelled() {
        tracing::error!(task = name, "a task ended before the process did");
    }
}

async fn run_schedule(schedule: Schedule, service: &'static str, stop: CancellationToken) {
    let mut pause = schedule.every.min(FIRST_RUN).mul_f64(chance());
    while stop
        .run_until_cancelled(tokio::time::sleep(pause))
        .await
        .is_some()
    {
        run_once(&schedule, service).await;
        pause = schedule.every.mul_f64(0.9 + 0.2 * chance());
    }
}

/// One run, to its end: a run is short or watches the kit's token.
async fn run_once(schedule: &Schedule, service: &'static str) {
    let name = schedule.name;
    let began = Instant::now();
    let run = AbortOnDropHandle::new(tokio::spawn((schedule.run)())).await;
    let outcome = match run {
        Ok(Ok(())) => "succeeded",
        Ok(Err(why)) => {
            tracing::warn!(service, schedule = name, %why, "a scheduled run failed; the next one comes");
            "failed"
        }
        Err(error) => {
            tracing::error!(service, schedule = name, %error, "a scheduled run panicked; the next one comes");
            "panicked"
        }
    };
    metrics::counter!("gatehouse_schedule_runs_total", "service" => service, "schedule" => name, "outcome" => outcome)
        .increment(1);
    metrics::histogram!("gatehouse_schedule_run_seconds", "service" => service, "schedule" => name)
        .record(began.elapsed().as_secs_f64());
}
