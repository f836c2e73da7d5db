//! Records: owner, TTL, class, type and rdata of one entry.

use crate::dns::text::{self, Fault, Next, Scan, Stop, shown};
use crate::dns::{Name, NameRef, Rtype, Ttl};

use super::directive::Inclusion;
use super::error::EntryFault;
use super::generate::Generator;
use super::reader::{Record, Summary};
use super::source::Source;

/// Why reading entries stops.
pub(super) enum Halt<E> {
    /// The octets at hand end inside the entry.
    More,
    /// The entry is wrong at this offset.
    Fault(Box<(usize, EntryFault)>),
    /// The sink does not take the record.
    Sink(E),
}

impl<E> Halt<E> {
    #[cold]
    pub(super) fn fault(at: usize, fault: impl Into<EntryFault>) -> Self {
        Self::Fault(Box::new((at, fault.into())))
    }
}

impl<E> From<Stop> for Halt<E> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::More => Self::More,
            Stop::Fault(found) => {
                let (at, fault) = *found;
                Self::fault(at, fault)
            }
        }
    }
}

/// What entries mean depends on the entries before them; this is what they leave.
pub(super) struct Entries {
    apex: Name,
    pub(super) ttls: Ttls,
    pub(super) scope: Scope,
    /// The scopes of the files around the innermost one.
    outer: Vec<Scope>,
    rdata: Vec<u8>,
    summary: Summary,
}

/// What entries leave to later ones of the same file.
#[derive(Clone)]
pub(super) struct Scope {
    /// Completes relative names.
    pub(super) origin: Vec<u8>,
    origin_is_in_zone: bool,
    /// The last owner, empty if there was none.
    owner: Vec<u8>,
    owner_is_in_zone: bool,
}

/// What entries leave to all later ones.
#[derive(Clone, Copy, Default)]
pub(super) struct Ttls {
    /// `$TTL`, or the minimum of a SOA that had no TTL.
    pub(super) default: Option<Ttl>,
    /// The last TTL of a record, which counts without `$TTL` (RFC 1035, section 5.1).
    last: Option<Ttl>,
}

impl Ttls {
    /// Returns the TTL of a record and remembers it.
    fn resolve(&mut self, explicit: Option<Ttl>, minimum: Option<Ttl>) -> Option<Ttl> {
        if explicit.is_some() {
            self.last = explicit;
            return explicit;
        }
        if self.default.is_none() && self.last.is_none() {
            self.default = minimum;
        }
        self.default.or(self.last)
    }
}

/// An owner in the octets at hand that need not be read again if it comes again.
#[derive(Clone, Copy, Default)]
struct Seen {
    at: usize,
    octets: usize,
}

impl Entries {
    pub(super) fn new(apex: NameRef<'_>) -> Self {
        Self {
            apex: apex.to_owned(),
            ttls: Ttls::default(),
            scope: Scope {
                origin: apex.as_wire().to_vec(),
                origin_is_in_zone: true,
                owner: Vec::with_capacity(256),
                owner_is_in_zone: false,
            },
            outer: Vec::new(),
            rdata: Vec::with_capacity(512),
            summary: Summary::default(),
        }
    }

    pub(super) fn summary(&self) -> Summary {
        self.summary
    }

    /// Starts a file within the current one: it starts with the current owner,
    /// and with `origin` or else the current one.
    pub(super) fn enter(&mut self, origin: Option<Vec<u8>>) {
        self.outer.push(self.scope.clone());
        if let Some(origin) = origin {
            self.set_origin(origin);
        }
    }

    /// Ends a file: origin and owner are those of the file around it again.
    pub(super) fn leave(&mut self) {
        if let Some(scope) = self.outer.pop() {
            self.scope = scope;
        }
    }

    pub(super) fn set_origin(&mut self, origin: Vec<u8>) {
        self.scope.origin_is_in_zone = self.is_in_zone(&origin);
        self.scope.origin = origin;
    }

    /// Reads the pending entries of `file` up to the next `$INCLUDE`, which is
    /// returned, or to the end of the file.
    ///
    /// Entries that were read are consumed. On error nothing is, except that
    /// after [`Halt::More`] the entry that needs more comes first.
    ///
    /// # Errors
    ///
    /// The reason, and the offset at which its entry starts.
    pub(super) fn read_pending<E>(
        &mut self,
        file: &mut Source<'_>,
        generator: &mut Generator,
        sink: &mut impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<Option<Inclusion>, (usize, Halt<E>)> {
        let pending = file.pending();
        let mut scan = Scan::new(pending, file.is_whole());
        let mut seen = Seen::default();
        let (start, halt) = loop {
            let start = scan.at();
            if start == pending.len() {
                if file.is_whole() {
                    return Ok(None);
                }
                break (start, Halt::More);
            }
            match self.entry(&mut scan, &mut seen, generator, sink) {
                Ok(None) => {}
                Ok(Some(inclusion)) => return Ok(Some(inclusion)),
                Err(halt) => break (start, halt),
            }
        };
        if matches!(halt, Halt::More) {
            file.consume(start);
        }
        Err((start, halt))
    }

    #[inline]
    fn entry<E>(
        &mut self,
        scan: &mut Scan<'_>,
        seen: &mut Seen,
        generator: &mut Generator,
        sink: &mut impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<Option<Inclusion>, Halt<E>> {
        let start = scan.at();
        let is_blank_first = matches!(scan.peek(), Some(b' ' | b'\t'));
        if is_blank_first || !skip_seen(scan, *seen) {
            let next = scan.next()?;
            if next == Next::End {
                scan.finish()?;
                return Ok(None);
            }
            if is_blank_first {
                if self.scope.owner.is_empty() {
                    return Err(Halt::fault(scan.at(), EntryFault::NoOwner));
                }
            } else if next == Next::Word && scan.peek() == Some(b'$') {
                *seen = Seen::default();
                return self.directive(scan, generator, sink);
            } else {
                let at = scan.at();
                self.owner(scan, next)?;
                *seen = Seen {
                    at,
                    octets: scan.at() - at,
                };
            }
        }
        let (explicit_ttl, rtype) = header(scan)?;
        text::rdata(scan, rtype, &self.scope.origin, &mut self.rdata)?;
        scan.finish()?;
        let ttl = self.ttl(start, explicit_ttl, rtype)?;
        if !self.scope.owner_is_in_zone {
            return Err(Halt::fault(start, self.out_of_zone(&self.scope.owner)));
        }
        self.check_place(start, &self.scope.owner, rtype)?;
        self.summary.records += 1;
        self.summary.soa_records += u64::from(rtype == Rtype::SOA);
        let record = Record {
            owner: &self.scope.owner,
            rtype,
            ttl,
            rdata: &self.rdata,
        };
        sink(record).map_err(Halt::Sink)?;
        Ok(None)
    }

    /// Returns the TTL of the record whose rdata were just read.
    #[inline]
    fn ttl<E>(&mut self, at: usize, explicit: Option<Ttl>, rtype: Rtype) -> Result<Ttl, Halt<E>> {
        let minimum = match (explicit, rtype, self.rdata.last_chunk()) {
            (None, Rtype::SOA, Some(octets)) => {
                let seconds = u32::from_be_bytes(*octets);
                Ttl::from_secs(seconds).ok()
            }
            _ => None,
        };
        let ttl = self.ttls.resolve(explicit, minimum);
        ttl.ok_or_else(|| Halt::fault(at, EntryFault::NoTtl))
    }

    /// Reads the owner that starts here.
    #[inline]
    fn owner(&mut self, scan: &mut Scan<'_>, next: Next) -> Result<(), Stop> {
        let scope = &mut self.scope;
        scope.owner.clear();
        let is_relative = match next {
            Next::Quote => scan.quoted_name(&scope.origin, &mut scope.owner)?,
            _ => scan.name_here(&scope.origin, &mut scope.owner)?,
        };
        self.scope.owner_is_in_zone = if is_relative && self.scope.origin_is_in_zone {
            true
        } else {
            self.is_in_zone(&self.scope.owner)
        };
        Ok(())
    }

    /// Hands a record of `$GENERATE` to the sink; `at` is the place of the directive.
    pub(super) fn emit<E>(
        &mut self,
        at: usize,
        record: Record<'_>,
        sink: &mut impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<(), Halt<E>> {
        if !self.is_in_zone(record.owner) {
            return Err(Halt::fault(at, self.out_of_zone(record.owner)));
        }
        self.check_place(at, record.owner, record.rtype)?;
        self.summary.records += 1;
        self.summary.soa_records += u64::from(record.rtype == Rtype::SOA);
        sink(record).map_err(Halt::Sink)
    }

    /// Returns the TTL of the records of a `$GENERATE` at `at`.
    pub(super) fn generated_ttl<E>(
        &mut self,
        at: usize,
        explicit: Option<Ttl>,
    ) -> Result<Ttl, Halt<E>> {
        let ttl = self.ttls.resolve(explicit, None);
        ttl.ok_or_else(|| Halt::fault(at, EntryFault::NoTtl))
    }

    #[inline]
    fn is_in_zone(&self, name: &[u8]) -> bool {
        let apex = self.apex.as_wire();
        let mut rest = name;
        while rest.len() > apex.len() {
            let Some(after) = rest.get(usize::from(rest[0]) + 1..) else {
                return false;
            };
            rest = after;
        }
        // Lengths of labels are no letters, so folding case leaves them alone.
        rest.eq_ignore_ascii_case(apex)
    }

    #[cold]
    fn out_of_zone(&self, owner: &[u8]) -> EntryFault {
        EntryFault::OutOfZone {
            owner: name(owner),
            apex: self.apex.clone(),
        }
    }

    /// Checks types that may or may not stand at the apex.
    #[inline]
    fn check_place<E>(&self, at: usize, owner: &[u8], rtype: Rtype) -> Result<(), Halt<E>> {
        if rtype != Rtype::SOA && rtype != Rtype::DS {
            return Ok(());
        }
        let is_apex = owner.eq_ignore_ascii_case(self.apex.as_wire());
        match rtype {
            Rtype::SOA if !is_apex => {
                let owner = name(owner);
                let apex = self.apex.clone();
                Err(Halt::fault(at, EntryFault::SoaNotAtApex { owner, apex }))
            }
            Rtype::DS if is_apex => Err(Halt::fault(at, EntryFault::DsAtApex)),
            _ => Ok(()),
        }
    }
}

/// Skips the owner that was seen last, if it comes again; it is the current owner.
#[inline]
fn skip_seen(scan: &mut Scan<'_>, seen: Seen) -> bool {
    let octets = scan.octets();
    let comes_again = seen.octets > 0
        && octets[scan.at()..].starts_with(&octets[seen.at..seen.at + seen.octets])
        && matches!(octets.get(scan.at() + seen.octets), Some(b' ' | b'\t'));
    if comes_again {
        scan.skip(seen.octets);
    }
    comes_again
}

const RTYPE: &str = "an RR type";

/// Reads TTL, class and type: the first two in either order, or missing.
#[inline]
pub(super) fn header<E>(scan: &mut Scan<'_>) -> Result<(Option<Ttl>, Rtype), Halt<E>> {
    let mut ttl = None;
    let mut has_class = false;
    loop {
        let word = scan.word(RTYPE)?;
        if ttl.is_none() && word.first().is_some_and(u8::is_ascii_digit) {
            ttl = Some(explicit_ttl(scan, word)?);
            continue;
        }
        if !has_class && word == b"IN" {
            has_class = true;
            continue;
        }
        if let Some(rtype) = Rtype::from_word(word) {
            return match is_zone_data(rtype) {
                Ok(()) => Ok((ttl, rtype)),
                Err(fault) => Err(Halt::fault(scan.at() - word.len(), fault)),
            };
        }
        if !has_class && text::class(word) == Some(1) {
            has_class = true;
            continue;
        }
        let fault = not_a_type(word, has_class);
        return Err(Halt::fault(scan.at() - word.len(), fault));
    }
}

#[cold]
fn not_a_type(word: &[u8], has_class: bool) -> EntryFault {
    let found = shown(word);
    let is_class = text::class(word).is_some();
    match word.first() {
        Some(b'$') => EntryFault::IndentedDirective { found },
        _ if is_class && !has_class => EntryFault::Class { found },
        Some(first) if first.is_ascii_alphabetic() && !is_class => {
            Fault::UnknownType { found }.into()
        }
        _ => {
            let expected = RTYPE;
            Fault::Unexpected { expected, found }.into()
        }
    }
}

fn is_zone_data(rtype: Rtype) -> Result<(), Fault> {
    match rtype {
        Rtype::MD | Rtype::MF => Err(Fault::ObsoleteType { rtype }),
        _ if rtype.is_meta() => Err(Fault::MetaType { rtype }),
        _ => Ok(()),
    }
}

/// Returns the TTL that `word`, just read, says.
pub(super) fn explicit_ttl<E>(scan: &Scan<'_>, word: &[u8]) -> Result<Ttl, Halt<E>> {
    let ttl = text::seconds(word).map(Ttl::from_secs);
    if let Some(Ok(ttl)) = ttl {
        return Ok(ttl);
    }
    let found = shown(word);
    let is_number = ttl.is_some() || word.iter().all(u8::is_ascii_digit);
    let fault = if is_number {
        EntryFault::LongTtl { found }
    } else {
        let expected = "a TTL such as `3600` or `1h30m`";
        Fault::Unexpected { expected, found }.into()
    };
    Err(Halt::fault(scan.at() - word.len(), fault))
}

fn name(wire: &[u8]) -> Name {
    Name::from_wire(wire).expect("the reader writes names")
}
