//! A tenant's terminal tokens: several at once, each with an end, each revocable; and the sessions
//! that came in by them.

use super::{close_code, device, refused_handshake};
use chrono::{TimeDelta, Utc};
use gatehouse_simulator::{Pass, Terminal, TerminalProfile};
use kit::until;
use kit::world::fresh_sn;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn tokens_are_rotated_without_an_interruption() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (sn_a, sn_b) = (fresh_sn(), fresh_sn());
    let (_, old) = tenant.terminal(&sn_a).await;
    tenant.device(&sn_b).await;
    let made = tenant
        .api
        .post("/v1/terminal-tokens", json!({"name": "second"}))
        .await
        .expect(201);
    let url = made["terminal_url"].as_str().unwrap();
    let moved = Terminal::connect(TerminalProfile::new(url, &sn_b))
        .await
        .unwrap();
    assert!(old.pass(Pass::stranger()).await.unwrap().is_accepted());

    // The first one goes; who came in by it goes too, and who did not stays.
    let tokens = tenant.api.list("/v1/terminal-tokens").await;
    assert_eq!(tokens.len(), 2);
    assert!(
        tokens
            .iter()
            .all(|token| token.get("terminal_url").is_none()),
        "secrets are shown once"
    );
    let first = tokens
        .iter()
        .find(|token| token["id"] != made["id"])
        .unwrap();
    let path = format!("/v1/terminal-tokens/{}", first["id"].as_str().unwrap());
    let stranger = world.tenant().await;
    assert_eq!(stranger.api.delete(&path).await.problem(404), "not_found");
    tenant.api.delete(&path).await.expect(204);
    assert_eq!(close_code(&old).await, Some(4001));
    assert_eq!(
        refused_handshake(TerminalProfile::new(&tenant.terminal_url, &sn_a)).await,
        401
    );
    assert!(moved.pass(Pass::stranger()).await.unwrap().is_accepted());
    let back = Terminal::connect(TerminalProfile::new(url, &sn_a))
        .await
        .unwrap();
    drop((back, moved));
}

#[tokio::test]
async fn an_expired_token_admits_nobody() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let past = Utc::now() - TimeDelta::seconds(1);
    let refusal = tenant
        .api
        .post(
            "/v1/terminal-tokens",
            json!({"name": "x", "expires_at": past}),
        )
        .await;
    assert_eq!(refusal.problem(422), "invalid_field");
    let soon = Utc::now() + TimeDelta::milliseconds(1_500);
    let made = tenant
        .api
        .post(
            "/v1/terminal-tokens",
            json!({"name": "x", "expires_at": soon}),
        )
        .await
        .expect(201);
    let profile = TerminalProfile::new(made["terminal_url"].as_str().unwrap(), &sn);
    let admitted = Terminal::connect(profile.clone()).await.unwrap();
    admitted.close().await;
    let status = until("the token's end", Duration::from_secs(10), || async {
        match Terminal::connect(profile.clone()).await {
            Ok(_) => None,
            Err(gatehouse_simulator::SimError::Handshake { status }) => Some(status),
            Err(other) => panic!("{other}"),
        }
    })
    .await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn a_removed_device_and_a_disabled_tenant_end_their_sessions() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (removed, terminal) = tenant.terminal(&fresh_sn()).await;
    let (_, other) = tenant.terminal(&fresh_sn()).await;
    tenant
        .api
        .delete(&format!("/v1/devices/{}", removed["id"].as_str().unwrap()))
        .await
        .expect(204);
    assert_eq!(close_code(&terminal).await, Some(4002));
    assert!(other.is_online());

    let path = format!("/v1/tenants/{}", tenant.id);
    world
        .operator()
        .patch(&path, json!({"disabled": true}))
        .await
        .expect(200);
    let code = close_code(&other).await;
    assert!(matches!(code, Some(1008 | 4001)), "{code:?}");
    let again = TerminalProfile::new(&tenant.terminal_url, &fresh_sn());
    assert_eq!(refused_handshake(again.clone()).await, 401);
    // Verified credentials are believed for five seconds.
    until("the key to be refused", Duration::from_secs(10), || async {
        (tenant.api.get("/v1/devices").await.status == 401).then_some(())
    })
    .await;

    world
        .operator()
        .patch(&path, json!({"disabled": false}))
        .await
        .expect(200);
    until(
        "the key to be good again",
        Duration::from_secs(10),
        || async { (tenant.api.get("/v1/devices").await.status == 200).then_some(()) },
    )
    .await;
    let claimed = tenant.device(&again.sn).await;
    let terminal = until("the tenant to be back", super::SOON, || async {
        Terminal::connect(again.clone()).await.ok()
    })
    .await;
    assert_eq!(device(&tenant, &claimed["id"]).await["sn"], json!(again.sn));
    drop(terminal);
}
