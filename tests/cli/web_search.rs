//! WebSearch in the real program: by an endpoint of the person's own, by the provider, and not.

use axum::Router;
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::{Value, json};

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::{answer, calls, says};

fn search() -> Reply {
    let input = json!({"query": "rust & tokio"});
    Reply::sse(calls("UseTool", &json!({"name": "WebSearch", "input": input})))
}

/// The text of the tool result in a request.
fn result(body: &Value) -> String {
    body["messages"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_asked_and_its_hits_come_back() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let find = |Query(asked): Query<Vec<(String, String)>>, headers: HeaderMap| async move {
        let key = headers.get("x-key").map(|key| key.to_str().unwrap().to_owned());
        let about = format!("asked {asked:?}, key {key:?}");
        axum::Json(json!({"results": [
            {"title": "Tokio", "url": "https://tokio.rs/", "content": about},
            {"title": "no address"},
        ]}))
    };
    let app = Router::new().route("/search", get(find));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let server = FakeServer::start(vec![search(), Reply::sse(says("Found."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let path = tern.home().join("config/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = format!(
        "[web-search]\nurl = \"http://127.0.0.1:{port}/search?format=json&q={{query}}\"\n\
         headers = {{ X-Key = \"canary-search-key\" }}\n"
    );
    std::fs::write(path, format!("{text}{more}")).unwrap();
    let ran = aside(move || tern.run(&["-p", "go", "--allow", "WebSearch"])).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "Found.\n"), "{ran:?}");
    let told = result(&server.requests()[1].body);
    for part in ["1. Tokio", "https://tokio.rs/", "rust & tokio", "canary-search-key"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_endpoint_the_provider_searches() {
    let blocks = [
        json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
            {"type": "web_search_result", "title": "Tokio", "url": "https://tokio.rs/"}]}),
        json!({"type": "text", "text": "Tokio is a runtime (https://tokio.rs/)."}),
    ];
    let usage = json!({"input_tokens": 10, "output_tokens": 5});
    let searched = answer(&blocks, "end_turn", &usage);
    let server =
        FakeServer::start(vec![search(), Reply::sse(searched), Reply::sse(says("Found."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let ran = aside(move || tern.run(&["-p", "go", "--allow", "WebSearch"])).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "Found.\n"), "{ran:?}");
    let requests = server.requests();
    assert_eq!(requests[1].body["tools"][0]["name"], "web_search");
    assert!(requests[1].body.to_string().contains("rust & tokio"));
    let told = result(&requests[2].body);
    assert!(told.contains("Tokio is a runtime") && told.contains("1. Tokio"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_about_and_refused_where_there_is_no_search() {
    let server = FakeServer::start(vec![search(), Reply::sse(says("Denied."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let ran = aside(move || tern.run(&["-p", "go"])).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let told = result(&server.requests()[1].body);
    assert!(told.contains("no rule allows WebSearch"), "{told}");

    // A chat server cannot search.
    let chat = |delta: Value, finish: &str| {
        let chunk = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        Reply::sse(format!("data: {chunk}\n\ndata: [DONE]\n\n"))
    };
    let arguments = json!({"name": "WebSearch", "input": {"query": "x"}}).to_string();
    let call = json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function",
                      "function": {"name": "UseTool", "arguments": arguments}}]});
    let server =
        FakeServer::start(vec![chat(call, "tool_calls"), chat(json!({"content": "No."}), "stop")])
            .await;
    let tern = Tern::new();
    tern.config(&format!(
        "model = \"fake/m\"\n[providers.fake]\napi = \"openai-chat\"\nbase-url = \"{}/v1\"\nkey = \"k\"\n",
        server.base_url()
    ));
    let ran = aside(move || tern.run(&["-p", "go", "--allow", "WebSearch"])).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = result(&server.requests()[1].body);
    assert!(
        told.contains("does not search the web") && told.contains("[web-search] url"),
        "{told}"
    );
}
