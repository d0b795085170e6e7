//! What a server's error means: from a status, a body in any of the shapes that servers use, or an
//! error event in the middle of a stream, to an [`ApiError`] with a sentence and hints.

use serde_json::Value;

use crate::api::limits::limits;
use crate::api::{ApiError, ApiErrorKind, Limits};

/// Characters of a server's own words that are passed on.
const DETAIL: usize = 400;

/// The error that a body or an error event holds. `status` is `None` in mid-stream.
pub fn from_value(status: Option<u16>, body: &Value) -> ApiError {
    let told = Told::of(body);
    let kind = classify(status, &told);
    let mut error = ApiError::new(kind, sentence(kind, status, &told.message));
    error.status = status;
    error.hints = hints(kind, &told.message);
    error.request_id = body.get("request_id").and_then(Value::as_str).map(str::to_owned);
    if matches!(kind, ApiErrorKind::PromptTooLong | ApiErrorKind::MaxTokensTooLarge) {
        error.limits = limits(body, &told.message);
    }
    // Two numbers say more than what a proxy wraps around them.
    if let (
        ApiErrorKind::PromptTooLong,
        Some(Limits { input: Some(input), window: Some(window), .. }),
    ) = (kind, error.limits)
    {
        let counts = format!("{input} tokens, and the window has {window}.");
        error.message = sentence(kind, status, &counts);
    }
    error
}

/// The error of a body that may be anything.
pub fn from_text(status: Option<u16>, body: &str) -> ApiError {
    match serde_json::from_str::<Value>(body) {
        Ok(value) => from_value(status, &value),
        Err(_) if looks_like_html(body) => {
            from_value(status, &Value::String("the answer is a web page".to_owned()))
        }
        Err(_) => from_value(status, &Value::String(body.to_owned())),
    }
}

/// An answer that is a web page: a wrong address, or the login page of a network.
pub fn web_page() -> ApiError {
    ApiError::new(
        ApiErrorKind::NotAnApi,
        "The server answered with a web page (text/html), not with a model's answer.",
    )
    .hint("Check `base-url`; a network's login page can answer like this, too.")
}

/// Bytes that are not what the wire format allows.
pub fn bad_stream(what: &str, excerpt: &str) -> ApiError {
    let excerpt = one_line(excerpt, 80);
    let excerpt = if excerpt.is_empty() { excerpt } else { format!(": {excerpt}") };
    ApiError::new(
        ApiErrorKind::BadStream,
        format!("The server's answer cannot be read ({what}){excerpt}"),
    )
    .hint("The server may speak another wire format than `api` says.")
}

/// The stream ended without its end mark.
pub fn cut() -> ApiError {
    ApiError::new(ApiErrorKind::Cut, "The server's answer broke off before its end.")
}

pub fn looks_like_html(body: &str) -> bool {
    body.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// `text` with every occurrence of `secret`, and anything that looks like a key, made unreadable.
pub fn scrub(text: &str, secret: Option<&str>) -> String {
    let mut text = match secret {
        Some(secret) if secret.len() >= 4 => text.replace(secret, "[key]"),
        _ => text.to_owned(),
    };
    let mut from = 0;
    while let Some(at) = text[from..].find("sk-").map(|at| at + from) {
        let end = text[at..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '.')))
            .map_or(text.len(), |end| at + end);
        let begins_a_word = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        if begins_a_word && end - at >= 12 {
            text.replace_range(at..end, "[key]");
        }
        from = (at + 3).min(text.len());
    }
    text
}

/// What a server said of its error, wherever it said it.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// `error.type`, `error.code`, `error.status` and the like, joined by spaces, in lower case.
    names: String,
    message: String,
}

impl Told {
    fn of(body: &Value) -> Told {
        // Google wraps its error in a list.
        let body = body.get(0).unwrap_or(body);
        // Anthropic and OpenAI: {"error": {..}}; Ollama: {"error": "text"}; a failed response of
        // OpenAI: {"response": {"error": {..}}}; FastAPI: {"detail": ..}; others: {"message": ..}.
        let error = [body.get("error"), body.pointer("/response/error"), body.get("detail")]
            .into_iter()
            .flatten()
            .find(|error| !error.is_null())
            .unwrap_or(body);
        let mut names = Vec::new();
        for key in ["type", "code", "status"] {
            match error.get(key) {
                Some(Value::String(name)) => names.push(name.to_lowercase()),
                Some(Value::Number(code)) => names.push(code.to_string()),
                _ => {}
            }
        }
        let message = match error {
            Value::String(text) => text.clone(),
            _ => error
                .get("message")
                .or_else(|| error.get("msg"))
                .or_else(|| body.get("message"))
                .and_then(Value::as_str)
                .map_or_else(
                    || if error.is_null() { String::new() } else { error.to_string() },
                    str::to_owned,
                ),
        };
        // OpenRouter: what the server behind it said.
        let upstream = error.pointer("/metadata/raw").and_then(Value::as_str).unwrap_or_default();
        let message = if upstream.is_empty() { message } else { format!("{message}: {upstream}") };
        Told { names: names.join(" "), message }
    }

    fn named(&self, any: &[&str]) -> bool {
        any.iter().any(|name| self.names.split(' ').any(|told| told == *name))
    }
}

fn classify(status: Option<u16>, told: &Told) -> ApiErrorKind {
    use ApiErrorKind as Kind;
    let text = told.message.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|phrase| text.contains(phrase));

    // What the text says comes first: a proxy passes any error on as a 400 or a 500 with the
    // original text inside.
    if !matches!(status, Some(401 | 403 | 413)) {
        if says(&[
            "input length and `max_tokens` exceed",
            "input length and max_tokens exceed",
            "max_tokens is too large",
            "'max_completion_tokens' is too large",
            "maximum allowed number of output tokens",
        ]) {
            return Kind::MaxTokensTooLarge;
        }
        if says(&["maximum context length", "max context length"]) {
            let limits = limits(&Value::Null, &told.message).unwrap_or_default();
            let fits = matches!((limits.input, limits.window), (Some(input), Some(window)) if input < window);
            return if fits { Kind::MaxTokensTooLarge } else { Kind::PromptTooLong };
        }
        if told.named(&["exceed_context_size_error", "context_length_exceeded"])
            || says(&[
                "prompt is too long",
                "input is too long",
                "exceed_context_size_error",
                "exceeds the available context size",
                "contextwindowexceedederror",
                "context_length_exceeded",
                "exceeds the context window",
                "input token count exceeds",
            ])
        {
            return Kind::PromptTooLong;
        }
    }
    if status == Some(402)
        || told.named(&["billing_error", "insufficient_quota", "insufficient_balance"])
        || says(&[
            "credit balance is too low",
            "insufficient balance",
            "exceeded your current quota",
            "specified api usage limits",
        ])
    {
        return Kind::Billing;
    }
    let about_model = says(&["model"])
        && says(&[
            "not found",
            "not exist",
            "invalid model",
            "unknown model",
            "not a valid model",
            "no such model",
        ]);
    if told.named(&["model_not_found"])
        || (matches!(status, None | Some(400 | 404 | 500)) && about_model)
        || (status == Some(404) && text.starts_with("model:"))
    {
        return Kind::UnknownModel;
    }
    // LiteLLM without a database knows one key, and says this to any other.
    if told.named(&["no_db_connection"]) {
        return Kind::Auth;
    }
    match status {
        Some(401) => Kind::Auth,
        Some(403 | 407) => Kind::Forbidden,
        Some(300..=399 | 404 | 405) => Kind::NotAnApi,
        Some(413) => Kind::TooLarge,
        Some(429) => Kind::RateLimit,
        Some(503 | 529) => Kind::Overloaded,
        // 408 and 409 are worth another try, as the 5xx are.
        Some(408 | 409 | 425 | 500..=599) => {
            if told.named(&["overloaded_error"]) {
                Kind::Overloaded
            } else {
                Kind::Server
            }
        }
        Some(_) => Kind::BadRequest,
        None => by_name(told),
    }
}

/// The kind of an error event in mid-stream, where there is no status to go by.
fn by_name(told: &Told) -> ApiErrorKind {
    use ApiErrorKind as Kind;
    if told.named(&["overloaded_error", "529", "503"]) {
        Kind::Overloaded
    } else if told.named(&["rate_limit_error", "rate_limit_exceeded", "429"]) {
        Kind::RateLimit
    } else if told.named(&["authentication_error", "401"]) {
        Kind::Auth
    } else if told.named(&["permission_error", "403"]) {
        Kind::Forbidden
    } else if told.named(&["request_too_large", "413"]) {
        Kind::TooLarge
    } else if told.named(&["invalid_request_error", "invalid_prompt", "400"]) {
        Kind::BadRequest
    } else {
        Kind::Server
    }
}

fn sentence(kind: ApiErrorKind, status: Option<u16>, detail: &str) -> String {
    let what = match kind {
        ApiErrorKind::Auth => "The server did not accept the key",
        ApiErrorKind::Billing => "The account has no credit left",
        ApiErrorKind::Forbidden if status == Some(407) => "The proxy asks for a login",
        ApiErrorKind::Forbidden => "The server does not allow this request",
        ApiErrorKind::UnknownModel => "The server does not know this model",
        ApiErrorKind::NotAnApi => "There is no model API at this address",
        ApiErrorKind::RateLimit => "Too many requests",
        ApiErrorKind::Overloaded => "The server is overloaded",
        ApiErrorKind::TooLarge => "The request is too large",
        ApiErrorKind::PromptTooLong => "The prompt is too long for the model's window",
        ApiErrorKind::MaxTokensTooLarge => "The answer asked for does not fit the model's window",
        ApiErrorKind::BadRequest => "The server rejected the request",
        ApiErrorKind::Server => "The server failed",
        ApiErrorKind::Connect => "There is no connection to the server",
        ApiErrorKind::HeaderTimeout | ApiErrorKind::IdleTimeout => "The server does not answer",
        ApiErrorKind::Cut => "The server's answer broke off",
        ApiErrorKind::BadStream => "The server's answer cannot be read",
    };
    let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
    match one_line(&scrub(detail, None), DETAIL) {
        detail if detail.is_empty() => format!("{what}{status}."),
        detail => format!("{what}{status}: {detail}"),
    }
}

fn hints(kind: ApiErrorKind, detail: &str) -> Vec<String> {
    let hint = match kind {
        ApiErrorKind::Auth => {
            "Check the key: `tern login PROVIDER` saves a new one; `key`, `key-command` and the environment come before it."
        }
        ApiErrorKind::Billing => "Add credit at the provider, or choose another model with /model.",
        ApiErrorKind::UnknownModel if detail.contains("pull") => {
            "Fetch the model with `ollama pull`, or choose another with /model."
        }
        ApiErrorKind::UnknownModel => {
            "`tern models` lists the known names; choose another with /model."
        }
        ApiErrorKind::NotAnApi => {
            "Check `base-url`: it includes /v1 for the openai wires and not for anthropic."
        }
        ApiErrorKind::Forbidden => "The key may lack the right to use this model or service.",
        ApiErrorKind::TooLarge => "Remove images or large texts, or /compact.",
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

/// White space becomes single spaces; a long text is cut.
fn one_line(text: &str, most: usize) -> String {
    // A hostile body may be long: only what can be shown is looked at.
    let head: String = text.chars().take(most * 4).collect();
    let words: Vec<&str> = head.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart_by_status_name_and_text() {
        use ApiErrorKind as Kind;
        for (status, body, kind) in [
            (
                Some(401),
                r#"{"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}"#,
                Kind::Auth,
            ),
            (
                Some(529),
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                Kind::Overloaded,
            ),
            (
                None,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                Kind::Overloaded,
            ),
            (None, r#"{"error":{"code":429,"message":"slow down"}}"#, Kind::RateLimit),
            (None, r#"{"error":{"message":"x"}}"#, Kind::Server),
            (
                None,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
                Kind::PromptTooLong,
            ),
            (
                Some(400),
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one"}}"#,
                Kind::BadRequest,
            ),
            (
                Some(400),
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API"}}"#,
                Kind::Billing,
            ),
            (Some(402), "", Kind::Billing),
            (
                Some(429),
                r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#,
                Kind::Billing,
            ),
            (Some(403), r#"{"error":{"type":"permission_error","message":"no"}}"#, Kind::Forbidden),
            (Some(407), "", Kind::Forbidden),
            (
                Some(404),
                r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-nope"}}"#,
                Kind::UnknownModel,
            ),
            (
                Some(404),
                r#"{"error":{"message":"model 'x' not found, try pulling it first","type":"not_found_error"}}"#,
                Kind::UnknownModel,
            ),
            (
                Some(404),
                r#"{"error":{"code":"model_not_found","message":"The model `x` does not exist"}}"#,
                Kind::UnknownModel,
            ),
            (
                Some(400),
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"anthropic_messages: Invalid model name passed in model=no-such-model."}}"#,
                Kind::UnknownModel,
            ),
            (
                Some(404),
                r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#,
                Kind::NotAnApi,
            ),
            (Some(404), "<html>nginx</html>", Kind::NotAnApi),
            (Some(302), "", Kind::NotAnApi),
            (
                Some(413),
                r#"{"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
                Kind::TooLarge,
            ),
            (Some(429), "", Kind::RateLimit),
            (Some(503), "<html>busy</html>", Kind::Overloaded),
            (Some(502), "<html>bad gateway</html>", Kind::Server),
            (Some(500), r#"{"detail":"boom"}"#, Kind::Server),
            (Some(408), "", Kind::Server),
            (Some(409), "", Kind::Server),
            (Some(418), "teapot", Kind::BadRequest),
            (
                Some(400),
                r#"[{"error":{"code":400,"message":"The input token count exceeds the maximum","status":"INVALID_ARGUMENT"}}]"#,
                Kind::PromptTooLong,
            ),
            (
                Some(500),
                r#"{"error":{"message":"litellm.ContextWindowExceededError: no"}}"#,
                Kind::PromptTooLong,
            ),
            (
                Some(400),
                r#"{"error":{"message":"Provider returned error","metadata":{"raw":"prompt is too long"}}}"#,
                Kind::PromptTooLong,
            ),
            (
                None,
                r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"slow"}}}"#,
                Kind::RateLimit,
            ),
        ] {
            let error = from_text(status, body);
            assert_eq!((error.kind, error.status), (kind, status), "{body}");
            assert!(
                error.message.ends_with(['.', '"']) || error.message.contains(": "),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn a_sentence_is_short_and_holds_no_key() {
        let error = from_text(
            Some(401),
            r#"{"error":{"message":"Incorrect API key provided:\n sk-proj-abcdefghijkl."}}"#,
        );
        assert_eq!(
            error.message,
            "The server did not accept the key (401): Incorrect API key provided: [key]"
        );
        assert_eq!(
            scrub("Bearer abcd1234 and abcd1234", Some("abcd1234")),
            "Bearer [key] and [key]"
        );
        assert_eq!(
            scrub("task-oriented-programming sk-short", None),
            "task-oriented-programming sk-short"
        );
        let wrapped = r#"{"error":{"message":"litellm.ContextWindowExceededError: OpenAIException - request (9030 tokens) exceeds the available context size (8192 tokens), try increasing it\nmodel=m."}}"#;
        assert_eq!(
            from_text(Some(400), wrapped).message,
            "The prompt is too long for the model's window (400): 9030 tokens, and the window has 8192."
        );
        let long = from_text(Some(500), &"word ".repeat(1_000_000));
        assert!(long.message.chars().count() < 500);
        assert_eq!(from_text(Some(500), "").message, "The server failed (500).");
    }
}
