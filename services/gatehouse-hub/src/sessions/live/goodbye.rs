//! The end of a session: the close frame, and what was left open.

use super::{Done, Live};
use crate::sessions::chores::{self, Chore, Outcomes};
use crate::sessions::close::Close;
use futures_util::StreamExt;
use gatehouse_proto_terminal::session::Effect;
use std::time::Duration;

/// A terminal that does not take the close frame for this long has gone already.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

impl Live {
    /// Says goodbye, and tells what was left open.
    pub(super) async fn end(self: Box<Self>, close: Close) {
        let mut this = *self;
        metrics::counter!("gatehouse_terminal_closes_total", "reason" => close.reason())
            .increment(1);
        let spoke = this.hub.registry.unsettle(&this.link);
        if let Some(terminal) = this.link.terminal() {
            this.hub
                .notes
                .ended(&this.hub.kit.node, &this.link, terminal, close, spoke);
            tracing::debug!(session = this.link.session, device = %terminal.device, reason = close.reason(), "a session ended");
        }
        let goodbye = this.socket.clone().close(Some(close.frame()));
        // Whoever does not take it has gone already.
        let _ = tokio::time::timeout(GOODBYE_WITHIN, goodbye).await;
        let mut out = Vec::new();
        this.machine.end(&mut out);
        let Some(terminal) = this.link.terminal().cloned() else {
            return;
        };
        for effect in out {
            if let Effect::Finished { ticket, outcome } = effect
                && !this.person_answered(ticket, &outcome)
            {
                this.chores.push_back(Chore::Finished(
                    chores::command_of(ticket),
                    Box::new(outcome),
                ));
            }
        }
        // What runs already goes on; uploads may stop, they come again.
        if this.chore_runs {
            while let Some(done) = this.work.next().await {
                if let Done::Chore(outcome) = done {
                    if let Outcomes::Found {
                        command: Some(command),
                        ..
                    } = outcome
                    {
                        this.chores.push_back(Chore::GiveBack(command.command_id));
                    }
                    break;
                }
            }
        }
        drop(std::mem::take(&mut this.work));
        for chore in this
            .chores
            .drain(..)
            .filter(|chore| !matches!(chore, Chore::Next { .. }))
        {
            chores::run(&this.hub, &terminal, this.link.session, chore).await;
        }
        if this.sent {
            chores::session_ended(&this.hub, &terminal, this.link.session).await;
        }
    }
}
