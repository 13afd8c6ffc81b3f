-- Sync, which keeps its own outbox and ledgers from the first day, like every service; its tables
-- come with the work they belong to.
create schema sync;
grant usage on schema sync to gatehouse_sync, gatehouse_sync_system;
call platform.create_ledgers('sync');
