//! How the Gordon service names managed zones, and how Google lets them be named.

use janitor_plugin_api::dns::NameRef;

/// The name of a zone's managed zone by the Gordon service's rule.
///
/// Labels are joined by hyphens: `example-com`. What is below `in-addr.arpa` has only the two labels
/// next to that, so the zones below one /16 share a managed zone: `reverse-20-10` is that of
/// `30.20.10.in-addr.arpa.`. A prefix stands before either, with a hyphen.
///
/// Names made so are not unique: `a-b.c.` and `a.b.c.` have the same.
///
/// # Errors
///
/// [`NamingFault`] if the zone is the root, or if Google has no managed zone with the name.
pub(super) fn by_rule(apex: NameRef<'_>, prefix: &str) -> Result<String, NamingFault> {
    let name = rule(apex, prefix);
    if apex.is_root() {
        return Err(NamingFault::Root);
    }
    check(&name)?;
    Ok(name)
}

/// The rule alone, as it was made for names of hosts.
pub(super) fn rule(apex: NameRef<'_>, prefix: &str) -> String {
    let labels: Vec<_> = apex.labels().map(String::from_utf8_lossy).collect();
    let above = labels.len().saturating_sub(2);
    let is_reverse = above > 0 && labels[above..] == ["in-addr", "arpa"];
    let rest = if is_reverse {
        &labels[above.saturating_sub(2)..above]
    } else {
        &labels[..]
    };
    let prefix = (!prefix.is_empty()).then_some(prefix);
    let parts = prefix.into_iter().chain(is_reverse.then_some("reverse"));
    parts
        .chain(rest.iter().map(AsRef::as_ref))
        .collect::<Vec<_>>()
        .join("-")
}

/// Checks a name by the rules that Google has for those of managed zones (reference of the REST
/// resource `managedZones`, field `name`).
pub(super) fn check(name: &str) -> Result<(), NamingFault> {
    let octets = name.as_bytes();
    let is_known = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    let fits = octets.len() <= 63
        && octets.first().is_some_and(u8::is_ascii_lowercase)
        && octets.last().copied().is_some_and(is_known)
        && octets.iter().all(|&octet| is_known(octet) || octet == b'-');
    if fits {
        return Ok(());
    }
    Err(NamingFault::Rules {
        name: name.to_owned(),
    })
}

/// Why there is no managed zone with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NamingFault {
    #[error("the rule that names managed zones has no name for the root zone")]
    Root,
    #[error(
        "`{name}` is not the name of a managed zone: those have 1 to 63 lower-case letters, digits and \
         hyphens, a letter first and no hyphen last"
    )]
    Rules { name: String },
}
