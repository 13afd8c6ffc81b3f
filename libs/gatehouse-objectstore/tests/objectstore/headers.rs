//! What the headers of a request ask for: checksums, ranges, conditions.

use crate::support::*;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checksums_of_every_kind_are_verified_and_told() {
    let (folder, running, client) = start().await;
    let path = folder.0.join("upload.bin");
    for (at, algorithm) in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ]
    .into_iter()
    .enumerate()
    {
        // From memory the checksum goes into the head; from a file it follows the signed chunks.
        let body = noise(200_000, at as u64);
        std::fs::write(&path, &body).unwrap();
        for stream in [
            ByteStream::from(body.clone()),
            ByteStream::from_path(&path).await.unwrap(),
        ] {
            let put = client
                .put_object()
                .bucket(BUCKET)
                .key("c")
                .checksum_algorithm(algorithm.clone());
            let sent = put.body(stream).send().await;
            let sent =
                sent.unwrap_or_else(|error| panic!("{algorithm}: {}", DisplayErrorContext(error)));
            assert_eq!(sent.e_tag(), Some(&*quoted_md5(&body)));
            let got = client
                .get_object()
                .bucket(BUCKET)
                .key("c")
                .checksum_mode(ChecksumMode::Enabled)
                .send()
                .await
                .unwrap();
            assert_eq!(got.content_encoding(), None);
            let told = [
                got.checksum_crc32(),
                got.checksum_crc32_c(),
                got.checksum_crc64_nvme(),
                got.checksum_sha1(),
                got.checksum_sha256(),
            ];
            assert!(told[at].is_some(), "{algorithm}: {told:?}");
            assert_eq!(got.body.collect().await.unwrap().to_vec(), body);
        }
    }
    let put = || {
        client
            .put_object()
            .bucket(BUCKET)
            .key("wrong")
            .body(ByteStream::from_static(b"body"))
    };
    assert_eq!(
        code(put().checksum_crc32("AAAAAA==").send().await),
        "BadDigest"
    );
    assert_eq!(
        code(
            put()
                .checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
                .send()
                .await
        ),
        "BadDigest"
    );
    assert_eq!(
        code(put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await),
        "BadDigest"
    );
    assert_eq!(
        code(client.get_object().bucket(BUCKET).key("wrong").send().await),
        "NoSuchKey"
    );
    assert!(files_below(&folder.0.join("tmp")).is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_give_just_those_bytes() {
    let (_folder, running, client) = start().await;
    let body = noise(700_000, 1);
    put(&client, "r", body.clone()).await;
    put(&client, "empty", "").await;
    for (range, expected, header) in [
        ("bytes=0-0", &body[..1], "bytes 0-0/700000"),
        ("bytes=10-19", &body[10..20], "bytes 10-19/700000"),
        ("bytes=-5", &body[699_995..], "bytes 699995-699999/700000"),
        (
            "bytes=699990-",
            &body[699_990..],
            "bytes 699990-699999/700000",
        ),
        ("bytes=100-9999999", &body[100..], "bytes 100-699999/700000"),
        ("bytes=-9999999", &body[..], "bytes 0-699999/700000"),
    ] {
        let got = client
            .get_object()
            .bucket(BUCKET)
            .key("r")
            .range(range)
            .send()
            .await
            .unwrap();
        assert_eq!(got.content_range(), Some(header));
        assert_eq!(got.content_length(), Some(expected.len() as i64));
        assert!(
            got.body.collect().await.unwrap().to_vec() == expected,
            "{range}"
        );
    }
    let get = |key: &str, range: &str| {
        client
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .range(range)
            .send()
    };
    assert_eq!(code(get("r", "bytes=700000-").await), "InvalidRange");
    assert_eq!(code(get("empty", "bytes=0-").await), "InvalidRange");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_are_kept() {
    let (_folder, running, client) = start().await;
    put(&client, "k", "one").await;
    let (one, two) = (quoted_md5(b"one"), quoted_md5(b"two"));
    let write = || {
        client
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .body(ByteStream::from_static(b"two"))
    };
    assert_eq!(
        code(write().if_none_match("*").send().await),
        "PreconditionFailed"
    );
    assert_eq!(
        code(write().if_match(&two).send().await),
        "PreconditionFailed"
    );
    write().if_match(&one).send().await.unwrap();
    let fresh = client
        .put_object()
        .bucket(BUCKET)
        .key("new")
        .if_none_match("*");
    fresh
        .body(ByteStream::from_static(b"x"))
        .send()
        .await
        .unwrap();
    let absent = client
        .put_object()
        .bucket(BUCKET)
        .key("absent")
        .if_match(&one)
        .send()
        .await;
    assert_eq!(code(absent), "NoSuchKey");

    let read = || client.get_object().bucket(BUCKET).key("k");
    read().if_match(&two).send().await.unwrap();
    read().if_none_match(&one).send().await.unwrap();
    assert_eq!(
        code(read().if_match(&one).send().await),
        "PreconditionFailed"
    );
    let status = |outcome: Result<
        _,
        aws_sdk_s3::error::SdkError<_, aws_sdk_s3::config::http::HttpResponse>,
    >| {
        let error: aws_sdk_s3::error::SdkError<
            aws_sdk_s3::operation::get_object::GetObjectError,
            _,
        > = outcome
            .map(|_: aws_sdk_s3::operation::get_object::GetObjectOutput| ())
            .unwrap_err();
        error.raw_response().unwrap().status().as_u16()
    };
    assert_eq!(status(read().if_none_match(&two).send().await), 304);
    let modified = read()
        .send()
        .await
        .unwrap()
        .last_modified()
        .copied()
        .unwrap();
    assert_eq!(status(read().if_modified_since(modified).send().await), 304);
    assert_eq!(
        status(
            read()
                .if_unmodified_since(DateTime::from_secs(1))
                .send()
                .await
        ),
        412
    );
    read()
        .if_modified_since(DateTime::from_secs(1))
        .send()
        .await
        .unwrap();
    read().if_unmodified_since(modified).send().await.unwrap();

    let delete = client
        .delete_object()
        .bucket(BUCKET)
        .key("k")
        .if_match(&one)
        .send()
        .await;
    assert_eq!(code(delete), "PreconditionFailed");
    assert_eq!(get(&client, "k").await, b"two");
    running.stop().await;
}
