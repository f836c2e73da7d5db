//! Whether the plugins that routes, orders and zones of authorities name are there.

use std::collections::BTreeSet;

use crate::config::{Config, Listed, RouteSettings, nearest};
use crate::discovery::Discovery;
use crate::manifest::Role;
use crate::problem::{Code, Problem};

/// Everything that is wrong with what `core.routes`, `core.merge` and `core.plugin` say of plugins.
pub(super) fn judge(config: &Config, discovery: &Discovery) -> Vec<Problem> {
    let names = Names { config, discovery };
    let mut problems = Vec::new();
    if let Some(routes) = &config.core().routes {
        problems.extend(names.of_routes(routes));
        if routes.is_whole {
            problems.extend(names.without_route(routes));
        }
    }
    for (path, entry) in config.core().merge.named() {
        problems.extend(names.wrong(entry, Role::Authority, path, Code::NobodyInOrder));
    }
    problems.extend(names.speaking());
    problems
}

struct Names<'a> {
    config: &'a Config,
    discovery: &'a Discovery,
}

impl Names<'_> {
    fn listed(&self) -> impl Iterator<Item = &str> + Clone {
        let listed = self.config.core().plugins.iter();
        listed.map(|entry| entry.key.as_str())
    }

    /// The role of the plugin `key`, if it can be told.
    fn role(&self, key: &str) -> Option<Role> {
        let found = self.discovery.find(key).ok().flatten();
        found.map(|(_, _, plugin)| plugin.role)
    }

    /// The listed plugins that have `role`, or whose role nobody can tell.
    fn candidates(&self, role: Role) -> impl Iterator<Item = &str> + Clone {
        self.listed()
            .filter(move |key| self.role(key).is_none_or(|found| found == role))
    }

    /// What is wrong with naming `entry` where a plugin of `role` has its place.
    fn wrong(&self, entry: &Listed, role: Role, path: &str, code: Code) -> Option<Problem> {
        let key = entry.key.as_str();
        if !self.listed().any(|listed| listed == key) {
            let summary = format!("{path} names \"{key}\", which core.plugins does not list");
            let problem = Problem::error(code, summary).at(&entry.origin, path);
            return Some(match nearest(key, self.candidates(role)) {
                Some(near) => problem.help(format!("write \"{near}\"")),
                None => problem.help(format!("list it in core.plugins, or name another {role}")),
            });
        }
        let found = self.role(key).filter(|found| *found != role)?;
        let (a, another) = (article(found), article(role));
        let summary = format!("{path} names \"{key}\", which is {a} {found}, not {another} {role}");
        let problem = Problem::error(code, summary).at(&entry.origin, path);
        let candidates = self.candidates(role).collect::<Vec<_>>();
        Some(if candidates.is_empty() {
            problem.help(format!(
                "list {another} {role} in core.plugins, and name it here"
            ))
        } else {
            problem.help(format!("core.plugins lists {}", candidates.join(", ")))
        })
    }

    fn of_routes(&self, routes: &RouteSettings) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (_, route) in routes.routes.iter() {
            let path = format!("{}.reconciler", route.path);
            let code = Code::RouteToNobody;
            problems.extend(self.wrong(&route.reconciler, Role::Reconciler, &path, code));
            let path = format!("{}.publishers", route.path);
            for publisher in route.publishers.iter().flatten() {
                problems.extend(self.wrong(publisher, Role::Publisher, &path, code));
            }
        }
        problems
    }

    /// Reconcilers and publishers that would have nothing to do.
    fn without_route(&self, routes: &RouteSettings) -> Vec<Problem> {
        let all = || routes.routes.iter().map(|(_, route)| route);
        // What a route names and does not exist may be this one, misspelt.
        let reconcilers = all().map(|route| route.reconciler.key.as_str());
        let reconcilers = reconcilers.collect::<BTreeSet<_>>();
        let publishers = all().flat_map(|route| route.publishers.iter().flatten());
        let publishers = publishers.map(|entry| entry.key.as_str());
        let publishers = publishers.collect::<BTreeSet<_>>();
        let is_for_all = all().any(|route| route.publishers.is_none());
        let entries = self.config.core().plugins.iter();
        let idle = entries.filter_map(|entry| {
            let key = entry.key.as_str();
            let role = self.role(key)?;
            let named = match role {
                Role::Reconciler => &reconcilers,
                Role::Publisher if !is_for_all => &publishers,
                _ => return None,
            };
            let misspelt = named
                .iter()
                .any(|named| !self.listed().any(|listed| listed == *named));
            (!named.contains(key) && !misspelt).then(|| {
                Problem::error(
                    Code::NoRouteTo,
                    format!("no route leads to the {role} \"{key}\""),
                )
                .at(&entry.origin, "core.plugins")
                .found(format!("core.routes is at {}", routes.origin))
                .because("it would have nothing to do")
                .help("name it in a route, or remove it from core.plugins")
            })
        });
        idle.collect()
    }

    /// Zones of plugins that do not speak.
    fn speaking(&self) -> Vec<Problem> {
        let settings = self.config.core().plugin.iter();
        let wrong = settings.filter_map(|(key, settings)| {
            let zones = settings.zones.as_ref()?;
            let role = self.role(key).filter(|role| *role != Role::Authority)?;
            let origin = zones.listed().first().map(|(_, origin)| origin);
            let path = format!("core.plugin.\"{key}\".zones");
            let help = match role {
                Role::Reconciler | Role::Publisher => {
                    "which zones it gets is said in [core.routes]"
                }
                _ => "remove it",
            };
            let summary = format!(
                "{path} has no meaning: \"{key}\" is {} {role}",
                article(role)
            );
            Some(
                Problem::error(Code::NotAnAuthority, summary)
                    .at(origin.or(settings.origin.as_ref())?, path)
                    .because("only authorities speak for zones")
                    .help(help),
            )
        });
        wrong.collect()
    }
}

fn article(role: Role) -> &'static str {
    match role {
        Role::Authority => "an",
        _ => "a",
    }
}
