//! Files that are refused as a whole, at once, and cost nothing.

use super::{archive, post};
use kit::shared;

/// The parts of a form, the status that it is refused with, and a part of the reason.
type Case<'a> = (&'a [(&'a str, &'a [u8])], u16, &'a str);

#[tokio::test]
async fn files_that_cannot_be_taken_are_refused_in_words() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let good: (&str, &[u8]) = ("file", b"code,name\n1,Ada");
    let climbing = archive(&[("../../E-1.jpg", b"x")]);
    // Ten megabytes and one byte of nothing, in some kilobytes.
    let bomb = archive(&[("E-1.jpg", &vec![0; (10 << 20) + 1])]);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    let cases: [Case<'_>; 8] = [
        (&[], 422, "/file"),
        (&[("file", b"")], 422, "empty"),
        (&[("file", b"name\nAda")], 422, "no column \"code\""),
        (&[("file", b"code,shoe size\n1,2")], 422, "shoe size"),
        (&[("file", b"code\n\xff\xfe")], 422, "UTF-8"),
        (&[good, ("photos", &climbing)], 422, "leads out"),
        (&[good, ("photos", &bomb)], 422, "unpacks to more than"),
        (
            &[good, ("photos", b"no archive")],
            422,
            "archive cannot be read",
        ),
    ];
    for (parts, status, why) in cases {
        let reply = post(&tenant, parts).await;
        let told = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, status, "{why}: {told}");
        assert!(
            told.contains(why) || told.replace("\\\"", "\"").contains(why),
            "{why}: {told}"
        );
    }
    assert!(
        tenant.api.list("/v1/jobs").await.is_empty(),
        "no job was made"
    );
    let reply = tenant.api.post("/v1/imports", serde_json::json!({})).await;
    assert_eq!(reply.problem(400), "malformed_request");
}
