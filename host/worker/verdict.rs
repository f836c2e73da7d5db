//! What became of a worker that ended without its report, as operators read it.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::link::{Doing, Operation};
use crate::crash::{self, Event, Record};
use crate::loaded::HOW_TO_INSTALL;
use crate::problem::{Code, Problem};

/// What is known of a worker when it is gone.
#[derive(Debug)]
pub(super) struct Remains {
    /// What its threads were doing, by their numbers.
    pub(super) under_way: BTreeMap<i32, Operation>,
    /// Files of libraries under way that were written over while they were loaded.
    pub(super) written_over: Vec<String>,
    /// Its last words.
    pub(super) record: Option<Record>,
    /// Whether changes had begun to go to publishers.
    pub(super) publishing: bool,
    /// Whether it had been asked to end.
    pub(super) cancelled: bool,
    /// Why its parent ended it, if it did.
    pub(super) ended_by_us: Option<Overdue>,
    /// How it ended.
    pub(super) status: ExitStatus,
}

/// What the parent does not wait for any longer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Overdue {
    /// A library is being opened.
    Opening(Operation, Duration),
    /// The worker itself, although it was asked to end or has nothing left to do.
    Worker,
}

/// Why a run failed that its worker did not report on.
#[derive(Debug)]
pub(super) struct Verdict {
    /// For people.
    pub(super) problem: Problem,
    /// In which operation, if that is certain.
    pub(super) culprit: Option<Operation>,
    /// In a word: a signal's name, `exit(3)`, `no end of opening`.
    pub(super) cause: String,
    /// Whether it only did what a signal asks for.
    pub(super) cancelled: bool,
}

/// Signals that an operator or the service manager sends to end a process.
const REQUESTS: [i32; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

impl Remains {
    pub(super) fn judge(self) -> Verdict {
        match (&self.ended_by_us, self.status.signal(), self.status.code()) {
            (Some(Overdue::Opening(operation, limit)), _, _) => self.slow(operation, *limit),
            (Some(Overdue::Worker), _, _) => self.stuck(),
            (None, Some(signal), _) if self.cancelled && REQUESTS.contains(&signal) => {
                self.cancelled(signal)
            }
            (None, Some(signal), _) => match self.record.as_ref().map(|record| record.event) {
                Some(Event::Signal { number, address }) => self.crashed(number, address, signal),
                _ if crash::SIGNALS.contains(&signal) => self.crashed(signal, None, signal),
                _ => self.killed(signal),
            },
            (None, None, Some(code)) if self.somebody_exited() => self.exited(code),
            (None, None, code) => self.silent(code.unwrap_or_default()),
        }
    }

    /// The operation of the thread that the record is about, or of the only one it can have come from:
    /// a thread has the name of the thread that made it, unless it is given another.
    fn culprit(&self) -> Option<&Operation> {
        let record = self.record.as_ref()?;
        if let Some(operation) = self.under_way.get(&record.thread) {
            return Some(operation);
        }
        let mut alike = self.under_way.values().filter(|operation| {
            matches!(operation.plugins.as_slice(), [key] if crash::thread_name(key) == record.name)
        });
        alike.next().filter(|_| alike.next().is_none())
    }

    fn somebody_exited(&self) -> bool {
        let by_record = matches!(
            &self.record,
            Some(Record { event: Event::Exit, .. }) if self.culprit().is_some()
        );
        // What calls `_exit` leaves no record.
        by_record || (self.record.is_none() && !self.under_way.is_empty())
    }

    fn crashed(&self, signal: i32, address: Option<u64>, ended_by: i32) -> Verdict {
        let name = crash::name_of(signal);
        // The standard library's handler knows the end of a stack, and then aborts.
        let what = if signal != ended_by && ended_by == libc::SIGABRT {
            format!("{name}, a stack overflow")
        } else {
            name.to_owned()
        };
        let (summary, because) = match self.culprit() {
            Some(operation) => (
                format!(
                    "{} crashed while {}: {what}",
                    who(operation),
                    doing(operation)
                ),
                "this is a fault in the plugin; it ended the worker process, and with it the run",
            ),
            None => (
                format!("the worker process crashed: {what}"),
                "a plugin, or a library that it uses, has a fault; which one is not certain",
            ),
        };
        let mut problem = self.place(Problem::error(Code::Crashed, summary));
        match (address, signal) {
            (Some(address), libc::SIGSEGV | libc::SIGBUS) => {
                let meaning = match address {
                    0..4096 => ", which is a null pointer or close to one",
                    _ => "",
                };
                problem = problem.found(format!("it touched the address {address:#x}{meaning}"));
            }
            (_, libc::SIGABRT) => {
                problem = problem.found("it called abort; standard error may say why, above");
            }
            _ => {}
        }
        let because = match self.written_over.as_slice() {
            [] => because.to_owned(),
            files => format!(
                "the code of {} is read from its file while it runs, and was another one all of a sudden (GJ303)",
                files.join(", ")
            ),
        };
        self.verdict(problem.because(because), name.to_owned())
    }

    fn exited(&self, code: i32) -> Verdict {
        let summary = match self.culprit() {
            Some(operation) => format!(
                "{} called exit({code}) while {}",
                who(operation),
                doing(operation)
            ),
            None => format!("the worker process was ended by exit({code}) before the run was over"),
        };
        let mut problem = self.place(Problem::error(Code::CalledExit, summary))
            .because("only gordon-janitor may end its process: the run is not over, whatever the status says");
        let opening = self
            .under_way
            .values()
            .any(|operation| operation.doing == Doing::Opening);
        if code == 127 && opening {
            problem = problem
                .note("the system's loader ends a process with 127 when a library is damaged");
        }
        self.verdict(problem, format!("exit({code})"))
    }

    fn slow(&self, operation: &Operation, limit: Duration) -> Verdict {
        let library = file_name(&operation.library);
        let problem = Problem::error(
            Code::SlowOpening,
            format!("{library} was not open after {limit:?}; the worker process was ended"),
        )
        .place(format!("{} {}", operation.library, operation.version))
        .because("its initialisers run while it is opened, and nothing can interrupt them")
        .help(format!(
            "take {} out of core.plugins, and report it to whoever made the library",
            operation.plugins.join(", ")
        ));
        Verdict {
            problem,
            culprit: Some(operation.clone()),
            cause: "no end of opening".to_owned(),
            cancelled: false,
        }
    }

    fn stuck(&self) -> Verdict {
        let problem = Problem::error(
            Code::NoReport,
            "the worker process did not end when it had to, and was killed",
        );
        let problem = self.place(problem).because(
            "plugins may have taken its threads, its locks or its connection to this process",
        );
        Verdict {
            cancelled: self.cancelled,
            ..self.verdict(problem, "no end".to_owned())
        }
    }

    fn killed(&self, signal: i32) -> Verdict {
        let name = match crash::name_of(signal) {
            "a signal" => format!("signal {signal}"),
            name => name.to_owned(),
        };
        let problem = self.place(Problem::error(
            Code::NoReport,
            format!("the worker process was killed by {name} before it had reported"),
        ));
        let problem = match signal {
            libc::SIGKILL => problem
                .because("somebody sent it, or the system ran out of memory")
                .help("the system's log tells; with systemd: journalctl -k | grep -i oom"),
            _ => problem.because("somebody sent it, or a plugin did"),
        };
        self.verdict(problem, name)
    }

    fn silent(&self, code: i32) -> Verdict {
        let problem = self
            .place(Problem::error(
                Code::NoReport,
                format!("the worker process ended with {code} and did not report"),
            ))
            .because("this is a fault in gordon-janitor, or a plugin closed what they talk over");
        self.verdict(problem, format!("exit({code})"))
    }

    fn cancelled(&self, signal: i32) -> Verdict {
        let name = crash::name_of(signal);
        let problem = Problem::error(
            Code::NoReport,
            format!("the worker process was ended by {name}, as it was asked to"),
        );
        Verdict {
            cancelled: true,
            ..self.verdict(problem, name.to_owned())
        }
    }

    /// Where it happened, as far as that is known, and what had become of the libraries.
    fn place(&self, problem: Problem) -> Problem {
        let mut problem = self.whereabouts(problem);
        for file in &self.written_over {
            problem = problem.found(format!("{file} was written over while it was loaded"));
        }
        problem
    }

    fn whereabouts(&self, mut problem: Problem) -> Problem {
        let Some(operation) = self.culprit() else {
            if let Some(record) = &self.record {
                let (name, thread) = (&record.name, record.thread);
                problem = problem.place(format!("thread \"{name}\" (tid {thread})"));
            }
            for operation in self.under_way.values() {
                problem = problem.found(format!(
                    "{} was {} ({} {})",
                    who(operation),
                    operation.doing.text(),
                    operation.library,
                    operation.version
                ));
            }
            return problem;
        };
        let (library, version) = (&operation.library, &operation.version);
        // The kernel keeps no more than the beginning of a name, so a plugin's own thread has its key.
        let other = self
            .record
            .as_ref()
            .filter(|record| record.thread != operation.thread);
        problem.place(match (other, operation.doing) {
            (Some(Record { thread, name, .. }), _) => {
                format!("{library} {version}, a thread of its own named \"{name}\" (tid {thread})")
            }
            (None, Doing::Opening) => format!("{library} {version}"),
            (None, _) => format!(
                "{library} {version}, thread \"{}\" (tid {})",
                operation.plugins.join(", "),
                operation.thread
            ),
        })
    }

    fn verdict(&self, problem: Problem, cause: String) -> Verdict {
        let problem = problem.note(if self.publishing {
            "changes were being published: nobody can tell which of them were applied; look at the servers, or at gordon-janitor plan"
        } else {
            "nothing had been published: every zone stays as it is"
        });
        let culprit = self.culprit().cloned();
        let problem = match &culprit {
            _ if !self.written_over.is_empty() => problem.help(HOW_TO_INSTALL),
            Some(operation) => problem.help(format!(
                "report it to whoever made {}; gordon-janitor run --in-process in a debugger shows the place",
                file_name(&operation.library)
            )),
            None => problem,
        };
        Verdict {
            problem,
            culprit,
            cause,
            cancelled: false,
        }
    }
}

/// A plugin by its key, a library that is being opened by its file.
fn who(operation: &Operation) -> String {
    match (operation.doing, operation.plugins.as_slice()) {
        (Doing::Opening, _) | (_, []) => file_name(&operation.library),
        (_, [key, ..]) => format!("plugin \"{key}\""),
    }
}

fn doing(operation: &Operation) -> String {
    format!("it was {}", operation.doing.text())
}

pub(super) fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
