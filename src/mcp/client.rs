//! One connection: its lists, its calls, its end.
//!
//! *Invariant:* a call returns within its time limit, or at once when it is cancelled, whatever the
//! server does. An answer that comes later falls on the floor.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotificationParam,
    ClientRequest, GetPromptRequest, GetPromptRequestParams, GetPromptResult, InputRequiredResult,
    InputResponses, LoggingLevel, PaginatedRequestParams, ProtocolVersion, ReadResourceRequest,
    ReadResourceRequestParams, ReadResourceResult, Resource, ServerResult, SetLevelRequestParams,
    SubscriptionFilter,
};
use rmcp::service::{Peer, PeerRequestOptions, RoleClient, ServiceError};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::mcp::connect::{Era, Link, Surroundings, connect, last_line, root_cause, wants_login};
use crate::mcp::handler::{Running, Shared, Told};
use crate::mcp::offer::{Offer, PromptArgument, PromptOffer, ToolOffer};
use crate::mcp::schema::{clean, shorten, visible};
use crate::mcp::{Definition, McpError};

#[derive(Debug)]
pub struct Client {
    peer: Peer<RoleClient>,
    shared: Arc<Shared>,
    call_timeout: Duration,
    list_timeout: Duration,
    /// Taken when it is closed.
    link: Mutex<Option<Link>>,
}

/// Pages of one list, and entries of it: a server that never comes to an end is cut.
const PAGES: usize = 100;
const ENTRIES: usize = 2_000;
/// Rounds of questions in one call.
const ROUNDS: usize = 10;
/// How long a polite word at the end may take.
const POLITE: Duration = Duration::from_millis(500);

impl Client {
    pub async fn open(
        definition: &Definition,
        era: Era,
        around: &Surroundings,
        shared: Arc<Shared>,
    ) -> Result<Client, McpError> {
        let link = connect(definition, era, around, &shared).await?;
        let peer = link.running.peer().clone();
        let client = Client {
            peer,
            shared,
            call_timeout: definition.call_timeout,
            list_timeout: definition.start_timeout,
            link: Mutex::new(Some(link)),
        };
        client.settle().await;
        Ok(client)
    }

    pub fn is_closed(&self) -> bool {
        self.peer.is_transport_closed()
    }

    /// What it tells without being asked: only what matters, and that its lists changed.
    async fn settle(&self) {
        let Some(info) = self.peer.peer_info() else { return };
        let listens =
            info.capabilities.tools.as_ref().is_some_and(|t| t.list_changed == Some(true));
        if info.protocol_version >= ProtocolVersion::NO_INITIALIZE {
            if listens {
                tokio::spawn(listen(self.peer.clone(), self.shared.told.clone()));
            }
        } else if info.capabilities.logging.is_some() {
            let level = self.peer.set_level(SetLevelRequestParams::new(LoggingLevel::Warning));
            // A server that does not answer this is not worth waiting for.
            let _ = tokio::time::timeout(POLITE, level).await;
        }
    }

    /// Everything it offers, all pages.
    pub async fn offer(&self) -> Result<Offer, McpError> {
        let limit = self.list_timeout;
        tokio::time::timeout(limit, self.lists())
            .await
            .unwrap_or(Err(McpError::Slow(limit.as_secs())))
    }

    async fn lists(&self) -> Result<Offer, McpError> {
        let info = self.peer.peer_info().ok_or_else(|| McpError::Gone(String::new()))?;
        let mut offer = Offer {
            protocol: info.protocol_version.to_string(),
            resources: info.capabilities.resources.is_some(),
            ..Offer::default()
        };
        if let Some(server) = &info.server_info {
            offer.server = shorten(&visible(&format!("{} {}", server.name, server.version)), 100);
        }
        if let Some(instructions) = &info.instructions {
            offer.instructions = shorten(&visible(instructions), 2 * 1024);
        }
        if info.capabilities.tools.is_some() {
            offer.tools = self.tools().await?;
        }
        if info.capabilities.prompts.is_some() {
            offer.prompts = self.prompts().await?;
        }
        Ok(offer)
    }

    async fn tools(&self) -> Result<Vec<ToolOffer>, McpError> {
        let mut found = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES {
            let page = self.peer.list_tools(page(cursor)).await;
            let page = self.checked(page).await?;
            for tool in page.tools {
                let description = tool.description.as_deref().unwrap_or_default();
                let (description, schema) = clean(description, &tool.input_schema);
                let hints = tool.annotations.as_ref();
                found.push(ToolOffer {
                    name: tool.name.into_owned(),
                    description,
                    schema,
                    reads: hints.is_some_and(|hints| hints.read_only_hint == Some(true)),
                });
            }
            cursor = page.next_cursor;
            if cursor.is_none() || found.len() >= ENTRIES {
                break;
            }
        }
        found.truncate(ENTRIES);
        Ok(found)
    }

    async fn prompts(&self) -> Result<Vec<PromptOffer>, McpError> {
        let mut found = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES {
            let page = self.peer.list_prompts(page(cursor)).await;
            let page = self.checked(page).await?;
            found.extend(page.prompts.into_iter().map(|prompt| {
                PromptOffer {
                    name: prompt.name,
                    description: shorten(&visible(&prompt.description.unwrap_or_default()), 300),
                    arguments: prompt
                        .arguments
                        .unwrap_or_default()
                        .into_iter()
                        .map(|argument| PromptArgument {
                            name: argument.name,
                            required: argument.required == Some(true),
                        })
                        .collect(),
                }
            }));
            cursor = page.next_cursor;
            if cursor.is_none() || found.len() >= ENTRIES {
                break;
            }
        }
        found.truncate(ENTRIES);
        Ok(found)
    }

    /// Addresses and names of its resources, all pages.
    pub async fn resources(&self) -> Result<Vec<Resource>, McpError> {
        let lists = async {
            let mut found = Vec::new();
            let mut cursor = None;
            for _ in 0..PAGES {
                let page = self.peer.list_resources(page(cursor)).await;
                let page = self.checked(page).await?;
                found.extend(page.resources);
                cursor = page.next_cursor;
                if cursor.is_none() || found.len() >= ENTRIES {
                    break;
                }
            }
            found.truncate(ENTRIES);
            Ok(found)
        };
        let limit = self.list_timeout;
        tokio::time::timeout(limit, lists).await.unwrap_or(Err(McpError::Slow(limit.as_secs())))
    }

    pub async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        pieces: &mpsc::Sender<String>,
        cancel: &CancellationToken,
    ) -> Result<CallToolResult, McpError> {
        let mut params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        for _ in 0..ROUNDS {
            let request = ClientRequest::CallToolRequest(CallToolRequest::new(params.clone()));
            match self.request(request, Some(pieces), cancel).await? {
                ServerResult::CallToolResult(result) => return Ok(result),
                ServerResult::InputRequiredResult(wanted) => {
                    (params.input_responses, params.request_state) =
                        self.fulfil(wanted, cancel).await?;
                }
                _ => return Err(odd()),
            }
        }
        Err(endless())
    }

    pub async fn read(
        &self,
        uri: &str,
        cancel: &CancellationToken,
    ) -> Result<ReadResourceResult, McpError> {
        let mut params = ReadResourceRequestParams::new(uri);
        for _ in 0..ROUNDS {
            let request =
                ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params.clone()));
            match self.request(request, None, cancel).await? {
                ServerResult::ReadResourceResult(result) => return Ok(result),
                ServerResult::InputRequiredResult(wanted) => {
                    (params.input_responses, params.request_state) =
                        self.fulfil(wanted, cancel).await?;
                }
                _ => return Err(odd()),
            }
        }
        Err(endless())
    }

    pub async fn prompt(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        cancel: &CancellationToken,
    ) -> Result<GetPromptResult, McpError> {
        let mut params = GetPromptRequestParams::new(name).with_arguments(arguments);
        for _ in 0..ROUNDS {
            let request = ClientRequest::GetPromptRequest(GetPromptRequest::new(params.clone()));
            match self.request(request, None, cancel).await? {
                ServerResult::GetPromptResult(result) => return Ok(result),
                ServerResult::InputRequiredResult(wanted) => {
                    (params.input_responses, params.request_state) =
                        self.fulfil(wanted, cancel).await?;
                }
                _ => return Err(odd()),
            }
        }
        Err(endless())
    }

    /// One request, to its answer, its time limit or its cancellation. The limit counts from the
    /// last sign of life; a person who is being asked is one.
    async fn request(
        &self,
        request: ClientRequest,
        pieces: Option<&mpsc::Sender<String>>,
        cancel: &CancellationToken,
    ) -> Result<ServerResult, McpError> {
        let mut running = Running::new(&self.shared);
        let sent = self.peer.send_request_with_option(request, PeerRequestOptions::no_options());
        let mut handle = tokio::select! {
            sent = sent => self.checked(sent).await?,
            () = cancel.cancelled() => return Err(McpError::Interrupted),
            () = tokio::time::sleep(self.call_timeout) => return Err(self.slow()),
        };
        if let Some(pieces) = pieces {
            running.listen(handle.progress_token.clone(), pieces.clone());
        }
        let ended = loop {
            let limit = self.shared.last_life() + self.call_timeout;
            tokio::select! {
                answer = &mut handle.rx => {
                    return self.checked(answer.unwrap_or(Err(ServiceError::TransportClosed))).await;
                }
                () = cancel.cancelled() => break McpError::Interrupted,
                () = tokio::time::sleep_until(limit) => {
                    if self.shared.last_life() + self.call_timeout <= tokio::time::Instant::now() {
                        break self.slow();
                    }
                }
            }
        };
        // The server is told, but not waited for: it may well answer nothing any more.
        let reason = ended.to_string();
        let word = CancelledNotificationParam::new(Some(handle.id.clone()), Some(reason));
        let _ = tokio::time::timeout(POLITE, self.peer.notify_cancelled(word)).await;
        Err(ended)
    }

    fn slow(&self) -> McpError {
        McpError::Slow(self.call_timeout.as_secs().max(1))
    }

    /// What the server wants to know before it goes on.
    async fn fulfil(
        &self,
        wanted: InputRequiredResult,
        cancel: &CancellationToken,
    ) -> Result<(Option<InputResponses>, Option<String>), McpError> {
        let _running = Running::new(&self.shared);
        let mut responses = InputResponses::new();
        for (key, request) in wanted.input_requests.unwrap_or_default() {
            let answer = tokio::select! {
                answer = self.shared.answer(request) => answer,
                () = cancel.cancelled() => return Err(McpError::Interrupted),
            };
            let answer = answer.map_err(|error| McpError::Protocol(error.message.into_owned()))?;
            responses.insert(key, answer);
        }
        if responses.is_empty() {
            // It only wants to be asked again; not in a tight circle.
            tokio::time::sleep(POLITE).await;
        }
        Ok(((!responses.is_empty()).then_some(responses), wanted.request_state))
    }

    /// The answer, or why there is none, in words.
    async fn checked<T>(&self, answer: Result<T, ServiceError>) -> Result<T, McpError> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        Err(match error {
            ServiceError::McpError(error) => McpError::Protocol(shorten(&error.message, 1_000)),
            ServiceError::TransportSend(error) if wants_login(error.error.as_ref()) => {
                McpError::Login
            }
            ServiceError::TransportSend(error) => McpError::Gone(root_cause(error.error.as_ref())),
            ServiceError::TransportClosed | ServiceError::Cancelled { .. } => {
                let mut link = self.link.lock().await;
                let service = link.as_mut().and_then(|link| link.service.as_mut());
                let words = match service {
                    Some(service) => service.end().await,
                    None => String::new(),
                };
                McpError::Gone(last_line(&words))
            }
            ServiceError::Timeout { timeout } => McpError::Slow(timeout.as_secs()),
            other => McpError::Protocol(shorten(&other.to_string(), 300)),
        })
    }

    /// Ends the connection, and the program behind it.
    pub async fn close(&self) {
        let Some(mut link) = self.link.lock().await.take() else { return };
        // A task that does not end is left to the drop below.
        let _ = link.running.close_with_timeout(POLITE).await;
        if let Some(service) = link.service.take() {
            service.stop().await;
        }
    }
}

fn page(cursor: Option<String>) -> Option<PaginatedRequestParams> {
    cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)))
}

fn odd() -> McpError {
    McpError::Protocol("its answer is not of the kind that was asked for".to_owned())
}

fn endless() -> McpError {
    McpError::Protocol(format!("it asked for more {ROUNDS} times and gave no answer"))
}

/// For the revision in which changes are told only to who listens.
async fn listen(peer: Peer<RoleClient>, told: mpsc::Sender<Told>) {
    let filter = SubscriptionFilter::builder().tools_list_changed().build();
    let Ok(mut subscription) = peer.listen(filter).await else { return };
    while let Ok(Some(_)) = subscription.next().await {
        if told.send(Told::ListsChanged).await.is_err() {
            return;
        }
    }
}
