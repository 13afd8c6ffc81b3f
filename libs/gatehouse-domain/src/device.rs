//! Devices: what a terminal is, how far its word is trusted.

use crate::vocabulary;

vocabulary! {
    /// How a device talks to the platform.
    pub enum DeviceProtocol: "device protocol" {
        /// Over WebSocket to the hub (document 004).
        TerminalWs = "terminal_ws",
        /// Over HTTP calls of its own (document 002, chapter 9).
        HttpPush = "http_push",
    }
}

vocabulary! {
    /// Which way people walk at the door where the device hangs.
    pub enum Direction: "direction" {
        /// Into the house.
        In = "in",
        /// Out of the house.
        Out = "out",
    }
}

vocabulary! {
    /// What a wrong signature in a registration leads to. The signature of document 004 (2.1.1)
    /// holds no secret, so it is never what identifies a terminal.
    pub enum SignCheck: "sign check" {
        /// Not looked at.
        Off = "off",
        /// Admitted, and noted at the device.
        Warn = "warn",
        /// Refused with 201.
        Enforce = "enforce",
    }
}

vocabulary! {
    /// Who opens the door after a recognition (document 004, 2.3.1, `controlState`).
    pub enum DoorDecision: "door decision" {
        /// The terminal itself; the platform answers with an empty `controlState`.
        Terminal = "terminal",
        /// The platform, by its answer to the record.
        Cloud = "cloud",
    }
}

vocabulary! {
    /// How the platform sees a device at this moment.
    pub enum Presence: "presence" {
        /// A live session exists.
        Online = "online",
        /// None.
        Offline = "offline",
    }
}
