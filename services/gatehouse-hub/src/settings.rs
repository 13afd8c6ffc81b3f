//! Settings that only the hub has.

use std::net::{AddrParseError, SocketAddr};
use std::str::FromStr;

/// An address to listen on, or none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListenAt(pub Option<SocketAddr>);

impl FromStr for ListenAt {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "" => Ok(Self(None)),
            address => address.parse().map(|address| Self(Some(address))),
        }
    }
}

/// How long terminals may take, how many there may be, and how much they may send.
#[derive(Debug, Clone, clap::Args)]
pub struct HubSettings {
    /// A connection without a registration is closed after this long.
    #[arg(
        long = "terminal-register-within-ms",
        env = "GATEHOUSE_TERMINAL_REGISTER_WITHIN_MS",
        default_value_t = 10_000
    )]
    pub register_within_ms: u32,
    /// A terminal that says nothing is dead after this long; they speak every 30 seconds.
    #[arg(
        long = "terminal-dead-after-ms",
        env = "GATEHOUSE_TERMINAL_DEAD_AFTER_MS",
        default_value_t = 95_000
    )]
    pub dead_after_ms: u32,
    /// A message that has begun must be complete after this long.
    #[arg(
        long = "terminal-message-within-ms",
        env = "GATEHOUSE_TERMINAL_MESSAGE_WITHIN_MS",
        default_value_t = 60_000
    )]
    pub message_within_ms: u32,
    /// Bytes of incomplete messages that this process holds for all terminals together. Beyond it,
    /// connections that send large messages are closed and may come again.
    #[arg(
        long = "terminal-buffer-bytes",
        env = "GATEHOUSE_TERMINAL_BUFFER_BYTES",
        default_value_t = 512 * 1024 * 1024
    )]
    pub buffer_bytes: usize,
    /// Connections of one tenant's terminals that this process holds.
    #[arg(
        long = "terminal-sessions-per-tenant",
        env = "GATEHOUSE_TERMINAL_SESSIONS_PER_TENANT",
        default_value_t = 20_000
    )]
    pub sessions_per_tenant: usize,
    /// Messages per second that are read from one terminal; twice as many at once. More are read later.
    #[arg(
        long = "terminal-messages-per-second",
        env = "GATEHOUSE_TERMINAL_MESSAGES_PER_SECOND",
        default_value_t = 200
    )]
    pub messages_per_second: u32,
    /// Messages per second that this process reads from all terminals of one tenant. More are read later.
    #[arg(
        long = "tenant-messages-per-second",
        env = "GATEHOUSE_TENANT_MESSAGES_PER_SECOND",
        default_value_t = 20_000
    )]
    pub tenant_messages_per_second: u32,
    /// Connections from one address that have not registered yet. More wait for their turn.
    #[arg(
        long = "terminal-knocks-per-address",
        env = "GATEHOUSE_TERMINAL_KNOCKS_PER_ADDRESS",
        default_value_t = 64
    )]
    pub knocks_per_address: usize,
    /// An upload that could not be stored after this long is given up without an answer; the
    /// terminal uploads it again.
    #[arg(
        long = "record-store-within-ms",
        env = "GATEHOUSE_RECORD_STORE_WITHIN_MS",
        default_value_t = 15_000
    )]
    pub store_within_ms: u32,
    /// On stop, uploads that have begun may take this long to be stored before their connection is closed.
    #[arg(
        long = "terminal-drain-within-ms",
        env = "GATEHOUSE_TERMINAL_DRAIN_WITHIN_MS",
        default_value_t = 5_000
    )]
    pub drain_within_ms: u32,
    /// Bytes of persons' photos that this process keeps in memory while they go to terminals, as text.
    #[arg(
        long = "terminal-photo-cache-bytes",
        env = "GATEHOUSE_TERMINAL_PHOTO_CACHE_BYTES",
        default_value_t = 64 * 1024 * 1024
    )]
    pub photo_cache_bytes: usize,
    /// How long a link to a picture is valid.
    #[arg(
        long = "media-link-valid-s",
        env = "GATEHOUSE_MEDIA_LINK_VALID_S",
        default_value_t = 900
    )]
    pub media_link_valid_s: u32,
    /// Address of the plain-HTTP listener from which push devices fetch pictures of persons; nothing
    /// else is served there. Empty: there is none, and push devices are told nobody.
    #[arg(
        long = "push-images-listen",
        env = "GATEHOUSE_PUSH_IMAGES_LISTEN",
        default_value = ""
    )]
    pub push_images_listen: ListenAt,
    /// The address by which push devices reach that listener: plain http, at most 53 characters, without
    /// a slash at the end. Where not set: http:// and the address listened on, or the public host.
    #[arg(long = "push-images-url", env = "GATEHOUSE_PUSH_IMAGES_URL")]
    pub push_images_url: Option<String>,
    /// How long a link to a picture for a push device is valid.
    #[arg(
        long = "push-images-valid-s",
        env = "GATEHOUSE_PUSH_IMAGES_VALID_S",
        default_value_t = 1_800
    )]
    pub push_images_valid_s: u32,
    /// After how many milliseconds a push device unlocks its door (20 to 5000).
    #[arg(
        long = "push-unlock-delay-ms",
        env = "GATEHOUSE_PUSH_UNLOCK_DELAY_MS",
        default_value_t = 3_000,
        value_parser = clap::value_parser!(u16).range(20..=5_000)
    )]
    pub push_unlock_delay_ms: u16,
    /// A pass that a push device tells later than this opens no door: nobody stands there any more.
    #[arg(
        long = "push-live-within-s",
        env = "GATEHOUSE_PUSH_LIVE_WITHIN_S",
        default_value_t = 30
    )]
    pub push_live_within_s: u32,
    /// Largest firmware file that can be uploaded, in MiB. It is held in memory while it is received
    /// and while a terminal fetches it.
    #[arg(
        long = "firmware-limit-mib",
        env = "GATEHOUSE_FIRMWARE_LIMIT_MIB",
        default_value_t = 64
    )]
    pub firmware_limit_mib: u64,
}
