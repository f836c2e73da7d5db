//! Markers: TXT RRsets by which other programs say which names are theirs.
//!
//! **external-dns** (its TXT registry, read in versions 0.5 to 0.22) writes beside each RRset a TXT with
//! the text `heritage=external-dns,external-dns/owner=ID,…`, perhaps in quotes of its own, or encrypted
//! in base64. Of the RRset `www.example.com A` it stands at one of
//!
//! | name | when |
//! | --- | --- |
//! | `www.example.com` | up to 0.11; 0.12 to 0.17 beside the next one |
//! | `a-www.example.com` | since 0.12; `cname-` for aliases of Route 53, which are served as A and AAAA |
//! | `PREFIXa-www.example.com` | with `--txt-prefix`, also one with dots in it |
//! | `a-wwwSUFFIX.example.com` | with `--txt-suffix` |
//! | either with the type in the place of `%{record_type}`, and no `a-` | if the affix has that |
//!
//! and an asterisk as the first label may have another text in its place.
//!
//! **octoDNS** (its `OwnershipProcessor`, read in version 1.22.0) writes `_owner.A.www.example.com`,
//! `_owner.A.example.com` for the apex, `_wildcard` for an asterisk, and `octodns-meta` at the apex. Its
//! text can be chosen; there, any is taken for a marker of somebody.

use std::iter;

use janitor_plugin_api::dns::{Name, NameRef, RrsetRef, Rtype};

use crate::config::scope::{ExternalDns, Octodns, Registry, Scope};

/// What one marker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) registry: Registry,
    /// Whom it names as the owner, if that can be read.
    pub(super) owner_id: Option<String>,
    /// What it may mark: names, and a type if it is of one. Several, where forms look alike.
    pub(super) marked: Vec<(Name, Option<Rtype>)>,
}

/// Reads the markers of a zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct MarkerReader<'a> {
    scope: &'a Scope,
    honour: &'a [Registry],
    apex: NameRef<'a>,
}

/// Types that external-dns manages.
const EXTERNAL_DNS_TYPES: [(&str, Rtype); 10] = [
    ("a", Rtype::A),
    ("aaaa", Rtype::AAAA),
    ("cname", Rtype::CNAME),
    ("ns", Rtype::NS),
    ("mx", Rtype::MX),
    ("ptr", Rtype::PTR),
    ("srv", Rtype::SRV),
    ("naptr", Rtype::NAPTR),
    ("txt", Rtype::TXT),
    ("dname", Rtype::DNAME),
];

/// What external-dns has in an affix for the type.
const RECORD_TYPE: &str = "%{record_type}";
const HERITAGE: &[u8] = b"heritage=external-dns";
const OWNER_ID: &str = "external-dns/owner=";

/// Octets of an encrypted text at least: nonce, tag, and the shortest marker in gzip.
const ENCRYPTED: usize = 80;

impl<'a> MarkerReader<'a> {
    pub(super) fn new(scope: &'a Scope, honour: &'a [Registry], apex: NameRef<'a>) -> Self {
        Self {
            scope,
            honour,
            apex,
        }
    }

    /// Whether there is anything to look for.
    pub(super) fn is_idle(&self) -> bool {
        self.honour.is_empty()
    }

    /// The marker that a TXT RRset is or holds, if it does.
    pub(super) fn read(&self, rrset: RrsetRef<'_>) -> Option<Marker> {
        debug_assert_eq!(rrset.rtype(), Rtype::TXT, "markers are TXT RRsets");
        self.honour.iter().find_map(|registry| match registry {
            Registry::ExternalDns => self.external_dns(rrset),
            Registry::Octodns => self.octodns(rrset.owner()),
        })
    }

    fn external_dns(&self, rrset: RrsetRef<'_>) -> Option<Marker> {
        let marker = |owner_id, marked| Marker {
            registry: Registry::ExternalDns,
            owner_id,
            marked,
        };
        let forms = &self.scope.external_dns;
        // Others may have values at the same name.
        let mut encrypted = false;
        for rdata in rrset.rdatas() {
            let first = rdata.get(1..).unwrap_or_default();
            let bare = first.strip_prefix(b"\"").unwrap_or(first);
            if bare.starts_with(HERITAGE) {
                let text = joined(rdata);
                let text = text.trim_matches('"');
                if !text.split(',').any(|token| token.as_bytes() == HERITAGE) {
                    continue;
                }
                let owner_id = text
                    .split(',')
                    .find_map(|token| token.strip_prefix(OWNER_ID));
                let owner_id = owner_id.map(str::to_owned);
                return Some(marker(
                    owner_id,
                    self.external_dns_marked(rrset.owner(), forms),
                ));
            }
            encrypted |= is_encrypted(rdata);
        }
        if !encrypted {
            return None;
        }
        // The text alone says too little; no version encrypts and leaves the type out of the name.
        let mut marked = self.external_dns_marked(rrset.owner(), forms);
        marked.retain(|(_, rtype)| rtype.is_some());
        (!marked.is_empty()).then(|| marker(None, marked))
    }

    /// What a marker of external-dns at `owner` may mark.
    fn external_dns_marked(
        &self,
        owner: NameRef<'_>,
        forms: &ExternalDns,
    ) -> Vec<(Name, Option<Rtype>)> {
        let text = owner.to_string();
        let text = text.trim_end_matches('.');
        let mut rests = Vec::new();
        for prefix in iter::once("").chain(forms.prefix.iter().map(String::as_str)) {
            for (prefix, rtype) in with_types(prefix) {
                let rest = text.strip_prefix(&*prefix);
                rests.extend(rest.map(|rest| (rest.to_owned(), rtype)));
            }
        }
        let apex = self.apex.to_string();
        let zone = format!(".{}", apex.trim_end_matches('.'));
        for suffix in &forms.suffix {
            for (suffix, rtype) in with_types(suffix) {
                // The suffix ends the first label, or what it makes of it; since 0.22 perhaps the
                // last one before the zone.
                let dots = suffix.matches('.').count();
                let first = text.match_indices('.').nth(dots);
                let first = first.map(|(at, _)| text.split_at(at));
                let before_zone = text.strip_suffix(&zone).map(|head| (head, &*zone));
                for (head, tail) in first.into_iter().chain(before_zone) {
                    let rest = head.strip_suffix(&*suffix);
                    rests.extend(rest.map(|head| (format!("{head}{tail}"), rtype)));
                }
            }
        }
        let mut marked = Vec::new();
        for (rest, rtype) in rests {
            let by_default_place = rest.split_once('-').and_then(|(word, rest)| {
                let (_, rtype) = EXTERNAL_DNS_TYPES.iter().find(|(name, _)| *name == word)?;
                Some((rest, *rtype))
            });
            if let (None, Some((rest, rtype))) = (rtype, by_default_place) {
                self.push(&mut marked, rest, Some(rtype), &forms.wildcard_replacement);
            }
            // Also if the name begins like a type: an old version names it as it is.
            self.push(&mut marked, &rest, rtype, &forms.wildcard_replacement);
        }
        marked
    }

    fn octodns(&self, owner: NameRef<'_>) -> Option<Marker> {
        let Octodns { name } = &self.scope.octodns;
        let mut labels = owner.labels();
        let first = labels.next()?;
        let marker = |marked| Marker {
            registry: Registry::Octodns,
            owner_id: None,
            marked,
        };
        if first == b"octodns-meta" && owner.parent() == Some(self.apex) {
            return Some(marker(Vec::new()));
        }
        if !name.iter().any(|name| name.as_bytes() == first) {
            return None;
        }
        let word = std::str::from_utf8(labels.next()?).ok()?;
        let rtypes = match word {
            // Not a type of the DNS: some providers serve addresses for it.
            "alias" => vec![Rtype::A, Rtype::AAAA, Rtype::CNAME],
            word => vec![word.parse().ok()?],
        };
        let text = owner.parent()?.parent()?.to_string();
        let text = text.trim_end_matches('.').replace("_wildcard", "*");
        let mut marked = Vec::new();
        for rtype in rtypes {
            self.push(&mut marked, &text, Some(rtype), &[]);
        }
        (!marked.is_empty()).then(|| marker(marked))
    }

    /// Adds `text` if it is a name of the zone, and the wildcard that it may stand for.
    fn push(
        &self,
        marked: &mut Vec<(Name, Option<Rtype>)>,
        text: &str,
        rtype: Option<Rtype>,
        wildcards: &[String],
    ) {
        let first = text.split('.').next().unwrap_or_default();
        let wildcard = wildcards
            .iter()
            .any(|known| known == first)
            .then(|| format!("*{}", &text[first.len()..]));
        for text in iter::once(text).chain(wildcard.as_deref()) {
            let name = text.parse::<Name>().ok();
            let inside = name.filter(|name| name.as_ref().is_at_or_below(self.apex));
            let place = inside.map(|name| (name, rtype));
            marked.extend(place.filter(|place| !marked.contains(place)));
        }
    }
}

/// An affix with each type in its place, and without, as versions before 0.12 have it.
fn with_types(affix: &str) -> Vec<(String, Option<Rtype>)> {
    let mut affixes = vec![(affix.replace(RECORD_TYPE, ""), None)];
    if affix.contains(RECORD_TYPE) {
        let typed = EXTERNAL_DNS_TYPES.iter();
        affixes.extend(typed.map(|(word, rtype)| (affix.replace(RECORD_TYPE, word), Some(*rtype))));
    }
    affixes
}

/// The character strings of a TXT, one behind the other.
fn strings(rdata: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = rdata;
    iter::from_fn(move || {
        let (&length, tail) = rest.split_first()?;
        let (string, tail) = tail.split_at_checked(usize::from(length))?;
        rest = tail;
        Some(string)
    })
}

fn joined(rdata: &[u8]) -> String {
    let octets = strings(rdata).flatten().copied().collect::<Vec<_>>();
    String::from_utf8_lossy(&octets).into_owned()
}

/// Whether a text looks like base64 of something that is long enough to be an encrypted marker.
fn is_encrypted(rdata: &[u8]) -> bool {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    // Most texts fail here.
    let starts_well = rdata
        .get(1..9)
        .is_some_and(|octets| octets.iter().all(is_digit));
    if !starts_well || rdata.len() < ENCRYPTED {
        return false;
    }
    let text = joined(rdata);
    let text = text.trim_matches('"').as_bytes();
    let digits = text.strip_suffix(b"==").or(text.strip_suffix(b"="));
    let digits = digits.unwrap_or(text);
    text.len().is_multiple_of(4) && digits.len() * 3 / 4 >= ENCRYPTED && digits.iter().all(is_digit)
}

#[cfg(test)]
mod tests;
