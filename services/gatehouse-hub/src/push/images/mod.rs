//! Pictures for push devices, which speak plain HTTP, send no header and take an address of at most
//! 128 characters. A listener of its own serves `GET /{token}.jpg` and nothing else: no API, no
//! health, no terminals. The token is the only right that is needed, so it names one photo of one
//! tenant, cannot be guessed, ends by itself, and ends with the photo.

mod link;

pub(crate) use link::Links;

use super::store;
use crate::hub::Hub;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use chrono::Utc;
use gatehouse_domain::TenantId;
use gatehouse_platform::db::DbError;
use gatehouse_platform::http::observe;
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::service::Task;
use gatehouse_platform::tenant::Actor;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Before an address is tried again that could not be listened on.
const AGAIN_AFTER: Duration = Duration::from_secs(3);
/// Connections at the same time.
const CONNECTIONS: usize = 2_000;
/// How long pictures under way may take when the process stops.
const STOP_WITHIN_S: u64 = 5;

/// The listener, where there is one.
pub(super) fn task(hub: &Arc<Hub>) -> Option<Task> {
    let listen = hub.settings.push_images_listen.0?;
    let hub = hub.clone();
    Some(Task::new("hub.push.images", move |cancel| async move {
        while !cancel.is_cancelled() {
            if let Err(error) = serve(&hub, listen, &cancel).await {
                tracing::error!(%error, %listen, "pictures for push devices are not served; GATEHOUSE_PUSH_IMAGES_LISTEN moves the address");
                let wait = tokio::time::sleep(AGAIN_AFTER);
                cancel.run_until_cancelled(wait).await;
            }
        }
    }))
}

async fn serve(hub: &Arc<Hub>, listen: SocketAddr, cancel: &CancellationToken) -> io::Result<()> {
    let hub = web::Data::from(hub.clone());
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(observe))
            .app_data(hub.clone())
            .route("/{token}.jpg", web::get().to(picture))
            .default_service(web::to(nothing))
    })
    .workers(1)
    .max_connections(CONNECTIONS)
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(Duration::from_secs(15))
    .shutdown_timeout(STOP_WITHIN_S)
    .disable_signals()
    .bind(listen)?
    .run();
    tracing::info!(%listen, "serving pictures to push devices");
    let handle = server.handle();
    let stop = async {
        cancel.cancelled().await;
        handle.stop(true).await;
    };
    tokio::join!(server, stop).0
}

async fn nothing() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

/// One picture. Whatever is wrong with a token is said to nobody.
async fn picture(hub: web::Data<Hub>, token: web::Path<String>) -> HttpResponse {
    let Some((tenant, photo)) = hub.push_links.open(&token, Utc::now()) else {
        metrics::counter!("gatehouse_push_images_total", "outcome" => "refused").increment(1);
        return nothing().await;
    };
    match find(&hub, tenant, photo).await {
        Ok(Some(bytes)) => {
            metrics::counter!("gatehouse_push_images_total", "outcome" => "served").increment(1);
            HttpResponse::Ok()
                .content_type("image/jpeg")
                .insert_header((CACHE_CONTROL, "no-store"))
                .body(bytes)
        }
        Ok(None) => {
            metrics::counter!("gatehouse_push_images_total", "outcome" => "gone").increment(1);
            nothing().await
        }
        Err(error) => {
            metrics::counter!("gatehouse_push_images_total", "outcome" => "away").increment(1);
            tracing::warn!(%error, "a picture could not be read");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

/// Why a picture cannot be read now.
#[derive(Debug, thiserror::Error)]
enum Away {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// The picture as push devices take it, while the tenant has the photo.
async fn find(hub: &Hub, tenant: TenantId, photo: Uuid) -> Result<Option<bytes::Bytes>, Away> {
    // The token proves that it was made by us for this tenant.
    let scope = hub.kit.db.system().await?.scope(tenant, Actor::System);
    let tx = hub.kit.db.tenant(&scope).await?;
    let Some(hash) = store::photo_hash(&tx, photo).await? else {
        return Ok(None);
    };
    drop(tx);
    let key = format!(
        "photos/{}/{}/push.jpg",
        tenant.uuid().as_simple(),
        hex::encode(hash)
    );
    match hub.kit.objects.get(&key).await {
        Ok(object) => Ok(Some(object.body)),
        Err(ObjectError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
