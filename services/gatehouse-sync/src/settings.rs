//! Settings that only sync has.

/// How far sync runs ahead of terminals.
#[derive(Debug, Clone, clap::Args)]
pub struct SyncSettings {
    /// Persons offered to one terminal at a time; they are sent one by one.
    #[arg(
        long = "sync-offers-per-device",
        env = "GATEHOUSE_SYNC_OFFERS_PER_DEVICE",
        default_value_t = 64
    )]
    pub offers_per_device: u32,
}
