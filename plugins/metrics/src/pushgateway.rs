//! Pushes to a Pushgateway.

use std::time::Duration;

use janitor_plugin_api::Error;
use ureq::Agent;

/// A group of metrics at a Pushgateway.
pub(crate) struct Pushgateway {
    url: String,
    timeout: Duration,
    agent: Agent,
}

/// Octets of an answer that are read for its first line.
const MAX_ANSWER: u64 = 16 << 10;

impl Pushgateway {
    /// The group of `job` and `instance` at `url`. A push takes at most `timeout`.
    ///
    /// # Errors
    ///
    /// What is no URL that can be pushed to.
    pub(crate) fn new(
        url: &str,
        job: &str,
        instance: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        const CANNOT: &str = "cannot use pushgateway";
        let hint = "write it as http://HOST:PORT";
        if url.starts_with("https://") {
            let hint = "push to one on this machine or in a network of your own, put a proxy that adds TLS in between, or use textfile";
            return Err(Error::config(CANNOT, "this plugin has no TLS").hint(hint));
        }
        let Some(authority) = url.strip_prefix("http://").filter(|rest| !rest.is_empty()) else {
            return Err(Error::config(CANNOT, "it is no URL of the scheme http").hint(hint));
        };
        if authority.contains(['@', '?', '#']) {
            let why = "it has more than host, port and path; without TLS a password would be for all to read";
            return Err(Error::config(CANNOT, why).hint(hint));
        }
        let mut url = format!("{}/metrics/job/{job}", url.trim_end_matches('/'));
        if let Some(instance) = instance {
            url.push_str(&format!("/instance/{instance}"));
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // Followed, a push would become a request to read, and its answer look like success.
            .max_redirects(0)
            // A proxy of the environment is meant for the world outside.
            .proxy(None)
            .build();
        Ok(Self {
            url,
            timeout,
            agent: agent.into(),
        })
    }

    /// Replaces all metrics of the group by those of `text`: a zone that is gone is gone there, too.
    ///
    /// # Errors
    ///
    /// That it cannot be reached, or does not take them.
    pub(crate) fn push(&self, text: &str) -> Result<(), Error> {
        let cannot = || format!("cannot push to {}", self.url);
        let mut answer = self
            .agent
            .put(&self.url)
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .send(text)
            .map_err(|error| match error {
                ureq::Error::Io(error) => Error::retry(cannot(), error),
                ureq::Error::Timeout(_) => {
                    let seconds = self.timeout.as_secs_f64();
                    Error::retry(cannot(), format!("it did not answer within {seconds} s"))
                }
                error => Error::retry(cannot(), error),
            })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let why = match answer.headers().get("location") {
            Some(elsewhere) if status.is_redirection() => {
                let elsewhere = String::from_utf8_lossy(elsewhere.as_bytes());
                format!("it answers {status} and points to {elsewhere}, which is not followed")
            }
            _ => {
                let body = answer.body_mut().with_config().limit(MAX_ANSWER);
                let body = body.lossy_utf8(true).read_to_string().unwrap_or_default();
                let line = body.lines().next().unwrap_or_default();
                format!("it answers {status}: {line}")
            }
        };
        Err(Error::retry(cannot(), why.trim_end_matches(": ")))
    }
}
