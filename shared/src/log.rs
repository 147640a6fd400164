//! The one line that the log gets for each request: what was asked, what became of it, what it cost. It holds neither
//! headers nor a query, so no secret.
//!
//! In a Lambda the line is also a set of metrics for CloudWatch, in its embedded metric format.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::record::Done;

/// Where CloudWatch keeps the metrics.
const NAMESPACE: &str = "Perigee";

/// The method of what is no request: an event of the schedule or of the table's stream.
pub const EVENT: &str = "EVENT";

/// Who writes.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name of the function, or `local`.
    pub function: String,
    /// Name of the stack, whose metrics they are; `None` where there is no CloudWatch.
    pub stack: Option<String>,
}

/// A request that was answered, or an event that was handled.
#[derive(Clone, Debug)]
pub struct Line {
    /// As the client was told.
    pub request_id: String,
    /// As Lambda's own lines have it.
    pub lambda_id: Option<String>,
    /// Of HTTP, or [`EVENT`].
    pub method: String,
    pub path: String,
    pub status: u16,
    pub duration: Duration,
    /// The first of its environment.
    pub cold_start: bool,
    pub done: Done,
    /// Now, ms since 1970.
    pub now_ms: i64,
}

/// [`Line`] as it is written.
struct Written<'a> {
    line: &'a Line,
    source: &'a Source,
}

/// A metric: the name of a field and its unit.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

/// The fields of the line that are metrics.
static METRICS: [Metric; 4] = [
    Metric { name: "duration_ms", unit: "Milliseconds" },
    Metric { name: "errors", unit: "Count" },
    Metric { name: "gitlab_failures", unit: "Count" },
    Metric { name: "dynamodb_throttles", unit: "Count" },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Embedded {
    timestamp: i64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: &'static [Metric],
}

impl Line {
    /// The line as JSON.
    pub fn json(&self, source: &Source) -> String {
        serde_json::to_string(&Written { line: self, source }).unwrap_or_default()
    }

    /// Writes it to standard output, where Lambda takes its log from.
    pub fn write(&self, source: &Source) {
        let line = self.json(source) + "\n";
        // A log that cannot be written is no reason to fail a request.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }

    /// The same for people, by `tracing`.
    pub fn trace(&self, source: &Source) {
        let usage = &self.done.usage;
        tracing::info!(
            request_id = self.request_id,
            function = source.function,
            method = self.method,
            path = self.path,
            route = self.done.route,
            project = self.done.project.map(|project| project.0),
            status = self.status,
            duration_ms = self.milliseconds(),
            dynamodb_requests = usage.requests,
            read_units = usage.reads,
            write_units = usage.writes,
            gitlab_failures = self.done.gitlab_failures,
            dynamodb_throttles = self.done.dynamodb_throttles,
            "request"
        );
    }

    /// To the microsecond.
    fn milliseconds(&self) -> f64 {
        (self.duration.as_secs_f64() * 1e6).round() / 1e3
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { line, source } = self;
        let Done { usage, gitlab_failures, dynamodb_throttles, route, project } = &line.done;
        let mut fields = serializer.serialize_struct("Line", 20)?;
        fields.serialize_field("level", "INFO")?;
        fields.serialize_field("message", "request")?;
        fields.serialize_field("request_id", &line.request_id)?;
        fields.serialize_field("lambda_id", &line.lambda_id)?;
        fields.serialize_field("function", &source.function)?;
        fields.serialize_field("cold_start", &line.cold_start)?;
        fields.serialize_field("method", &line.method)?;
        fields.serialize_field("path", &line.path)?;
        fields.serialize_field("route", route)?;
        fields.serialize_field("project", &project.map(|project| project.0))?;
        fields.serialize_field("status", &line.status)?;
        fields.serialize_field("duration_ms", &line.milliseconds())?;
        fields.serialize_field("errors", &u8::from(line.status >= 500 && line.status != 501))?;
        fields.serialize_field("gitlab_failures", gitlab_failures)?;
        fields.serialize_field("dynamodb_throttles", dynamodb_throttles)?;
        fields.serialize_field("dynamodb_requests", &usage.requests)?;
        fields.serialize_field("read_units", &usage.reads)?;
        fields.serialize_field("write_units", &usage.writes)?;
        if let Some(stack) = &source.stack {
            // How long clients wait is not to be mixed with what nobody waits for.
            let metrics = if line.method == EVENT { &METRICS[1..] } else { &METRICS[..] };
            let directive = Directive { namespace: NAMESPACE, dimensions: [["stack"]], metrics };
            let embedded = Embedded { timestamp: line.now_ms, cloud_watch_metrics: [directive] };
            fields.serialize_field("stack", stack)?;
            fields.serialize_field("_aws", &embedded)?;
        }
        fields.end()
    }
}
