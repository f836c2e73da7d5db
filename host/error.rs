//! Errors as operators see them.

use std::error::Error as StdError;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::logging;
use crate::problem::{Part, Problem, Problems, escape, json};
use crate::report::{exit, links};
use crate::terminal::{self, Form};

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration or the libraries have faults; nothing ran.
    #[error(transparent)]
    Problems(#[from] Problems),

    /// Plugins could not be created, although their configuration is not at fault.
    #[error(transparent)]
    NotCreated(Problems),

    /// A plan is not applied, or not written; nothing was published.
    #[error(transparent)]
    Plan(Problems),

    /// Everything is in order but the state directory; nothing ran.
    #[error(transparent)]
    Refused(Problems),

    /// `core.plugins` lists nothing that could run; nothing ran.
    #[error("No plugins to run, exiting.")]
    NoPlugins {
        /// Why plugins that are listed were passed over.
        warnings: Vec<Problem>,
    },

    /// Something failed. The chain of its sources says what, one fact per link.
    #[error("{what}")]
    Failed {
        /// `cannot <verb> <thing>`
        what: String,
        /// What to do, if it is not obvious.
        hint: Option<String>,
        /// Why.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
}

impl Error {
    /// A failure: `cannot <verb> <thing>`, because of `source`.
    pub fn failed(
        what: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            what: what.into(),
            hint: None,
            source: Some(source.into()),
        }
    }

    /// Adds what to do to a failure.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Failed { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// The status that the program ends with: 2 when nothing ran because of
    /// the configuration, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Problems(_) | Self::NoPlugins { .. } => exit::CONFIGURATION,
            Self::NotCreated(_) | Self::Plan(_) | Self::Refused(_) | Self::Failed { .. } => {
                exit::FAILED
            }
        }
    }

    /// The problems that it is made of, and the sentence that sums it up.
    fn parts(&self) -> (&[Problem], String, Vec<String>, Option<&str>) {
        const NAME_THEM: &str = "name them: core.plugins = [\"files.zones\", …]; gordon-janitor plugins list shows what is installed";
        match self {
            Self::Problems(problems) | Self::NotCreated(problems) | Self::Refused(problems) => {
                (problems.list(), problems.closing(), Vec::new(), None)
            }
            Self::Plan(problems) => (
                problems.list(),
                "nothing was published".to_owned(),
                Vec::new(),
                None,
            ),
            Self::NoPlugins { warnings } => {
                (warnings, self.to_string(), Vec::new(), Some(NAME_THEM))
            }
            Self::Failed { hint, source, .. } => {
                let links = source.as_deref().map(|source| links(source));
                let links = links.unwrap_or_default();
                (&[], self.to_string(), links, hint.as_deref())
            }
        }
    }

    /// The whole text, several lines, with styles.
    fn styled(&self) -> String {
        let (problems, summary, causes, hint) = self.parts();
        let mut out = String::new();
        for problem in problems {
            problem.write(&mut out, &paint);
        }
        let summary = escape(&summary);
        let summary = match self {
            Self::Failed { .. } => paint(Part::Summary, &summary),
            _ => summary,
        };
        out.push_str(&format!("{} {summary}\n", paint(Part::Error, "error:")));
        for cause in causes {
            let label = paint(Part::Label, "caused by:");
            out.push_str(&format!("  {label} {}\n", escape(&cause)));
        }
        if let Some(hint) = hint {
            let label = paint(Part::Label, "hint:");
            out.push_str(&format!("{label} {}\n", escape(hint)));
        }
        out
    }

    /// The same as lines of JSON.
    fn json(&self) -> String {
        let (problems, summary, causes, hint) = self.parts();
        let problems = problems.iter().map(json::problem);
        problems
            .chain([json::error(&summary, &causes, hint)])
            .collect()
    }
}

/// Prints `error` on standard error, tells the log handlers, and returns the status to end with.
#[must_use]
pub fn print(error: &Error) -> ExitCode {
    terminal::progress(None);
    match terminal::form() {
        Form::Text => terminal::write_styled(&error.styled()),
        Form::Json => terminal::write(&error.json()),
    }
    let (problems, summary, causes, _) = error.parts();
    problems.iter().for_each(logging::tell);
    logging::tell_error(&[&[summary], causes.as_slice()].concat().join(": "));
    ExitCode::from(error.exit_code())
}

/// Prints on standard error what made a run fail: texts, and what to do where that is known.
pub fn print_causes(causes: &[(String, Option<String>)]) {
    if terminal::form() == Form::Json {
        let lines = causes
            .iter()
            .map(|(text, hint)| json::error(text, &[], hint.as_deref()));
        return terminal::write(&lines.collect::<String>());
    }
    let (error, label) = (paint(Part::Error, "error:"), paint(Part::Label, "hint:"));
    let mut out = String::new();
    for (text, hint) in causes {
        out.push_str(&format!("{error} {}\n", escape(text)));
        if let Some(hint) = hint {
            out.push_str(&format!("{label} {}\n", escape(hint)));
        }
    }
    terminal::write_styled(&out);
}

/// Prints warnings on standard error, and tells the log handlers.
pub fn print_warnings(warnings: &[Problem]) {
    for warning in warnings {
        say(warning);
        logging::tell(warning);
    }
}

/// Prints a problem on standard error, and nowhere else.
pub(crate) fn say(problem: &Problem) {
    match terminal::form() {
        Form::Json => terminal::write(&json::problem(problem)),
        Form::Text => {
            let mut out = String::new();
            problem.write(&mut out, &paint);
            terminal::write_styled(&out);
        }
    }
}

/// Prints a progress report on standard error, and nowhere else.
pub(crate) fn say_progress(lines: &[String]) {
    match terminal::form() {
        Form::Json => terminal::write(&json::progress(lines)),
        Form::Text => {
            let lines = lines.iter().map(|line| format!("  {}\n", escape(line)));
            let block = format!("progress report\n{}", lines.collect::<String>());
            terminal::write(&block);
        }
    }
}

fn paint(part: Part, text: &str) -> String {
    let style = match part {
        Part::Error => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
        Part::Warning => Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())),
        Part::Summary => Style::new().bold(),
        Part::Label => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
        Part::Excerpt => Style::new().dimmed(),
    };
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::problem::Code;

    fn text(error: &Error) -> String {
        anstream::adapter::strip_str(&error.styled()).to_string()
    }

    #[test]
    fn a_failure_is_printed_one_fact_per_line() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read key file `keys/dns.json`")]
        struct Read(#[source] io::Error);

        let denied = io::Error::new(
            io::ErrorKind::PermissionDenied,
            "permission denied (os error 13)",
        );
        let error =
            Error::failed("cannot start plugin `gcp.gdns`", Read(denied)).hint("make it readable");
        assert_eq!(
            text(&error),
            "error: cannot start plugin `gcp.gdns`\n  caused by: cannot read key file `keys/dns.json`\n  \
             caused by: permission denied (os error 13)\nhint: make it readable\n"
        );
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn problems_are_followed_by_their_number_and_exit_with_2() {
        let found = vec![
            Problem::error(Code::WrongType, "one"),
            Problem::error(Code::WrongValue, "two"),
        ];
        let error = Error::from(Problems::check(found).unwrap_err());
        assert_eq!(
            text(&error),
            "error[GJ403]: one\nerror[GJ404]: two\nerror: 2 errors; nothing was run\n"
        );
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn no_plugins_keeps_the_words_of_the_original() {
        let error = Error::NoPlugins {
            warnings: Vec::new(),
        };
        assert!(
            text(&error).starts_with("error: No plugins to run, exiting.\n"),
            "{}",
            text(&error)
        );
        assert_eq!(error.exit_code(), 2);
    }
}
