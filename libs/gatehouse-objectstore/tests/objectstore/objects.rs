//! Objects and buckets, operation by operation.

use crate::support::*;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumMode, Delete, MetadataDirective, ObjectIdentifier};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_comes_back_with_its_attributes() {
    let (_folder, running, _) = start().await;
    for checksums in [
        RequestChecksumCalculation::WhenSupported,
        RequestChecksumCalculation::WhenRequired,
    ] {
        let client = running.client_with(ACCESS_KEY, SECRET_KEY, checksums);
        for len in [0, 1, 50_000, 300_000, 3_000_000] {
            let body = noise(len, len as u64);
            let key = format!("{checksums:?}/{len}.jpg");
            let sent = client
                .put_object()
                .bucket(BUCKET)
                .key(&key)
                .content_type("image/jpeg")
                .cache_control("max-age=60")
                .content_disposition("attachment; filename=\"x.jpg\"")
                .content_language("de")
                .expires(DateTime::from_secs(2_000_000_000))
                .metadata("device", "SN 1")
                .metadata("name", "Jürgen 张")
                .body(ByteStream::from(body.clone()))
                .send()
                .await
                .unwrap();
            assert_eq!(sent.e_tag(), Some(&*quoted_md5(&body)));

            let head = client
                .head_object()
                .bucket(BUCKET)
                .key(&key)
                .send()
                .await
                .unwrap();
            assert_eq!(head.content_length(), Some(len as i64));
            assert_eq!(head.e_tag(), Some(&*quoted_md5(&body)));
            assert_eq!(head.content_type(), Some("image/jpeg"));
            assert_eq!(head.metadata().unwrap()["device"], "SN 1");

            let got = client
                .get_object()
                .bucket(BUCKET)
                .key(&key)
                .checksum_mode(ChecksumMode::Enabled)
                .send()
                .await
                .unwrap();
            assert_eq!(got.content_type(), Some("image/jpeg"));
            assert_eq!(got.cache_control(), Some("max-age=60"));
            assert_eq!(
                got.content_disposition(),
                Some("attachment; filename=\"x.jpg\"")
            );
            assert_eq!(got.content_language(), Some("de"));
            assert_eq!(got.expires_string(), Some("Wed, 18 May 2033 03:33:20 GMT"));
            assert_eq!(got.content_length(), Some(len as i64));
            assert!(got.checksum_crc32().is_some());
            assert!(got.last_modified().unwrap().secs() > 1_700_000_000);
            assert_eq!(got.body.collect().await.unwrap().to_vec(), body);

            client
                .delete_object()
                .bucket(BUCKET)
                .key(&key)
                .send()
                .await
                .unwrap();
            client
                .delete_object()
                .bucket(BUCKET)
                .key(&key)
                .send()
                .await
                .unwrap();
            let gone = client.get_object().bucket(BUCKET).key(&key).send().await;
            assert!(gone.unwrap_err().into_service_error().is_no_such_key());
            assert_eq!(
                code(client.head_object().bucket(BUCKET).key(&key).send().await),
                "NotFound"
            );
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_keep_or_replace_attributes() {
    let (_folder, running, client) = start().await;
    let from = "a b/ü+100%.txt";
    let original = client
        .put_object()
        .bucket(BUCKET)
        .key(from)
        .content_type("text/plain")
        .metadata("k", "v");
    original
        .body(ByteStream::from_static(b"body"))
        .send()
        .await
        .unwrap();
    let source = format!("{BUCKET}/a%20b/%C3%BC%2B100%25.txt");
    let copied = client
        .copy_object()
        .bucket(BUCKET)
        .key("c/kept")
        .copy_source(&source)
        .send()
        .await
        .unwrap();
    assert_eq!(
        copied.copy_object_result().unwrap().e_tag(),
        Some(&*quoted_md5(b"body"))
    );
    let head = client
        .head_object()
        .bucket(BUCKET)
        .key("c/kept")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (head.content_type(), &*head.metadata().unwrap()["k"]),
        (Some("text/plain"), "v")
    );
    let replace = client
        .copy_object()
        .bucket(BUCKET)
        .key(from)
        .copy_source(&source)
        .content_type("image/png");
    replace
        .clone()
        .metadata_directive(MetadataDirective::Replace)
        .send()
        .await
        .unwrap();
    let head = client
        .head_object()
        .bucket(BUCKET)
        .key(from)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (head.content_type(), head.metadata().unwrap().len()),
        (Some("image/png"), 0)
    );
    assert_eq!(get(&client, from).await, b"body");
    assert_eq!(code(replace.send().await), "InvalidArgument");
    let missing = client
        .copy_object()
        .bucket(BUCKET)
        .key("x")
        .copy_source(format!("{BUCKET}/nope"))
        .send()
        .await;
    assert_eq!(code(missing), "NoSuchKey");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_deleted_at_once_and_empty_folders_go() {
    let (folder, running, client) = start().await;
    let keys: Vec<String> = (0..40).map(|n| format!("day/{}/{n}", n % 4)).collect();
    for key in &keys {
        put(&client, key, "x").await;
    }
    put(&client, "day/keep", "x").await;
    let never = "never/was".to_owned();
    let named = keys
        .iter()
        .chain([&never])
        .map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder()
        .set_objects(Some(named.collect()))
        .build()
        .unwrap();
    let deleted = client
        .delete_objects()
        .bucket(BUCKET)
        .delete(delete)
        .send()
        .await
        .unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (41, 0));
    let left = files_below(&folder.0.join("buckets").join(BUCKET).join("objects"));
    assert_eq!(left.len(), 1);
    let folders = std::fs::read_dir(left[0].parent().unwrap())
        .unwrap()
        .count();
    assert_eq!(folders, 1, "the four empty folders are gone");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_come_and_go() {
    let (_folder, running, client) = start().await;
    client
        .create_bucket()
        .bucket("second.bucket-2")
        .send()
        .await
        .unwrap();
    assert_eq!(
        code(
            client
                .create_bucket()
                .bucket("second.bucket-2")
                .send()
                .await
        ),
        "BucketAlreadyOwnedByYou"
    );
    for bad in [
        "ab",
        "Upper",
        "under_score",
        "-edge",
        "two..dots",
        "192.168.0.1",
    ] {
        assert_eq!(
            code(client.create_bucket().bucket(bad).send().await),
            "InvalidBucketName",
            "{bad}"
        );
    }
    let listed = client.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed
        .buckets()
        .iter()
        .map(|bucket| bucket.name().unwrap())
        .collect();
    assert_eq!(names, [BUCKET, "second.bucket-2"]);
    assert!(listed.buckets()[0].creation_date().unwrap().secs() > 1_700_000_000);
    client.head_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(
        code(client.head_bucket().bucket("third").send().await),
        "NotFound"
    );
    client
        .get_bucket_location()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();

    client
        .put_object()
        .bucket("second.bucket-2")
        .key("a/b")
        .send()
        .await
        .unwrap();
    assert_eq!(
        code(
            client
                .delete_bucket()
                .bucket("second.bucket-2")
                .send()
                .await
        ),
        "BucketNotEmpty"
    );
    client
        .delete_object()
        .bucket("second.bucket-2")
        .key("a/b")
        .send()
        .await
        .unwrap();
    client
        .delete_bucket()
        .bucket("second.bucket-2")
        .send()
        .await
        .unwrap();
    assert_eq!(
        code(
            client
                .delete_bucket()
                .bucket("second.bucket-2")
                .send()
                .await
        ),
        "NoSuchBucket"
    );

    let nowhere = "second.bucket-2";
    assert_eq!(
        code(client.put_object().bucket(nowhere).key("k").send().await),
        "NoSuchBucket"
    );
    assert_eq!(
        code(client.get_object().bucket(nowhere).key("k").send().await),
        "NoSuchBucket"
    );
    assert_eq!(
        code(client.delete_object().bucket(nowhere).key("k").send().await),
        "NoSuchBucket"
    );
    assert_eq!(
        code(client.list_objects_v2().bucket(nowhere).send().await),
        "NoSuchBucket"
    );
    assert_eq!(
        code(
            client
                .create_multipart_upload()
                .bucket(nowhere)
                .key("k")
                .send()
                .await
        ),
        "NoSuchBucket"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_kept_is_refused() {
    let (_folder, running, client) = start().await;
    let put = || {
        client
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .body(ByteStream::from_static(b"x"))
    };
    assert_eq!(code(put().tagging("a=b").send().await), "NotImplemented");
    let encrypted = put()
        .server_side_encryption(aws_sdk_s3::types::ServerSideEncryption::Aes256)
        .send()
        .await;
    assert_eq!(code(encrypted), "NotImplemented");
    assert_eq!(
        code(put().metadata("k", "v".repeat(2048)).send().await),
        "MetadataTooLarge"
    );
    assert_eq!(
        code(
            client
                .get_object()
                .bucket(BUCKET)
                .key("k")
                .version_id("3")
                .send()
                .await
        ),
        "NotImplemented"
    );
    assert_eq!(
        code(client.get_object().bucket(BUCKET).key("k").send().await),
        "NoSuchKey"
    );
    running.stop().await;
}
