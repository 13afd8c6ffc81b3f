//! Any bytes, cut at line ends, as the frames of an admitted terminal with a list in flight.
#![no_main]

use gatehouse_proto_terminal::session::{Request, Session, SessionSettings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut out = Vec::new();
    let mut session = Session::new(SessionSettings::default(), 0);
    session.on_frame(0, br#"{"msgType":"register","deviceNo":"A1"}"#, &mut out);
    session.admit(0, "T1".to_owned(), &mut out);
    session.on_tick(10_000, &mut out);
    let _ = session.submit(10_000, 1, Request::ListPersons, &mut out);
    for (now_ms, frame) in (10_001..).zip(bytes.split(|byte| *byte == b'\n')) {
        out.clear();
        session.on_frame(now_ms, frame, &mut out);
    }
});
