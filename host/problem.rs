//! What is wrong with a configuration or a library, as operators read it.
//!
//! The first line of a [`Problem`] is complete in itself, because a log may
//! show nothing else. Every further line starts with its own label, so that
//! lines of other programs in between do no harm.

use std::fmt;

use crate::config::Origin;

pub(crate) mod json;

/// Defines [`Code`]: one line per code, so that none is given out twice.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $text:literal,)+) => {
        /// A stable code: it never changes its meaning, and is never given out again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Code {
            /// Every code there is, ascending.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the code as it is printed: `GJ201`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// The file is not a shared library.
    NotALibrary = "GJ101",
    /// The library is cut short.
    Incomplete = "GJ102",
    /// The file cannot be opened, or is not a regular file.
    Unreadable = "GJ103",
    /// The library needs another major version of the plugin API, or has other types than it declares.
    ApiVersion = "GJ104",
    /// The library needs a newer glibc than this machine has.
    Glibc = "GJ105",
    /// The library is built for another machine.
    Machine = "GJ106",
    /// The system cannot load the library, a library that it needs is not found, or it has no entry point of ours.
    CannotOpen = "GJ107",
    /// The library would abort the process instead of reporting a panic.
    PanicStrategy = "GJ108",
    /// The library has no manifest, or one that cannot be read.
    Manifest = "GJ109",
    /// The file is larger than any library is allowed to be.
    TooLarge = "GJ110",
    /// The library lies on a file system that no code is loaded from.
    Noexec = "GJ111",
    /// The libraries need more room for static thread-locals than the loader may have.
    StaticTls = "GJ112",
    /// A plugin is not installed; a similar key is.
    NearMiss = "GJ201",
    /// A plugin is not installed.
    NotInstalled = "GJ202",
    /// Two libraries export one key.
    DuplicateKey = "GJ203",
    /// A role has no plugin.
    MissingRole = "GJ204",
    /// Two plugins are listed where there is room for one.
    CrowdedRole = "GJ205",
    /// The plugin directory cannot be read.
    PluginDirectory = "GJ206",
    /// A plugin is listed where its role has no place.
    MisplacedRole = "GJ207",
    /// Others could replace the library, or a file that decides about it.
    Untrusted = "GJ301",
    /// The library is not the one that was installed.
    Changed = "GJ302",
    /// The library was written over after it had been judged, or while it was loaded.
    WrittenOver = "GJ303",
    /// The library was replaced while it was being opened.
    Replaced = "GJ304",
    /// There is no configuration.
    NoConfiguration = "GJ400",
    /// A setting that nothing knows.
    UnknownSetting = "GJ401",
    /// A plugin is listed but has no table.
    MissingTable = "GJ402",
    /// A setting is not of the type that it needs.
    WrongType = "GJ403",
    /// A setting's value is not one of those it may have.
    WrongValue = "GJ404",
    /// A plugin's table is written in both spellings.
    BothSpellings = "GJ405",
    /// A plugin is listed twice.
    ListedTwice = "GJ406",
    /// A configuration file is not valid TOML.
    Syntax = "GJ407",
    /// A configuration file is there but cannot be read.
    UnreadableConfiguration = "GJ408",
    /// A plugin does not accept its configuration.
    Refused = "GJ409",
    /// A setting that has to be there is not.
    MissingSetting = "GJ410",
    /// A configuration file is larger than any is, or changed while it was read.
    UnfitConfiguration = "GJ411",
    /// Settings that exclude each other.
    Conflict = "GJ412",
    /// A plugin panicked while it was created.
    Panicked = "GJ501",
    /// The previous run crashed in a plugin.
    CrashedBefore = "GJ502",
    /// A plugin could not be created.
    NotCreated = "GJ503",
    /// The run ended by a crash.
    Crashed = "GJ504",
    /// A plugin called `exit`.
    CalledExit = "GJ505",
    /// The worker process ended without a report.
    NoReport = "GJ506",
    /// Opening a library took too long.
    SlowOpening = "GJ507",
    /// A plugin did not stop when it was asked to.
    DidNotStop = "GJ601",
    /// Nothing moves.
    Stalled = "GJ602",
    /// A plugin changed what belongs to the whole process.
    ProcessState = "GJ603",
    /// A log handler cannot be reached, or does not take all lines.
    LogUnreachable = "GJ701",
    /// The metrics relay cannot be used.
    MetricsRelay = "GJ702",
    /// Measurements were lost.
    MeasurementsLost = "GJ703",
    /// There is no history, because it cannot be kept where it should be.
    NoHistory = "GJ801",
    /// The history was written by a newer gordon-janitor.
    HistoryOfTheFuture = "GJ802",
    /// Another run has the state directory.
    Occupied = "GJ803",
    /// The history is damaged, or the file is something else.
    DamagedHistory = "GJ804",
    /// What is about to be published cannot be recorded.
    NotRecorded = "GJ805",
    /// What became of changes, or how a run ended, cannot be recorded.
    OutcomeNotRecorded = "GJ806",
    /// The history does not know what it was asked for.
    UnknownToHistory = "GJ807",
    /// The file is not a sealed plan, or one of another version.
    NotAPlan = "GJ811",
    /// The plan was damaged or edited after it had been sealed.
    DamagedPlan = "GJ812",
    /// The plan was made with another configuration.
    OtherPolicy = "GJ813",
    /// A zone is not as it was when the plan was made.
    ActualChanged = "GJ814",
    /// The plan was applied already, or another one that was made later.
    Superseded = "GJ815",
    /// A plan cannot be written to a file.
    PlanNotWritten = "GJ816",
    /// Nobody can tell whether a zone is as it was when the plan was made.
    NotConfirmed = "GJ817",
    /// A plan cannot be read from its file.
    UnreadablePlan = "GJ818",
    /// A publisher that a plan is for takes no part.
    AbsentPublisher = "GJ819",
    /// `--force` names a zone that is not in the run.
    ForcedUnknown = "GJ821",
    /// The changes of a zone break a limit.
    Withheld = "GJ822",
    /// The changes of all zones together break a limit.
    RunWithheld = "GJ823",
    /// A limit is off.
    LimitOff = "GJ824",
    /// A zone could lose everything, and nobody allowed that.
    Unguarded = "GJ825",
    /// No authority names a zone any more.
    Unnamed = "GJ826",
    /// A route leads to a plugin that is not there, or has another role.
    RouteToNobody = "GJ831",
    /// No route leads to a plugin that is listed.
    NoRouteTo = "GJ832",
    /// An authority named zones that it does not speak for.
    OutsideItsZones = "GJ833",
    /// A pattern stands for no zone of its authority.
    IdlePattern = "GJ834",
    /// Only authorities speak for zones.
    NotAnAuthority = "GJ835",
    /// An order of authorities names one that is not there.
    NobodyInOrder = "GJ836",
    /// Markers of another program are named in a way that nobody told this one of.
    UnknownMarkers = "GJ841",
    /// An entry of a scope stands for nothing that a zone holds.
    ScopeOfNothing = "GJ842",
    /// A change does not stick.
    DoesNotStick = "GJ851",
    /// A change that does not stick is not sent any more.
    NotSentAnyMore = "GJ852",
    /// There is nothing to undo.
    NothingToUndo = "GJ856",
    /// What is undone comes back with the next run.
    ComesBack = "GJ857",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the run can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing runs.
    Error,
    /// The run goes on, with less than was asked for.
    Warning,
}

/// One thing that is wrong, with its place and the next step.
#[derive(Clone, Debug)]
pub struct Problem {
    severity: Severity,
    code: Code,
    summary: String,
    place: Option<Origin>,
    setting: Option<String>,
    details: Vec<(&'static str, String)>,
}

impl Problem {
    /// An error with `summary` as its first line.
    #[must_use]
    pub fn error(code: Code, summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            summary: summary.into(),
            place: None,
            setting: None,
            details: Vec::new(),
        }
    }

    /// A warning with `summary` as its first line.
    #[must_use]
    pub fn warning(code: Code, summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, summary)
        }
    }

    /// Points at a value in a configuration file; its line is shown.
    #[must_use]
    pub fn at(mut self, place: &Origin, setting: impl Into<String>) -> Self {
        self.place = Some(place.clone());
        self.setting = Some(setting.into());
        self
    }

    /// Says where, when the place is not a value in a configuration file.
    #[must_use]
    pub fn place(self, text: impl fmt::Display) -> Self {
        self.detail("where", text)
    }

    /// Says what was found.
    #[must_use]
    pub fn found(self, text: impl fmt::Display) -> Self {
        self.detail("found", text)
    }

    /// Adds what comes of the same cause.
    #[must_use]
    pub fn also(self, text: impl fmt::Display) -> Self {
        self.detail("also", text)
    }

    /// Says why it is a problem.
    #[must_use]
    pub fn because(self, text: impl fmt::Display) -> Self {
        self.detail("because", text)
    }

    /// Adds what may have to do with it.
    #[must_use]
    pub fn note(self, text: impl fmt::Display) -> Self {
        self.detail("note", text)
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(self, text: impl fmt::Display) -> Self {
        self.detail("help", text)
    }

    fn detail(mut self, label: &'static str, text: impl fmt::Display) -> Self {
        self.details.push((label, text.to_string()));
        self
    }

    /// Makes a warning of it: the run goes on without what is affected.
    #[must_use]
    pub fn tolerated(mut self) -> Self {
        self.severity = Severity::Warning;
        self.note("continuing without it because core.debug = true")
    }

    /// Adds it to `problems`. If the same is said there of the same place, only what this one says beyond
    /// that is added.
    pub(crate) fn join(self, problems: &mut Vec<Self>) {
        // A file, or a value in a configuration file. Several plugins can meet the same fault of a file.
        let place = |problem: &Self| {
            let mut details = problem.details.iter();
            let file = details.find(|(label, _)| *label == "where");
            let file = file.map(|(_, text)| text.clone());
            file.or_else(|| problem.place.as_ref().map(ToString::to_string))
        };
        let own = place(&self);
        let is_same = |known: &Self| {
            (known.severity, known.code) == (self.severity, self.code)
                && known.summary == self.summary
                && place(known) == own
        };
        let Some(known) = problems.iter_mut().find(|known| is_same(known)) else {
            problems.push(self);
            return;
        };
        for detail in self.details {
            if !known.details.contains(&detail) {
                known.details.push(detail);
            }
        }
    }

    /// Adds what `other` says below its first line.
    #[must_use]
    pub(crate) fn details_of(mut self, other: &Self) -> Self {
        self.details.extend_from_slice(&other.details);
        self
    }

    /// Makes a warning of what is an error elsewhere.
    #[must_use]
    pub(crate) fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether the run can go on.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The first line, without code and severity.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Where in a configuration file the value in question stands.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.place.as_ref()
    }

    /// What was found, why, and what to do, each with its label.
    pub(crate) fn details(&self) -> &[(&'static str, String)] {
        &self.details
    }

    /// Writes the whole text; `paint` wraps each part as its kind asks for.
    pub(crate) fn write(&self, out: &mut String, paint: &dyn Fn(Part, &str) -> String) {
        let word = match self.severity {
            Severity::Error => paint(Part::Error, &format!("error[{}]", self.code)),
            Severity::Warning => paint(Part::Warning, &format!("warning[{}]", self.code)),
        };
        let summary = paint(Part::Summary, &escape(&self.summary));
        out.push_str(&format!("{word}: {summary}\n"));
        let label = |label: &str| paint(Part::Label, &format!("  {label}:"));
        if let Some(place) = &self.place {
            let setting = self
                .setting
                .as_deref()
                .filter(|setting| !setting.is_empty());
            let setting = setting
                .map(|name| format!(", {}", escape(name)))
                .unwrap_or_default();
            out.push_str(&format!(
                "{} {}{setting}\n",
                label("where"),
                escape(&place.to_string())
            ));
            for line in place.excerpt().lines() {
                out.push_str(&format!("{}\n", paint(Part::Excerpt, line)));
            }
        }
        for (name, text) in &self.details {
            for line in text.lines() {
                out.push_str(&format!("{} {}\n", label(name), escape(line)));
            }
        }
    }
}

/// A part of a problem's text that is coloured in its own way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Error,
    Warning,
    Summary,
    Label,
    Excerpt,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text, &|_, part| part.to_owned());
        f.write_str(text.trim_end())
    }
}

/// Everything that is wrong at once. At least one of it is an error.
#[derive(Clone, Debug)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Returns `found` as an error if any of it is one, else the warnings.
    ///
    /// # Errors
    ///
    /// When at least one problem is an error; warnings are kept beside it.
    pub fn check(found: Vec<Problem>) -> Result<Vec<Problem>, Self> {
        if found
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            Err(Self(found))
        } else {
            Ok(found)
        }
    }

    /// The problems in the order in which they were found.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.0
    }

    /// The line that follows them all.
    #[must_use]
    pub fn closing(&self) -> String {
        let errors = self
            .0
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count();
        match errors {
            1 => "1 error; nothing was run".to_owned(),
            _ => format!("{errors} errors; nothing was run"),
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        write!(f, "{}", self.closing())
    }
}

impl std::error::Error for Problems {}

/// Replaces what could change the terminal or forge a line: control
/// characters, and characters that turn the direction of writing.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_escaped(&mut out, character);
    }
    out
}

/// Appends `character` to `out`, escaped where [`escape`] would.
pub(crate) fn push_escaped(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ if !is_hidden(character) => out.push(character),
        _ if u32::from(character) < 0x100 => {
            out.push_str(&format!("\\x{:02x}", u32::from(character)));
        }
        _ => out.push_str(&format!("\\u{:04x}", u32::from(character))),
    }
}

/// Whether a character moves the cursor, ends a line, turns the direction of writing or takes no room
/// instead of being seen.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests;
