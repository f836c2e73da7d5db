//! The handlers, in the order in which they are configured.

use std::io::{self, Write as _};

use super::entry::Entry;
use super::format::{Default, Format};
use super::syslog::Syslog;
use super::{Product, json};
use crate::config::{self, Handler, Logging, Output};
use crate::terminal::{self, Form};

/// Everybody who is told of an entry.
pub(super) struct Handlers(Vec<Target>);

enum Target {
    Stream(Stream),
    Syslog(Syslog),
    Stackdriver(Stackdriver),
}

/// Lines on standard error.
struct Stream {
    format: Format,
    form: Form,
    write: Box<dyn Fn(&str) + Send + Sync>,
}

/// Entries for the collectors of Google Cloud Logging, one on each line.
struct Stackdriver {
    settings: config::Stackdriver,
    /// What takes the place of the bare message, if `fmt` is configured.
    format: Option<Format>,
    host: String,
    output: Output,
}

impl Handlers {
    /// Starts every handler that is configured.
    ///
    /// # Errors
    ///
    /// The system's error if it has no more threads.
    pub(super) fn start(logging: &Logging, product: Product) -> io::Result<Self> {
        let has_stream = logging.handlers.contains(&Handler::Stream);
        let targets = logging.handlers.iter().map(|handler| {
            Ok(match handler {
                Handler::Stream => Target::Stream(Stream::new(logging, terminal::write)),
                Handler::Syslog => {
                    let stream = Stream::new(logging, terminal::write);
                    let fallback = move |entry: &Entry<'_>| stream.line(entry);
                    let fallback: Option<super::syslog::Fallback> = if has_stream {
                        None
                    } else {
                        Some(Box::new(fallback))
                    };
                    Target::Syslog(Syslog::start(logging, fallback)?)
                }
                Handler::Stackdriver => Target::Stackdriver(Stackdriver::new(logging, product)),
            })
        });
        Ok(Self(targets.collect::<io::Result<_>>()?))
    }

    /// The handlers `stream` alone, writing somewhere else.
    #[cfg(test)]
    pub(super) fn stream(
        logging: &Logging,
        write: impl Fn(&str) + Clone + Send + Sync + 'static,
    ) -> Self {
        let streams = logging.handlers.iter();
        let streams = streams.filter(|handler| **handler == Handler::Stream);
        Self(
            streams
                .map(|_| Target::Stream(Stream::new(logging, write.clone())))
                .collect(),
        )
    }

    /// Whether entries appear on standard error.
    pub(super) fn has_stream(&self) -> bool {
        let mut targets = self.0.iter();
        targets.any(|target| matches!(target, Target::Stream(_)))
    }

    /// Writes `entry` everywhere.
    pub(super) fn write(&self, entry: &Entry<'_>) {
        for target in &self.0 {
            match target {
                Target::Stream(stream) => (stream.write)(&stream.line(entry)),
                Target::Syslog(syslog) => syslog.send(entry, false),
                Target::Stackdriver(stackdriver) => stackdriver.write(entry),
            }
        }
    }

    /// Writes what stands on standard error already everywhere else.
    pub(super) fn tell(&self, entry: &Entry<'_>) {
        for target in &self.0 {
            match target {
                Target::Stream(_) => {}
                Target::Syslog(syslog) => syslog.send(entry, true),
                Target::Stackdriver(stackdriver) => stackdriver.write(entry),
            }
        }
    }

    /// Waits until everything is delivered, or given up and counted.
    pub(super) fn finish(&self) {
        for target in &self.0 {
            if let Target::Syslog(syslog) = target {
                syslog.finish();
            }
        }
    }
}

impl Stream {
    fn new(logging: &Logging, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            format: Format::new(
                logging.fmt.as_ref(),
                logging.datefmt.as_ref(),
                Default::Stream,
            ),
            form: terminal::form(),
            write: Box::new(write),
        }
    }

    fn line(&self, entry: &Entry<'_>) -> String {
        let mut line = match self.form {
            Form::Text => self.format.text(entry),
            Form::Json => json::line(entry),
        };
        line.push('\n');
        line
    }
}

impl Stackdriver {
    fn new(logging: &Logging, product: Product) -> Self {
        let format = logging
            .fmt
            .as_ref()
            .map(|fmt| Format::new(Some(fmt), logging.datefmt.as_ref(), Default::Stream));
        Self {
            settings: logging.stackdriver.clone(),
            format,
            host: super::host_name(),
            output: match product {
                Product::None => logging.stackdriver.output,
                Product::OnStandardOutput => Output::Stderr,
            },
        }
    }

    fn write(&self, entry: &Entry<'_>) {
        let message = self.format.as_ref().map(|format| format.text(entry));
        let mut line = json::structured(entry, message, &self.settings, &self.host);
        line.push('\n');
        match self.output {
            Output::Stderr => terminal::write(&line),
            Output::Stdout => {
                let mut out = io::stdout().lock();
                let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
                if written.is_err() {
                    // Nobody reads it any more. Standard error may still have a reader.
                    terminal::write(&line);
                }
            }
        }
    }
}
