//! Multipart uploads.

use crate::support::*;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use s3s::crypto::{Checksum as _, Md5};

const PART_LEN: usize = 5 << 20;

async fn begin(client: &Client, key: &str) -> String {
    let begun = client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(key)
        .content_type("video/mp4")
        .metadata("k", "v");
    begun.send().await.unwrap().upload_id().unwrap().to_owned()
}

async fn part(client: &Client, key: &str, id: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let sent = client
        .upload_part()
        .bucket(BUCKET)
        .key(key)
        .upload_id(id)
        .part_number(number);
    let sent = sent.body(ByteStream::from(body)).send().await.unwrap();
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(sent.e_tag)
        .build()
}

fn completed(parts: &[&CompletedPart]) -> CompletedMultipartUpload {
    let parts = parts.iter().map(|part| (*part).clone()).collect();
    CompletedMultipartUpload::builder()
        .set_parts(Some(parts))
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_become_one_object() {
    let (folder, running, client) = start().await;
    let (first, second, third) = (noise(PART_LEN, 1), noise(PART_LEN + 7, 2), noise(1000, 3));
    let id = begin(&client, "big/one").await;
    let other = begin(&client, "big/other").await;
    let three = part(&client, "big/one", &id, 30, third.clone()).await;
    let replaced = part(&client, "big/one", &id, 2, noise(PART_LEN, 9)).await;
    let two = part(&client, "big/one", &id, 2, second.clone()).await;
    let one = part(&client, "big/one", &id, 1, first.clone()).await;

    let listed = client
        .list_parts()
        .bucket(BUCKET)
        .key("big/one")
        .upload_id(&id)
        .max_parts(2)
        .send()
        .await
        .unwrap();
    let numbers: Vec<_> = listed
        .parts()
        .iter()
        .map(|part| (part.part_number().unwrap(), part.size().unwrap()))
        .collect();
    assert_eq!(numbers, [(1, PART_LEN as i64), (2, PART_LEN as i64 + 7)]);
    assert_eq!(
        (listed.is_truncated(), listed.next_part_number_marker()),
        (Some(true), Some("2"))
    );
    let rest = client
        .list_parts()
        .bucket(BUCKET)
        .key("big/one")
        .upload_id(&id)
        .part_number_marker("2")
        .send()
        .await
        .unwrap();
    assert_eq!((rest.parts().len(), rest.is_truncated()), (1, Some(false)));

    let uploads = client
        .list_multipart_uploads()
        .bucket(BUCKET)
        .prefix("big/")
        .max_uploads(1)
        .send()
        .await
        .unwrap();
    assert_eq!(uploads.uploads()[0].key(), Some("big/one"));
    assert_eq!(
        (uploads.is_truncated(), uploads.next_key_marker()),
        (Some(true), Some("big/one"))
    );
    let uploads = client
        .list_multipart_uploads()
        .bucket(BUCKET)
        .key_marker("big/one")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (uploads.uploads().len(), uploads.uploads()[0].upload_id()),
        (1, Some(&*other))
    );

    let complete = |parts: &[&CompletedPart]| {
        let complete = client
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("big/one")
            .upload_id(&id);
        complete.multipart_upload(completed(parts)).send()
    };
    assert_eq!(code(complete(&[&two, &one]).await), "InvalidPartOrder");
    assert_eq!(code(complete(&[&one, &replaced]).await), "InvalidPart");
    let never = CompletedPart::builder().part_number(7).build();
    assert_eq!(code(complete(&[&one, &never]).await), "InvalidPart");
    let small = part(&client, "big/one", &id, 3, vec![0; 10]).await;
    assert_eq!(code(complete(&[&small, &three]).await), "EntityTooSmall");
    assert_eq!(
        code(
            client
                .head_object()
                .bucket(BUCKET)
                .key("big/one")
                .send()
                .await
        ),
        "NotFound"
    );

    let done = complete(&[&one, &two, &three]).await.unwrap();
    let md5s = [&first, &second, &third]
        .map(|body| Md5::checksum(body))
        .concat();
    assert_eq!(
        done.e_tag(),
        Some(&*format!("\"{}-3\"", hex::encode(Md5::checksum(&md5s))))
    );
    let whole = [first, second, third].concat();
    let got = client
        .get_object()
        .bucket(BUCKET)
        .key("big/one")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (got.content_type(), &*got.metadata().unwrap()["k"]),
        (Some("video/mp4"), "v")
    );
    assert_eq!(got.content_length(), Some(whole.len() as i64));
    assert!(got.body.collect().await.unwrap().to_vec() == whole);
    assert_eq!(code(complete(&[&one]).await), "NoSuchUpload");

    let abort = |key: &str| {
        client
            .abort_multipart_upload()
            .bucket(BUCKET)
            .key(key)
            .upload_id(&other)
            .send()
    };
    assert_eq!(code(abort("big/one").await), "NoSuchUpload");
    abort("big/other").await.unwrap();
    assert_eq!(code(abort("big/other").await), "NoSuchUpload");
    let late = client
        .upload_part()
        .bucket(BUCKET)
        .key("big/other")
        .upload_id(&other)
        .part_number(1)
        .send()
        .await;
    assert_eq!(code(late), "NoSuchUpload");
    let climbing = client
        .upload_part()
        .bucket(BUCKET)
        .key("k")
        .upload_id("../../tmp")
        .part_number(1)
        .send()
        .await;
    assert_eq!(code(climbing), "NoSuchUpload");
    let left = files_below(&folder.0);
    assert_eq!(
        left.len(),
        3,
        "layout, created_at_ms and the object: {left:?}"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_upload_outlives_a_restart() {
    let (folder, running, client) = start().await;
    let id = begin(&client, "k").await;
    let one = part(&client, "k", &id, 1, b"one".to_vec()).await;
    running.stop().await;
    let running = Running::start(&folder.0).await;
    let client = running.client();
    let complete = client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&id);
    complete
        .multipart_upload(completed(&[&one]))
        .send()
        .await
        .unwrap();
    assert_eq!(get(&client, "k").await, b"one");
    running.stop().await;
}
