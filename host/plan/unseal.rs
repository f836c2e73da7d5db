//! Reads a sealed plan back, and believes nothing of it.
//!
//! Every line is read, written once more from what was understood, and compared octet for octet; the
//! changes come from their buffer alone. So there is one way to write a plan, and what a person
//! reads in a line is what is applied.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use janitor_plugin_api::dns::{Changes, Name, Serial};
use rustix::fs::{Mode, OFlags};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use sha2::{Digest as _, Sha256};

use super::json::{before_digest, left_out, line};
use super::schema::{
    ChangeObjects, EndLine, HeaderLine, LeftOutLine, ReasonEntry, SealEntry, Totals, VERSION,
    ZoneLine,
};
use super::seal::MAGIC;
use crate::preflight::Digest;
use crate::problem::{Code, Problem};
use crate::report::LeftOut;
use crate::stations::convergence::NotSticking;
use crate::stations::digests::Digests;
use crate::stations::guard::Reason;
use crate::stations::planned::PlannedZone;
use crate::stations::route::{Publishers, Route};
use crate::stations::survey::Survey;

/// A plan that was read from a file and is whole.
#[derive(Debug)]
pub struct SealedPlan {
    /// When and where it was made.
    pub header: HeaderLine,
    /// The zones that were compared, in canonical order.
    pub zones: Vec<SealedZone>,
    /// What was left out when it was made.
    pub left_out: Vec<LeftOut>,
    /// Limits of the run as a whole that its changes broke.
    pub run_limits: Vec<Reason>,
    /// Zones of earlier runs that no authority named.
    pub unnamed: Vec<Name>,
    /// Names that stayed as they were because authorities contradicted each other there.
    pub undecided: usize,
}

/// A zone of a sealed plan.
#[derive(Debug)]
pub struct SealedZone {
    /// What is to be done.
    pub planned: PlannedZone,
    /// The authority that spoke for it.
    pub authority: Option<Arc<str>>,
}

/// Reads the sealed plan at `path`.
///
/// # Errors
///
/// When it cannot be read, is not a sealed plan of the version that is written here, or is not as it was
/// sealed.
pub fn read_sealed(path: &Path) -> Result<SealedPlan, Problem> {
    let unreadable = |error: io::Error| {
        Problem::error(
            Code::UnreadablePlan,
            format!("cannot read the plan `{}`: {error}", path.display()),
        )
        .help("name a file that gordon-janitor plan --out has written")
    };
    // A FIFO must not make it wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(file.map_err(|error| unreadable(error.into()))?);
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    let mut reader = Reader {
        lines: BufReader::with_capacity(1 << 18, file),
        line: Vec::new(),
        number: 0,
        hasher: Sha256::new(),
    };
    match reader.plan() {
        Ok(plan) => Ok(plan),
        Err(Fault::Io(error)) => Err(unreadable(error)),
        Err(Fault::NotAPlan(found)) => Err(Problem::error(
            Code::NotAPlan,
            format!("`{}` is not a sealed plan", path.display()),
        )
        .found(found)
        .help("make one: gordon-janitor plan --out FILE")),
        Err(Fault::Damaged(found)) => Err(Problem::error(
            Code::DamagedPlan,
            format!(
                "the plan `{}` is not as it was sealed: line {}: {found}",
                path.display(),
                reader.number
            ),
        )
        .because("it was cut short, damaged or edited; nothing of it can be relied on")
        .help("plan again: gordon-janitor plan --out FILE")),
    }
}

/// Why a plan is not taken.
enum Fault {
    Io(io::Error),
    NotAPlan(String),
    Damaged(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn damaged(found: impl Into<String>) -> Fault {
    Fault::Damaged(found.into())
}

struct Reader<R> {
    lines: R,
    /// The present line, with its end.
    line: Vec<u8>,
    number: usize,
    /// Over all lines before the present one.
    hasher: Sha256,
}

impl<R: BufRead> Reader<R> {
    fn plan(&mut self) -> Result<SealedPlan, Fault> {
        let header = self.header()?;
        let mut plan = SealedPlan {
            header,
            zones: Vec::new(),
            left_out: Vec::new(),
            run_limits: Vec::new(),
            unnamed: Vec::new(),
            undecided: 0,
        };
        let mut totals = Totals::default();
        loop {
            if !self.next()? {
                return Err(damaged("the last line is missing"));
            }
            if self.line.starts_with(b"{\"zone\":") {
                if totals.left_out > 0 {
                    return Err(damaged("a zone stands behind what was left out"));
                }
                let zone = self.zone(&plan.header)?;
                let before = plan.zones.last();
                if before.is_some_and(|before| before.planned.apex() >= zone.planned.apex()) {
                    return Err(damaged("the zones are not in canonical order"));
                }
                let counts = zone.planned.counts();
                totals.add(counts.additions, counts.updates, counts.deletions);
                plan.zones.push(zone);
            } else if self.line.starts_with(b"{\"left_out\":") {
                let read = self.read::<LeftOutLine>()?;
                self.compare(&read)?;
                totals.left_out += 1;
                let left_out = left_out(read).ok_or_else(|| damaged("it cannot be understood"))?;
                plan.left_out.push(left_out);
            } else {
                self.end(totals, &mut plan)?;
                return Ok(plan);
            }
        }
    }

    fn header(&mut self) -> Result<HeaderLine, Fault> {
        /// Read first: the other fields belong to the version.
        #[derive(Deserialize)]
        struct Version {
            plan: u32,
            sealed: bool,
        }
        let not_a_plan = || Fault::NotAPlan("it does not begin as a plan does".to_owned());
        // Looked at before it is read as a line: what is no plan may have no end of a line.
        if !self.lines.fill_buf()?.starts_with(MAGIC) || !self.next()? {
            return Err(not_a_plan());
        }
        let version = serde_json::from_slice::<Version>(&self.line);
        match version {
            Ok(Version { plan, .. }) if plan != VERSION => Err(Fault::NotAPlan(format!(
                "it is a plan of version {plan}, and this gordon-janitor reads version {VERSION}"
            ))),
            Ok(Version { sealed: false, .. }) => Err(Fault::NotAPlan(
                "it only shows a plan, as plan --format json does".to_owned(),
            )),
            Ok(_) => {
                let header = self.read::<HeaderLine>()?;
                self.compare(&header)?;
                if header.policy.is_consistent() {
                    Ok(header)
                } else {
                    Err(damaged("the digests of the policy do not fit together"))
                }
            }
            Err(_) => Err(damaged("it cannot be understood")),
        }
    }

    fn zone(&self, header: &HeaderLine) -> Result<SealedZone, Fault> {
        let read = self.read::<ZoneLine<IgnoredAny, String>>()?;
        let Some(sealed) = &read.sealed else {
            return Err(damaged("the zone is not sealed"));
        };
        let not_understood = || damaged("it cannot be understood");
        let octets = STANDARD
            .decode(&sealed.changes)
            .map_err(|_not_base64| not_understood())?;
        let apex: Name = read.zone.parse().map_err(|_no_name| not_understood())?;
        let changes = Changes::check(apex, octets.into())
            .map_err(|error| damaged(format!("the changes are malformed: {error}")))?;
        let counts = changes.counts();
        let digest = |text: &str| text.parse::<Digest>().map_err(|_none| not_understood());
        let digests = Digests {
            desired: digest(&sealed.desired)?,
            actual: sealed.actual.as_deref().map(digest).transpose()?,
        };
        self.compare(&ZoneLine {
            zone: changes.apex().to_string(),
            additions: counts.additions as usize,
            updates: counts.updates as usize,
            deletions: counts.deletions as usize,
            changes: ChangeObjects {
                changes: &changes,
                provenance: None,
            },
            sealed: Some(SealEntry {
                desired: digests.desired.to_string(),
                actual: digests.actual.map(|digest| digest.to_string()),
                changes: sealed.changes.as_str(),
            }),
            authority: read.authority.clone(),
            authorities: None,
            lost: None,
            reconciler: read.reconciler.clone(),
            publishers: read.publishers.clone(),
            set_aside: read.set_aside.clone(),
            complete: read.complete,
            desired: read.desired,
            actual: read.actual,
            comparable: read.comparable,
            verdict: read.verdict.clone(),
            not_sticking: read.not_sticking.clone(),
            serial: read.serial,
            held_back: read.held_back,
            left_alone: read.left_alone,
        })?;
        let is_known = |key: &String| {
            let mut publishers = header.plugins.iter();
            publishers.any(|plugin| plugin.conditional.is_some() && plugin.key == *key)
        };
        if !read.publishers.iter().all(is_known) {
            return Err(damaged("a publisher is none of the plan's"));
        }
        let publishers = read.publishers.iter().map(|key| key.as_str().into());
        let mut planned = PlannedZone::new(
            changes,
            Arc::new(Route {
                reconciler: read.reconciler.into(),
                publishers: Publishers::Only(publishers.collect()),
            }),
        );
        planned.desired = read.desired;
        planned.complete = read.complete;
        planned.held_back = read.held_back;
        planned.actual = read.actual.map(|rrsets| Survey {
            rrsets,
            comparable: read.comparable.unwrap_or_default(),
            serial: read.serial.map(Serial),
            ..Survey::default()
        });
        planned.verdict = read.verdict.verdict().ok_or_else(not_understood)?;
        planned.not_sticking = NotSticking {
            sent_again: read.not_sticking.sent_again,
            set_aside: read.not_sticking.set_aside,
            // They were told when the plan was made.
            shown: Vec::new(),
        };
        planned.digests = Some(digests);
        Ok(SealedZone {
            planned,
            authority: read.authority.map(Arc::from),
        })
    }

    /// The last line, behind which there is nothing.
    fn end(&mut self, totals: Totals, plan: &mut SealedPlan) -> Result<(), Fault> {
        let read = self.read::<EndLine>()?;
        let end = EndLine {
            end: totals,
            ..read.clone()
        };
        self.compare(&end)?;
        let mut hasher = self.hasher.clone();
        hasher.update(before_digest(&end)?);
        let digest = Digest::new(hasher.finalize().into());
        if read.sha256 != Some(digest.to_string()) {
            return Err(damaged("its digest is not that of what stands before it"));
        }
        let limits = read.run_limits.iter().map(ReasonEntry::reason);
        let unnamed = read.unnamed.iter().map(|zone| zone.parse().ok());
        let understood = limits
            .collect::<Option<_>>()
            .zip(unnamed.collect::<Option<_>>());
        (plan.run_limits, plan.unnamed) =
            understood.ok_or_else(|| damaged("it cannot be understood"))?;
        plan.undecided = read.undecided;
        if self.next()? {
            return Err(damaged("it stands behind the last line"));
        }
        Ok(())
    }

    /// Goes on to the next line; false if there is none.
    fn next(&mut self) -> Result<bool, Fault> {
        self.hasher.update(&self.line);
        self.line.clear();
        let octets = self.lines.read_until(b'\n', &mut self.line)?;
        self.number += usize::from(octets > 0);
        Ok(octets > 0)
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.line).map_err(|error| {
            // Its own line number is always the first.
            damaged(format!(
                "it cannot be understood, column {}",
                error.column()
            ))
        })
    }

    /// Whether the present line is exactly what `understood` is written as.
    fn compare(&self, understood: &impl serde::Serialize) -> Result<(), Fault> {
        let mut rest = Rest(&self.line);
        let written = line(&mut rest, understood);
        if written.is_ok() && rest.0.is_empty() {
            Ok(())
        } else {
            Err(damaged("what it says is not what would be applied"))
        }
    }
}

/// Octets that something is expected to write.
struct Rest<'a>(&'a [u8]);

impl io::Write for Rest<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.0.strip_prefix(octets) {
            Some(rest) => {
                self.0 = rest;
                Ok(octets.len())
            }
            None => Err(io::Error::other("other octets")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
