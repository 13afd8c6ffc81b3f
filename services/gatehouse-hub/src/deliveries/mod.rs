//! Persons on their way to terminals: what sync offers is sent, what terminals answer is told.
//! Deliberately absent: what a terminal should hold and when it is tried again (gatehouse-sync).
