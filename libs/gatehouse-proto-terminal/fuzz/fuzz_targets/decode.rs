//! Any bytes as one frame: no panic, and what is read can be used.
#![no_main]

use gatehouse_proto_terminal::{Limits, Uplink, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match decode(bytes, &Limits::default()) {
        Ok(Uplink::UploadRecord(record)) => {
            let _ = record.passed_at(chrono_tz::Europe::Berlin);
            for photo in record.recognition_photo.iter().chain(&record.compare_photo) {
                let _ = photo.decode();
            }
        }
        Ok(Uplink::Register(register)) => {
            let _ = (register.sign_verdict(), register.device_time_ms());
        }
        Ok(Uplink::KeepAlive(_) | Uplink::Answer(_) | Uplink::Unknown(_)) | Err(_) => {}
    }
});
