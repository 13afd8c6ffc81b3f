//! Who may do what with the API: permissions, the roles of users, and the scopes of keys; and who may
//! pass which door: the decision and its reason.

mod decision;

pub use decision::{Decision, Facts, Measured, Permit, PersonFacts, ReasonCode, decide};

use crate::vocabulary;

vocabulary! {
    /// One power over a tenant's data. Its spelling is also the scope of an API key.
    pub enum Permission: "permission" {
        /// See the tenant and its settings.
        ReadTenant = "tenant:read",
        /// Change the tenant's settings.
        ManageTenant = "tenant:write",
        /// See users, keys and terminal tokens (never their secrets).
        ReadAccounts = "accounts:read",
        /// Create, change and remove users, keys and terminal tokens.
        ManageAccounts = "accounts:write",
        /// Read the audit trail.
        ReadAudit = "audit:read",
        /// See devices, their parameters, discovered devices and commands.
        ReadDevices = "devices:read",
        /// Create, claim, change and remove devices and firmware files.
        ManageDevices = "devices:write",
        /// Open doors and send the other commands.
        OperateDevices = "devices:operate",
        /// Read records, their photos and alarms.
        ReadRecords = "records:read",
        /// See persons, photos, groups, departments and visits (never PINs or whole document numbers).
        ReadPersons = "persons:read",
        /// Create, change, import and erase persons and what belongs to them.
        ManagePersons = "persons:write",
        /// See schedules, doors and authorities, and ask why somebody may pass.
        ReadAccess = "access:read",
        /// Create, change and remove schedules, doors and authorities.
        ManageAccess = "access:write",
    }
}

vocabulary! {
    /// The role of a user.
    pub enum Role: "role" {
        /// Everything, the owners' own accounts included.
        Owner = "owner",
        /// Everything but what makes or unmakes owners.
        Admin = "admin",
        /// Daily work: people, doors, records.
        Operator = "operator",
        /// Looks, and changes nothing.
        Viewer = "viewer",
    }
}

impl Role {
    /// Whether the role includes the permission. The whole matrix is checked in as a golden file.
    #[must_use]
    pub const fn permits(self, permission: Permission) -> bool {
        match permission {
            Permission::ReadTenant
            | Permission::ReadDevices
            | Permission::ReadRecords
            | Permission::ReadPersons
            | Permission::ReadAccess => true,
            Permission::OperateDevices | Permission::ManagePersons => {
                matches!(self, Self::Owner | Self::Admin | Self::Operator)
            }
            Permission::ManageDevices
            | Permission::ManageAccess
            | Permission::ReadAccounts
            | Permission::ManageAccounts
            | Permission::ReadAudit
            | Permission::ManageTenant => matches!(self, Self::Owner | Self::Admin),
        }
    }
}
