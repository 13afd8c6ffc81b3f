//! Restarts, leftovers, damage, and many clients at once.

use crate::support::*;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use gatehouse_objectstore::{Error, Server};
use std::path::PathBuf;

type Damage = fn(&mut Vec<u8>);

fn object_file(folder: &Folder, name: &str) -> PathBuf {
    folder
        .0
        .join("buckets")
        .join(BUCKET)
        .join("objects")
        .join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_objects_and_removes_leftovers() {
    let (folder, running, client) = start().await;
    put(&client, "a/b", "kept").await;
    client
        .create_bucket()
        .bucket("second")
        .send()
        .await
        .unwrap();
    running.stop().await;
    std::fs::write(folder.0.join("tmp/half-an-object"), "x").unwrap();
    std::fs::create_dir_all(folder.0.join("tmp/half-a-bucket/objects")).unwrap();

    let running = Running::start(&folder.0).await;
    let client = running.client();
    assert_eq!(std::fs::read_dir(folder.0.join("tmp")).unwrap().count(), 0);
    assert_eq!(get(&client, "a/b").await, b"kept");
    client.head_bucket().bucket("second").send().await.unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_says_why_it_cannot_start() {
    let (folder, running, _client) = start().await;
    let second = Server::bind(settings(&folder.0)).await;
    assert!(matches!(second, Err(Error::InUse { .. })));
    let mut taken = settings(&Folder::new().0);
    taken.listen = running.addr;
    assert!(matches!(
        Server::bind(taken).await,
        Err(Error::Listen { .. })
    ));
    running.stop().await;

    let mut settings_ = settings(&folder.0);
    settings_.bucket = Some("No_Bucket".to_owned());
    assert!(matches!(
        Server::bind(settings_).await,
        Err(Error::BucketName { .. })
    ));
    let mut settings_ = settings(&folder.0);
    settings_.secret_key.clear();
    assert!(matches!(
        Server::bind(settings_.clone()).await,
        Err(Error::NoKeys)
    ));
    assert!(!format!("{:?}", settings(&folder.0)).contains(SECRET_KEY));
    std::fs::write(folder.0.join("layout"), "gatehouse-objectstore 2\n").unwrap();
    assert!(matches!(
        Server::bind(settings(&folder.0)).await,
        Err(Error::Layout { .. })
    ));
    let file = folder.0.join("a-file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(
        Server::bind(settings(&file)).await,
        Err(Error::Folder { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_told_and_can_be_cleared_away() {
    let (folder, running, client) = start().await;
    let body = noise(50_000, 1);
    let read = |key: &'static str| client.get_object().bucket(BUCKET).key(key).send();
    let damages: [(&'static str, Damage); 6] = [
        ("empty", |bytes| bytes.clear()),
        ("cut", |bytes| bytes.truncate(49_000)),
        ("longer", |bytes| bytes.push(0)),
        ("tail", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("facts", |bytes| bytes[50_010] ^= 1),
        ("body", |bytes| bytes[25_000] ^= 1),
    ];
    for (key, damage) in damages {
        put(&client, key, body.clone()).await;
        let path = object_file(&folder, &format!("{key}="));
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(code(read(key).await), "InternalError", "{key}");
    }
    put(&client, "elsewhere", "x").await;
    std::fs::copy(
        object_file(&folder, "elsewhere="),
        object_file(&folder, "moved="),
    )
    .unwrap();
    assert_eq!(code(read("moved").await), "InternalError");
    let listed = client
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.contents().len(), 8, "damaged objects are listed");

    // A large body is found damaged only while it is read: the client must not take it for whole.
    put(&client, "large", noise(2_000_000, 2)).await;
    let path = object_file(&folder, "large=");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1_999_999] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let got = read("large").await.unwrap();
    assert!(got.body.collect().await.is_err());

    for key in ["empty", "cut"] {
        client
            .delete_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
        assert_eq!(code(read(key).await), "NoSuchKey");
    }
    put(&client, "tail", "replaced").await;
    assert_eq!(get(&client, "tail").await, b"replaced");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_puts_to_one_key_one_stays_whole() {
    let (folder, running, client) = start().await;
    let bodies: Vec<Vec<u8>> = (0..40)
        .map(|n| noise(20_000 + n * 1000, n as u64))
        .collect();
    let puts: Vec<_> = bodies
        .iter()
        .cloned()
        .map(|body| {
            let client = client.clone();
            tokio::spawn(async move {
                put(&client, "same/key", body).await;
                get(&client, "same/key").await
            })
        })
        .collect();
    for done in puts {
        let seen = done.await.unwrap();
        assert!(bodies.contains(&seen), "a reader sees one of them, whole");
    }
    assert!(bodies.contains(&get(&client, "same/key").await));
    assert_eq!(
        files_below(&folder.0.join("buckets").join(BUCKET).join("objects")).len(),
        1
    );
    assert!(files_below(&folder.0.join("tmp")).is_empty());

    let first = |n: i32| {
        let put = client
            .put_object()
            .bucket(BUCKET)
            .key("only/one")
            .if_none_match("*");
        put.body(ByteStream::from(n.to_string().into_bytes()))
            .send()
    };
    let outcomes = futures_util::future::join_all((0..16).map(first)).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_is_not_lost_to_deletes_that_empty_its_folder() {
    let (folder, running, client) = start().await;
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let client = client.clone();
            tokio::spawn(async move {
                for round in 0..25 {
                    let key = format!("deep/er/{}/{worker}", round % 3);
                    put(&client, &key, key.clone()).await;
                    assert_eq!(get(&client, &key).await, key.as_bytes());
                    let deleted = client.delete_object().bucket(BUCKET).key(&key).send().await;
                    deleted.unwrap_or_else(|error| panic!("{}", DisplayErrorContext(error)));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let objects = folder.0.join("buckets").join(BUCKET).join("objects");
    assert_eq!(
        std::fs::read_dir(objects).unwrap().count(),
        0,
        "all folders are pruned"
    );
    running.stop().await;
}
