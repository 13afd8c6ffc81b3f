//! Permissions as types: `Caller<ManageDevices>` in a handler's signature is the check, and a
//! handler that forgets it has no scope and so no rows.

use gatehouse_domain::access::Permission;

/// A permission that a handler needs.
pub trait Power: 'static {
    /// Which; `None` where a valid credential is enough.
    const PERMISSION: Option<Permission>;
}

macro_rules! powers {
    ($($name:ident),+ $(,)?) => {$(
        #[doc = concat!("Needs `Permission::", stringify!($name), "`.")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl Power for $name { const PERMISSION: Option<Permission> = Some(Permission::$name); }
    )+};
}

powers!(
    ReadTenant,
    ManageTenant,
    ReadAccounts,
    ManageAccounts,
    ReadAudit,
    ReadDevices,
    ManageDevices,
    OperateDevices,
    ReadRecords,
    ReadPersons,
    ManagePersons,
    ReadAccess,
    ManageAccess,
);

/// Needs a valid credential and no permission.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn;
impl Power for SignedIn {
    const PERMISSION: Option<Permission> = None;
}
