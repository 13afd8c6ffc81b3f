//! Keys of every shape, and lists against a model.

use crate::support::*;
use aws_sdk_s3::Client;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_has_its_own_place_inside_its_bucket() {
    let folder = Folder::new();
    let root = folder.0.join("outer/root");
    let running = Running::start(&root).await;
    let client = running.client();
    client.create_bucket().bucket("other").send().await.unwrap();
    let long = "x".repeat(1024);
    let deep = "d/".repeat(512);
    let keys = [
        "a",
        "a/",
        "a/b",
        "a//b",
        "/a",
        "//",
        "/",
        ".",
        "..",
        "../other/x",
        "../../../../escaped",
        "a/../b",
        "/etc/passwd",
        "a b+c",
        "a%20b",
        "a%2Fb",
        "ü/张 伟+1.jpg",
        "Ü/张 伟+1.jpg",
        "a=",
        "a+",
        "a~",
        "A",
        "con",
        "tab\there",
        "C:\\x",
        "quote\"'<&>",
        " lead",
        "trail ",
        "😀",
        &long,
        &long[..1023],
        &long[..198],
        &long[..197],
        &deep,
    ];
    for key in keys {
        put(&client, key, key).await;
    }
    for key in keys {
        assert_eq!(get(&client, key).await, key.as_bytes(), "{key:?}");
    }
    let mut expected: Vec<&str> = keys.to_vec();
    expected.sort_unstable();
    assert_eq!(list_all(&client, "", None, 7, "").await.0, expected);
    let objects = root.join("buckets").join(BUCKET).join("objects");
    assert_eq!(files_below(&objects).len(), keys.len());
    let outside = files_below(&folder.0)
        .into_iter()
        .filter(|file| !file.starts_with(&objects))
        .count();
    assert_eq!(outside, 3, "layout and two created_at_ms");

    let too_long = client
        .put_object()
        .bucket(BUCKET)
        .key("x".repeat(1025))
        .send()
        .await;
    assert_eq!(code(too_long), "KeyTooLongError");
    for key in keys {
        client
            .delete_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
    }
    assert_eq!(std::fs::read_dir(&objects).unwrap().count(), 0);
    running.stop().await;
}

/// All pages of a list, by version 2: keys and common prefixes.
async fn list_all(
    client: &Client,
    prefix: &str,
    delimiter: Option<&str>,
    page: i32,
    after: &str,
) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let list = client
            .list_objects_v2()
            .bucket(BUCKET)
            .prefix(prefix)
            .max_keys(page)
            .set_continuation_token(token);
        let list = list
            .set_delimiter(delimiter.map(str::to_owned))
            .start_after(after)
            .send()
            .await
            .unwrap();
        keys.extend(
            list.contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
        prefixes.extend(
            list.common_prefixes()
                .iter()
                .map(|common| common.prefix().unwrap().to_owned()),
        );
        let count = list.contents().len() + list.common_prefixes().len();
        assert_eq!(list.key_count(), Some(count as i32));
        assert!(count <= page as usize);
        token = list.next_continuation_token().map(str::to_owned);
        assert_eq!(list.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return (keys, prefixes);
        }
        assert_eq!(count, page as usize, "only the last page may be short");
    }
}

/// The same by version 1.
async fn list_all_v1(
    client: &Client,
    prefix: &str,
    delimiter: Option<&str>,
    page: i32,
) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes, mut marker) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let list = client
            .list_objects()
            .bucket(BUCKET)
            .prefix(prefix)
            .max_keys(page)
            .set_marker(marker.take());
        let list = list
            .set_delimiter(delimiter.map(str::to_owned))
            .send()
            .await
            .unwrap();
        keys.extend(
            list.contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
        prefixes.extend(
            list.common_prefixes()
                .iter()
                .map(|common| common.prefix().unwrap().to_owned()),
        );
        if list.is_truncated() != Some(true) {
            return (keys, prefixes);
        }
        marker = list.next_marker().map(str::to_owned);
    }
}

fn model(
    all: &BTreeSet<String>,
    prefix: &str,
    delimiter: Option<&str>,
    after: &str,
) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes) = (Vec::new(), BTreeSet::new());
    for key in all.iter().filter(|key| key.as_str() > after) {
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        match delimiter.and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len())) {
            Some(end) => drop(prefixes.insert(format!("{prefix}{}", &rest[..end]))),
            None => keys.push(key.clone()),
        }
    }
    (keys, prefixes.into_iter().collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_agree_with_a_sorted_set() {
    let (_folder, running, client) = start().await;
    let long = "l".repeat(197);
    let pieces = [
        "a", "b", "/", "/", "!", "-", ".", "0", "~", "%", "+", "=", " x", "é", "ab/", &*long, "ll",
    ];
    let mut random = Random(42);
    let mut all = BTreeSet::new();
    while all.len() < 250 {
        let key: String = (0..=random.below(7))
            .map(|_| pieces[random.below(pieces.len())])
            .collect();
        if key.len() <= 1024 {
            all.insert(key);
        }
    }
    let puts = all.iter().map(|key| put(&client, key, "x"));
    futures_util::future::join_all(puts).await;

    let sorted: Vec<&String> = all.iter().collect();
    for round in 0..60 {
        let some_key = sorted[random.below(sorted.len())];
        let cut = (0..=random.below(some_key.len() + 1))
            .rev()
            .find(|at| some_key.is_char_boundary(*at))
            .unwrap();
        let prefix = if round < 10 { "" } else { &some_key[..cut] };
        let delimiter = [None, Some("/"), Some("b"), Some("/a"), Some("l")][random.below(5)];
        let page = [1000, 50, 7, 3][random.below(4)];
        let after = if random.below(2) == 0 {
            ""
        } else {
            sorted[random.below(sorted.len())].as_str()
        };
        let listed = list_all(&client, prefix, delimiter, page, after).await;
        let what = format!(
            "round {round}: prefix {prefix:?} delimiter {delimiter:?} page {page} after {after:?}"
        );
        assert_eq!(listed, model(&all, prefix, delimiter, after), "{what}");
        if round % 3 == 0 && delimiter.is_some() {
            assert_eq!(
                list_all_v1(&client, prefix, delimiter, page).await,
                model(&all, prefix, delimiter, ""),
                "{what}, version 1"
            );
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_tell_what_they_are_asked() {
    let (_folder, running, client) = start().await;
    put(&client, "a b/ü+1", "12345").await;
    put(&client, "a b/folder/", "").await;
    let list = client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("a b/")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let object = &list.contents()[0];
    assert_eq!((object.key(), object.size()), (Some("a b/ü+1"), Some(5)));
    assert_eq!(object.e_tag(), Some(&*quoted_md5(b"12345")));
    assert!(object.last_modified().unwrap().secs() > 1_700_000_000);
    assert_eq!(list.common_prefixes()[0].prefix(), Some("a b/folder/"));
    let encoded = client
        .list_objects_v2()
        .bucket(BUCKET)
        .encoding_type(aws_sdk_s3::types::EncodingType::Url);
    let encoded = encoded.send().await.unwrap();
    assert_eq!(encoded.contents()[1].key(), Some("a%20b/%C3%BC%2B1"));
    let none = client
        .list_objects_v2()
        .bucket(BUCKET)
        .max_keys(0)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (none.contents().len(), none.is_truncated()),
        (0, Some(false))
    );
    assert_eq!(
        code(
            client
                .list_objects_v2()
                .bucket(BUCKET)
                .continuation_token("?")
                .send()
                .await
        ),
        "InvalidArgument"
    );
    assert_eq!(
        code(
            client
                .list_objects_v2()
                .bucket(BUCKET)
                .max_keys(-1)
                .send()
                .await
        ),
        "InvalidArgument"
    );

    // A folder without objects (a crash can leave one) is no common prefix.
    let objects = _folder.0.join("buckets").join(BUCKET).join("objects");
    std::fs::create_dir_all(objects.join("bare+/nothing+")).unwrap();
    let list = client
        .list_objects_v2()
        .bucket(BUCKET)
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let prefixes: Vec<_> = list
        .common_prefixes()
        .iter()
        .map(|common| common.prefix().unwrap())
        .collect();
    assert_eq!(prefixes, ["a b/"]);
    running.stop().await;
}
