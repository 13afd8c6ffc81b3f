//! The sockets of terminals: who is admitted, what goes in and out, who is there.
//!
//! A connection's way: [`transport`] answers the handshake, [`live`] serves the socket until it ends,
//! [`admit`] says who comes in, [`chores`] carries commands to and fro, [`close`] says why it ended.
//! Around it: [`gate`] holds back what is too much, [`registry`] knows who is here, [`presence`] tells
//! others, [`wakes`] hears them, [`reconcile`] finds out what nobody told, [`drain`] ends it all.
//!
//! Deliberately absent: the protocol (gatehouse-proto-terminal), and what is done with a record.

mod admit;
mod chores;
mod close;
mod drain;
mod entrance;
mod gate;
mod link;
mod live;
mod meter;
mod pace;
mod presence;
mod reconcile;
mod registry;
mod terminal;
mod transport;
mod unknown;
mod wakes;

pub(crate) use admit::{Admissions, Knocking, serial_number};
pub(crate) use drain::drain;
pub(crate) use entrance::NotNow;
pub(crate) use gate::{Gate, Held};
pub(crate) use pace::Pace;
pub(crate) use presence::{Notes, lease_key};
pub(crate) use reconcile::{check_sessions, close_abandoned, queued_commands};
pub(crate) use registry::Registry;
pub(crate) use terminal::Terminal;
pub(crate) use transport::sockets;
pub(crate) use unknown::{Unknowns, forget_unknown_messages, write_unknown_messages};
pub(crate) use wakes::token_consumer;

use crate::hub::Hub;
use gatehouse_platform::service::Task;
use std::sync::Arc;

/// What runs as long as the process.
pub(crate) fn tasks(hub: &Arc<Hub>) -> Vec<Task> {
    vec![
        admit::task(hub),
        presence::sweep_task(hub),
        presence::notes_task(hub),
        wakes::task(hub),
    ]
}
