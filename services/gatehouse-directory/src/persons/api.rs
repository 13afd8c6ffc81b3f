//! Routes of persons.

use super::request::{PersonPatch, PersonRequest};
use super::search::{self, PersonQuery};
use super::view::{Detail, Person};
use super::{change, create, fields, store, walk};
use crate::access_changes::{self, Scope};
use crate::directory::Directory;
use crate::reading::Reading;
use crate::{photos, tenants};
use actix_web::{HttpResponse, get, patch, post, web};
use gatehouse_domain::{DistributionId, GroupId, PersonId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};

const CREATE: &str = "persons.create";

/// Creates a person. Pictures are sent afterwards, with `PUT /v1/persons/{id}/photo`.
#[utoipa::path(
    tag = "persons",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = PersonRequest,
    responses((status = 201, description = "The person.", body = Person), Refused, Unfit, Clash),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/persons")]
async fn create_person(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<PersonRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await? {
        return Ok(answer);
    }
    let new = create::read(body.into_inner(), tenants::zone(&tx).await?)?;
    let in_groups = !new.group_ids.is_empty();
    let secrets = &directory.kit.secrets;
    let id = create::create(&tx, secrets, new, Some(caller.request_id())).await?;
    let distribution = if in_groups {
        access_changes::note(&tx, "person.created", Scope::Persons(&[id])).await?
    } else {
        None
    };
    let person = read(&directory, &tx, id, distribution).await?;
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &person).await?;
    tx.commit().await?;
    if distribution.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Created()
        .insert_header(etag(person.version()))
        .json(person))
}

/// The persons, newest first.
///
/// Conditions can be combined. Where few of many candidates meet them, a page may hold fewer items than
/// `limit`, even none, though more follow: go on until there is no `next_cursor`.
#[utoipa::path(
    tag = "persons",
    params(PersonQuery, PageQuery),
    responses((status = 200, description = "A page of persons.", body = Page<Person>), Refused, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/persons")]
async fn list_persons(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    query: web::Query<PersonQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Person>>> {
    let wanted = search::read(query.into_inner())?;
    let limit = usize::try_from(page.limit()?).unwrap_or(usize::MAX);
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let part = walk::list(&tx, &wanted, page.position()?, limit).await?;
    let mut beside = store::beside(&tx, part.rows.iter().map(|row| row.id).collect()).await?;
    let persons = part.rows.into_iter().map(|row| {
        let beside = beside.remove(&row.id).unwrap_or_default();
        Person::new(row, beside, None)
    });
    Ok(web::Json(Page::before(persons.collect(), part.next)))
}

/// One person, with their groups and pictures.
#[utoipa::path(
    tag = "persons",
    params(("id" = String, Path, description = "The person's id.")),
    responses((status = 200, description = "The person.", body = Person), Refused, Missing),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/persons/{id}")]
async fn get_person(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<PersonId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let person = read(&directory, &tx, *id, None).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(person.version()))
        .json(person))
}

/// Changes a person. Terminals learn of it by themselves.
#[utoipa::path(
    tag = "persons",
    params(
        ("id" = String, Path, description = "The person's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = PersonPatch,
    responses((status = 200, description = "The person as it is now.", body = Person), Refused, Missing, Unfit, Clash, Stale),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[patch("/v1/persons/{id}")]
async fn change_person(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<PersonId>,
    if_match: IfMatch,
    body: web::Json<PersonPatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let mut reading = Reading::begin();
    let given = fields::read(&mut reading, body.into_inner(), tenants::zone(&tx).await?);
    reading.end()?;
    let changed = change::change(
        &tx,
        &directory.kit.secrets,
        *id,
        &given,
        Some(if_match),
        Some(caller.request_id()),
    )
    .await?;
    let distribution = if changed.for_terminals {
        access_changes::note(&tx, "person.updated", Scope::Persons(&[*id])).await?
    } else {
        None
    };
    let person = read(&directory, &tx, *id, distribution).await?;
    tx.commit().await?;
    if distribution.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Ok()
        .insert_header(etag(person.version()))
        .json(person))
}

async fn read(
    directory: &Directory,
    tx: &TenantTx,
    id: PersonId,
    distribution_id: Option<DistributionId>,
) -> Answer<Person> {
    let row = store::read(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("person"))?;
    let mut beside = store::beside(tx, vec![row.id]).await?;
    let beside = beside.remove(&row.id).unwrap_or_default();
    let groups = store::groups(tx, row.id).await?;
    let detail = Detail {
        photos: photos::of_person(directory, tx, id).await?,
        group_ids: groups.into_iter().map(GroupId::from_uuid).collect(),
        distribution_id,
    };
    Ok(Person::new(row, beside, Some(detail)))
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_person)
        .service(list_persons)
        .service(get_person)
        .service(change_person);
}
