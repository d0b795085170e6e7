//! What a server may ask of tern while it works: its roots, a form for the person to fill in, an
//! answer of the model. And what it tells: progress, words for the log, that its lists changed.
//!
//! *Invariant:* a server is heard only while a call to it runs, one question at a time; at any
//! other time a form is declined and the model is refused, without anybody being asked.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult,
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability, ErrorData,
    Implementation, ListRootsResult, LoggingLevel, LoggingMessageNotificationParam,
    ProgressNotificationParam, ProgressToken, ProtocolVersion, Role, Root, SamplingMessage,
    SamplingMessageContentBlock, UrlElicitationCapability,
};
use rmcp::model::{FormElicitationCapability, InputRequest};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::mcp::schema::{shorten, visible};

/// Who answers for the person. The agent is it in a session.
#[async_trait]
pub trait Host: Send + Sync + std::fmt::Debug {
    /// Shows the form and waits for the person.
    async fn elicit(&self, server: &str, form: Form) -> Elicited;

    /// Asks the person whether the server may have the model's answer, and gets it.
    ///
    /// Errors: a sentence for the server.
    async fn sample(&self, server: &str, ask: Sampling) -> Result<Sampled, String>;
}

/// A form, or an address to visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    pub message: String,
    pub fields: Vec<Field>,
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub title: String,
    pub description: String,
    pub kind: FieldKind,
    pub required: bool,
    pub default: Option<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    Text,
    Number,
    Integer,
    Flag,
    /// Values and the words for them.
    One(Vec<(String, String)>),
    Many(Vec<(String, String)>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Elicited {
    Accept(Map<String, Value>),
    Decline,
    Cancel,
}

/// What a server wants the model to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    pub system: Option<String>,
    /// Who said it (`user` or `assistant`) and what.
    pub messages: Vec<(String, String)>,
    pub max_tokens: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    pub model: String,
    pub text: String,
}

/// What a server told without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    ListsChanged,
}

#[derive(Debug)]
pub struct Shared {
    pub server: String,
    pub roots: Vec<PathBuf>,
    pub host: Option<Arc<dyn Host>>,
    pub told: mpsc::Sender<Told>,
    running: AtomicUsize,
    asking: AtomicUsize,
    progress: Mutex<HashMap<ProgressToken, mpsc::Sender<String>>>,
    life: Mutex<Instant>,
}

/// Fields of a form; more is no form a person fills in.
const MOST_FIELDS: usize = 40;
const LONGEST: usize = 4 * 1024;
/// Bytes of text that a server may put before the model.
const MOST_SAMPLED: usize = 64 * 1024;
const MOST_TOKENS: u32 = 8_192;

impl Shared {
    pub fn new(
        server: &str,
        roots: Vec<PathBuf>,
        host: Option<Arc<dyn Host>>,
        told: mpsc::Sender<Told>,
    ) -> Shared {
        Shared {
            server: server.to_owned(),
            roots,
            host,
            told,
            running: AtomicUsize::new(0),
            asking: AtomicUsize::new(0),
            progress: Mutex::default(),
            life: Mutex::new(Instant::now()),
        }
    }

    /// The server has given a sign of life.
    fn alive(&self) {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When it last did; now, while a person is being asked for it.
    pub fn last_life(&self) -> Instant {
        if self.asking.load(Ordering::Relaxed) > 0 {
            self.alive();
        }
        *self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> std::sync::MutexGuard<'_, HashMap<ProgressToken, mpsc::Sender<String>>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn answer(&self, request: InputRequest) -> Result<Value, ErrorData> {
        let json = |value: Result<Value, serde_json::Error>| {
            value.map_err(|error| ErrorData::internal_error(error.to_string(), None))
        };
        match request {
            InputRequest::Elicitation(request) => {
                json(serde_json::to_value(self.elicit(request.params).await))
            }
            InputRequest::CreateMessage(request) => {
                json(serde_json::to_value(self.sample(request.params).await?))
            }
            InputRequest::ListRoots(_) => json(serde_json::to_value(self.roots())),
            _ => Err(ErrorData::invalid_request("this cannot be asked", None)),
        }
    }

    fn roots(&self) -> ListRootsResult {
        let root = |path: &PathBuf| {
            let uri = url::Url::from_file_path(path).ok()?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            Some(Root::new(uri.to_string()).with_name(name.unwrap_or_default()))
        };
        ListRootsResult::new(self.roots.iter().filter_map(root).collect())
    }

    /// One question at a time, and only in a call.
    fn may_ask(&self) -> Option<(Asking<'_>, Arc<dyn Host>)> {
        let host = self.host.clone()?;
        if self.running.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let free = self.asking.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
        free.is_ok().then(|| (Asking(self), host))
    }

    async fn elicit(&self, params: ElicitRequestParams) -> ElicitResult {
        let Some((_asking, host)) = self.may_ask() else {
            return ElicitResult::new(ElicitationAction::Decline);
        };
        let Some(form) = form(params) else {
            return ElicitResult::new(ElicitationAction::Decline);
        };
        match host.elicit(&self.server, form).await {
            Elicited::Accept(content) => {
                ElicitResult::new(ElicitationAction::Accept).with_content(Value::Object(content))
            }
            Elicited::Decline => ElicitResult::new(ElicitationAction::Decline),
            Elicited::Cancel => ElicitResult::new(ElicitationAction::Cancel),
        }
    }

    async fn sample(
        &self,
        params: CreateMessageRequestParams,
    ) -> Result<CreateMessageResult, ErrorData> {
        let refused = |why: String| ErrorData::invalid_request(why, None);
        let Some((_asking, host)) = self.may_ask() else {
            return Err(refused("the model cannot be asked now".to_owned()));
        };
        let ask = sampling(params).map_err(refused)?;
        let sampled = host.sample(&self.server, ask).await.map_err(refused)?;
        let block = SamplingMessageContentBlock::text(sampled.text);
        let message = SamplingMessage::new(Role::Assistant, block);
        let result = CreateMessageResult::new(message, sampled.model);
        Ok(result.with_stop_reason(CreateMessageResult::STOP_REASON_END_TURN))
    }
}

/// Held while a person is asked.
struct Asking<'a>(&'a Shared);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.store(0, Ordering::Relaxed);
        self.0.alive();
    }
}

/// Held while a call runs.
#[derive(Debug)]
pub struct Running<'a> {
    shared: &'a Shared,
    token: Option<ProgressToken>,
}

impl<'a> Running<'a> {
    pub fn new(shared: &'a Shared) -> Running<'a> {
        shared.running.fetch_add(1, Ordering::Relaxed);
        shared.alive();
        Running { shared, token: None }
    }

    /// Progress that carries `token` goes to `pieces`.
    pub fn listen(&mut self, token: ProgressToken, pieces: mpsc::Sender<String>) {
        self.quiet();
        self.shared.listeners().insert(token.clone(), pieces);
        self.token = Some(token);
    }

    fn quiet(&mut self) {
        if let Some(token) = self.token.take() {
            self.shared.listeners().remove(&token);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.quiet();
        self.shared.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The protocol library's side of it.
#[derive(Debug, Clone)]
pub struct Handler(pub Arc<Shared>);

impl rmcp::ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::builder().enable_roots().build();
        if self.0.host.is_some() {
            capabilities.sampling = Some(Default::default());
            let forms = FormElicitationCapability::new().with_schema_validation(true);
            let mut elicitation = ElicitationCapability::new().with_form(forms);
            elicitation.url = Some(UrlElicitationCapability::new());
            capabilities.elicitation = Some(elicitation);
        }
        let own = Implementation::new("tern", env!("CARGO_PKG_VERSION"));
        let mut config = ClientConfig::new(capabilities, own);
        config.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
        config
    }

    async fn list_roots(
        &self,
        _context: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(self.0.roots())
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        tokio::select! {
            result = self.0.elicit(request) => Ok(result),
            () = context.ct.cancelled() => Ok(ElicitResult::new(ElicitationAction::Cancel)),
        }
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        tokio::select! {
            result = self.0.sample(params) => result,
            () = context.ct.cancelled() => Err(ErrorData::invalid_request("cancelled", None)),
        }
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.0.alive();
        let listener = self.0.listeners().get(&params.progress_token).cloned();
        if let Some(pieces) = listener {
            // A full channel drops it: the next one says more.
            let _ = pieces.try_send(progress(&params));
        }
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let text = match &params.data {
            Value::String(text) => text.clone(),
            data => data.to_string(),
        };
        let (server, text) = (&self.0.server, shorten(&text, LONGEST));
        match params.level {
            LoggingLevel::Debug | LoggingLevel::Info | LoggingLevel::Notice => {
                tracing::debug!("{server}: {text}");
            }
            _ => tracing::warn!("{server}: {text}"),
        }
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        // A full channel holds this very news already.
        let _ = self.0.told.try_send(Told::ListsChanged);
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        let _ = self.0.told.try_send(Told::ListsChanged);
    }
}

fn progress(params: &ProgressNotificationParam) -> String {
    let message = params.message.as_deref().map(|text| shorten(text, 500)).unwrap_or_default();
    let count = match params.total {
        Some(total) if total > 0.0 => format!("{} of {total}", params.progress),
        _ => params.progress.to_string(),
    };
    if message.is_empty() { format!("{count}\n") } else { format!("{count}: {message}\n") }
}

fn form(params: ElicitRequestParams) -> Option<Form> {
    match params {
        ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
            let schema = serde_json::to_value(requested_schema).ok()?;
            let message = shorten(&visible(&message), LONGEST);
            Some(Form { message, fields: fields(&schema)?, url: None })
        }
        ElicitRequestParams::UrlElicitationParams { message, url, .. } => {
            let parsed = url::Url::parse(&url).ok()?;
            if !matches!(parsed.scheme(), "http" | "https") {
                return None;
            }
            let message = shorten(&visible(&message), LONGEST);
            Some(Form { message, fields: Vec::new(), url: Some(parsed.to_string()) })
        }
        _ => None,
    }
}

/// `None`: too many to be a form.
fn fields(schema: &Value) -> Option<Vec<Field>> {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if properties.len() > MOST_FIELDS {
        return None;
    }
    let field = |(name, property): (&String, &Value)| {
        let words = |key: &str| shorten(&visible(property[key].as_str().unwrap_or_default()), 500);
        let title = words("title");
        Field {
            name: name.clone(),
            title: if title.is_empty() { visible(name) } else { title },
            description: words("description"),
            kind: kind(property),
            required: required.contains(&name.as_str()),
            default: property.get("default").filter(|value| !value.is_null()).cloned(),
        }
    };
    Some(properties.iter().map(field).collect())
}

fn kind(property: &Value) -> FieldKind {
    match property["type"].as_str() {
        Some("boolean") => FieldKind::Flag,
        Some("integer") => FieldKind::Integer,
        Some("number") => FieldKind::Number,
        Some("array") => FieldKind::Many(options(&property["items"])),
        _ => {
            let options = options(property);
            if options.is_empty() { FieldKind::Text } else { FieldKind::One(options) }
        }
    }
}

/// Values to choose from: a plain list, one with names beside it, or constants with titles.
fn options(schema: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(|text| shorten(text, 200));
    if let Some(values) = schema["enum"].as_array() {
        let names = &schema["enumNames"];
        return values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| {
                let name = text(&names[index]).or_else(|| text(value))?;
                Some((value.as_str()?.to_owned(), visible(&name)))
            })
            .collect();
    }
    let titled = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    titled
        .into_iter()
        .flatten()
        .filter_map(|option| {
            let value = option["const"].as_str()?;
            Some((value.to_owned(), visible(&text(&option["title"])?)))
        })
        .collect()
}

fn sampling(params: CreateMessageRequestParams) -> Result<Sampling, String> {
    if params.tools.is_some_and(|tools| !tools.is_empty()) {
        return Err("tools are not lent to the model of another".to_owned());
    }
    let mut messages = Vec::new();
    let mut size = params.system_prompt.as_ref().map_or(0, String::len);
    for message in params.messages {
        let role = if message.role == Role::Assistant { "assistant" } else { "user" };
        for block in message.content.into_vec() {
            let SamplingMessageContentBlock::Text(text) = block else {
                return Err("only text can be asked".to_owned());
            };
            size += text.text.len();
            messages.push((role.to_owned(), text.text));
        }
    }
    if size > MOST_SAMPLED {
        return Err(format!("that is more than {MOST_SAMPLED} bytes of text"));
    }
    let max_tokens = params.max_tokens.clamp(1, MOST_TOKENS);
    Ok(Sampling { system: params.system_prompt, messages, max_tokens })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_are_read() {
        let params = serde_json::from_value(json!({
            "message": "Who?",
            "requestedSchema": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "title": "Your name", "default": "Ann"},
                "age": {"type": "integer", "description": "in years"},
                "ok": {"type": "boolean"},
                "colour": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]},
            }}
        }))
        .unwrap();
        let form = form(params).unwrap();
        let named = |name: &str| form.fields.iter().find(|field| field.name == name).unwrap();
        assert_eq!((form.message.as_str(), form.fields.len()), ("Who?", 4));
        assert_eq!((named("name").title.as_str(), named("name").required), ("Your name", true));
        assert_eq!(named("name").default, Some("Ann".into()));
        assert_eq!((&named("age").kind, named("age").required), (&FieldKind::Integer, false));
        assert_eq!(named("ok").kind, FieldKind::Flag);
        let options = [("r", "Red"), ("g", "Green")].map(|(v, n)| (v.to_owned(), n.to_owned()));
        assert_eq!(named("colour").kind, FieldKind::One(options.into()));
    }

    #[test]
    fn an_address_that_is_none_is_no_form() {
        for (url, is) in [("https://a/b", true), ("javascript:alert(1)", false), ("x", false)] {
            let params = json!({"mode": "url", "message": "", "url": url, "elicitationId": "1"});
            let params: ElicitRequestParams = serde_json::from_value(params).unwrap();
            assert_eq!(form(params).is_some(), is, "{url}");
        }
    }
}
