//! Commands: what a terminal can be asked, how long a request is worth keeping, and how it ends.

use crate::vocabulary;

vocabulary! {
    /// What a terminal is asked to do.
    pub enum CommandType: "command type" {
        /// Open the door now.
        OpenDoor = "open_door",
        /// Start again.
        Reboot = "reboot",
        /// Take a picture.
        CapturePhoto = "capture_photo",
        /// Tell all parameters.
        GetParameters = "get_parameters",
        /// Change parameters (read, change, write the full set, read again).
        SetParameters = "set_parameters",
        /// Install a firmware file.
        UpgradeFirmware = "upgrade_firmware",
        /// Forget the records it stores.
        ClearRecords = "clear_records",
        /// Count the persons it holds.
        CountPersons = "count_persons",
        /// Tell every person it holds.
        ListPersons = "list_persons",
        /// Tell the person at one index.
        ReadPerson = "read_person",
    }
}

impl CommandType {
    /// How long an unsent command waits for its terminal, in seconds. Zero: it is never queued; the
    /// terminal is there now or the command is undeliverable.
    #[must_use]
    pub const fn time_to_live_s(self) -> i64 {
        match self {
            Self::OpenDoor => 0,
            Self::CapturePhoto => 30,
            Self::Reboot => 5 * 60,
            Self::GetParameters | Self::CountPersons | Self::ReadPerson | Self::ListPersons => {
                60 * 60
            }
            Self::ClearRecords => 60 * 60,
            Self::UpgradeFirmware => 24 * 60 * 60,
            Self::SetParameters => 7 * 24 * 60 * 60,
        }
    }

    /// How long a sent command may take without a word from the terminal, in milliseconds.
    #[must_use]
    pub const fn answer_within_ms(self) -> i64 {
        match self {
            Self::OpenDoor => 10_000,
            Self::CapturePhoto => 30_000,
            Self::Reboot
            | Self::GetParameters
            | Self::SetParameters
            | Self::ClearRecords
            | Self::CountPersons
            | Self::ReadPerson
            | Self::ListPersons => 30_000,
            // Progress arrives while it downloads; silence this long means it is lost.
            Self::UpgradeFirmware => 10 * 60_000,
        }
    }

    /// Which waits behind which: smaller goes first.
    #[must_use]
    pub const fn urgency(self) -> i16 {
        match self {
            Self::OpenDoor => 0,
            Self::Reboot | Self::CapturePhoto => 10,
            Self::GetParameters | Self::SetParameters | Self::CountPersons | Self::ReadPerson => 20,
            Self::ClearRecords => 30,
            Self::ListPersons | Self::UpgradeFirmware => 40,
        }
    }
}

vocabulary! {
    /// Where a command stands.
    pub enum CommandState: "command state" {
        /// Stored, not sent.
        Queued = "queued",
        /// Sent; the terminal has not given its last word.
        Sent = "sent",
        /// The terminal confirmed it.
        Succeeded = "succeeded",
        /// The terminal refused it, or what it did was not what was asked.
        Failed = "failed",
        /// Sent, and no answer in time: the terminal may or may not have done it.
        TimedOut = "timed_out",
        /// Waited longer than its time to live; never sent.
        Expired = "expired",
        /// The terminal is not there, and this command does not wait.
        Undeliverable = "undeliverable",
    }
}

impl CommandState {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Sent => false,
            Self::Succeeded
            | Self::Failed
            | Self::TimedOut
            | Self::Expired
            | Self::Undeliverable => true,
        }
    }
}
