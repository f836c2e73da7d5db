//! What Cloud DNS takes: types, sizes, numbers.
//!
//! From Google's pages "Quotas and limits", "DNS records overview" and "Error messages" of Cloud DNS,
//! as read in November 2026, and from the `Quota` of the API's projects.

use std::fmt;

use janitor_plugin_api::dns::{RrsetRef, Rtype};
use serde::Deserialize;

/// How much Cloud DNS takes of a project, at once and in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Most record sets that one change adds.
    pub(crate) additions: usize,
    /// Most record sets that one change deletes.
    pub(crate) deletions: usize,
    /// Most octets of all rdata in one change, of what it adds and what it deletes.
    pub(crate) rdata_octets: usize,
    /// Most records of one record set.
    pub(crate) records: usize,
    /// Most name servers of a delegation.
    pub(crate) name_servers: usize,
}

impl Quota {
    /// What a project has unless Google was asked for more ("Resource limits").
    pub(crate) const DOCUMENTED: Self = Self {
        additions: 1000,
        deletions: 1000,
        rdata_octets: 100_000,
        records: 100,
        name_servers: 8,
    };

    /// Reads the answer to `projects.get`. What it does not say is as documented.
    ///
    /// # Errors
    ///
    /// Those of JSON.
    pub(crate) fn of_project(body: &[u8]) -> Result<Self, serde_json::Error> {
        let project: Project = serde_json::from_slice(body)?;
        let told = project.quota;
        let or = |told: Option<i64>, documented: usize| {
            let told = told.and_then(|told| usize::try_from(told).ok());
            told.filter(|&told| told > 0).unwrap_or(documented)
        };
        let documented = Self::DOCUMENTED;
        Ok(Self {
            additions: or(told.rrset_additions_per_change, documented.additions),
            deletions: or(told.rrset_deletions_per_change, documented.deletions),
            rdata_octets: or(told.total_rrdata_size_per_change, documented.rdata_octets),
            records: or(told.resource_records_per_rrset, documented.records),
            name_servers: or(told.nameservers_per_delegation, documented.name_servers),
        })
    }
}

#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    quota: ToldQuota,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldQuota {
    rrset_additions_per_change: Option<i64>,
    rrset_deletions_per_change: Option<i64>,
    total_rrdata_size_per_change: Option<i64>,
    resource_records_per_rrset: Option<i64>,
    nameservers_per_delegation: Option<i64>,
}

/// The types that Cloud DNS has, apart from ALIAS, which is none of DNS.
const TYPES: [Rtype; 19] = [
    Rtype::A,
    Rtype::AAAA,
    Rtype::CAA,
    Rtype::CNAME,
    Rtype::DNSKEY,
    Rtype::DS,
    Rtype::HTTPS,
    Rtype::IPSECKEY,
    Rtype::MX,
    Rtype::NAPTR,
    Rtype::NS,
    Rtype::PTR,
    Rtype::SOA,
    Rtype::SPF,
    Rtype::SRV,
    Rtype::SSHFP,
    Rtype::SVCB,
    Rtype::TLSA,
    Rtype::TXT,
];

/// Why Cloud DNS does not take a record set, whatever else is served; none if it may.
///
/// A TTL is never the reason: Cloud DNS takes every one that there is (RFC 2181, section 8).
pub(crate) fn unfit(rrset: RrsetRef<'_>, quota: &Quota) -> Option<Unfit> {
    let (rtype, records) = (rrset.rtype(), rrset.rdata_count());
    if !TYPES.contains(&rtype) {
        return Some(Unfit::Type(rtype));
    }
    if rtype == Rtype::NS && rrset.owner().is_wildcard() {
        return Some(Unfit::WildcardNs);
    }
    if rtype == Rtype::NS && records > quota.name_servers {
        let most = quota.name_servers;
        return Some(Unfit::NameServers { records, most });
    }
    (records > quota.records).then_some(Unfit::Records {
        records,
        most: quota.records,
    })
}

/// Why Cloud DNS does not take a record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It has no such type.
    Type(Rtype),
    /// It has no delegations at wildcards, which RFC 4592, section 4.2, discourages as well.
    WildcardNs,
    /// A delegation with too many name servers.
    NameServers { records: usize, most: usize },
    /// Too many records.
    Records { records: usize, most: usize },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(rtype) => write!(f, "Cloud DNS has no record sets of type {rtype}"),
            Self::WildcardNs => f.write_str("Cloud DNS has no NS record sets at wildcards"),
            Self::NameServers { records, most } => write!(
                f,
                "the delegation has {records} name servers, and the quota of the project is {most} \
                 (nameserversPerDelegation)"
            ),
            Self::Records { records, most } => write!(
                f,
                "the record set has {records} records, and the quota of the project is {most} \
                 (resourceRecordsPerRrset)"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
