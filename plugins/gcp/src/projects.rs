//! Which projects there are, from Resource Manager.

use std::collections::BTreeSet;

use janitor_plugin_api::Error;
use serde::Deserialize;
use std::borrow::Cow;

use crate::http::{Google, Next, PageFault, Service};

/// The projects of a listing, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Projects {
    pub(crate) active: BTreeSet<String>,
    /// Those of which the listing does not say whether they are active.
    pub(crate) unknown: BTreeSet<String>,
}

/// A page of `projects.list`.
///
/// <https://docs.cloud.google.com/resource-manager/reference/rest/v1/projects/list>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListPage<'a> {
    #[serde(borrow)]
    projects: Option<Vec<Project<'a>>>,
    #[serde(borrow)]
    next_page_token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project<'a> {
    #[serde(borrow)]
    project_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    lifecycle_state: Option<Cow<'a, str>>,
}

impl Projects {
    /// Lists all projects that the credentials may see.
    ///
    /// # Errors
    ///
    /// Whatever keeps the list from being whole.
    pub(crate) async fn list(google: &Google) -> Result<Self, Error> {
        let mut url = google.url(Service::ResourceManager, &["v1", "projects"])?;
        url.query_pairs_mut().append_pair("pageSize", "1000");
        let mut projects = Self::default();
        let listed = google.pages(&url, |body| projects.take(body)).await;
        listed.map_err(|fault| fault.into_error("cannot list projects"))?;
        Ok(projects)
    }

    /// Takes what a page says.
    fn take(&mut self, body: &[u8]) -> Result<Next, PageFault> {
        let page: ListPage<'_> = serde_json::from_slice(body)?;
        for project in page.projects.unwrap_or_default() {
            // What is left out in JSON has its default: here, that the state is unset.
            let state = project.lifecycle_state.as_deref().unwrap_or_default();
            let known = match state {
                _ if state.eq_ignore_ascii_case("active") => &mut self.active,
                "" | "LIFECYCLE_STATE_UNSPECIFIED" => &mut self.unknown,
                _ => continue,
            };
            let Some(id) = project.project_id.filter(|id| !id.is_empty()) else {
                return Err(PageFault::Unfit("a project has no `projectId`".to_owned()));
            };
            known.insert(id.into_owned());
        }
        Ok(Next::from_token(page.next_page_token))
    }

    /// Takes `blacklist` out.
    pub(crate) fn remove(&mut self, blacklist: &BTreeSet<String>) {
        self.active.retain(|id| !blacklist.contains(id));
        self.unknown
            .retain(|id| !blacklist.contains(id) && !self.active.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pages: &[&str]) -> Result<Projects, String> {
        let mut projects = Projects::default();
        for page in pages {
            let next = projects.take(page.as_bytes());
            next.map_err(|fault| fault.to_string())?;
        }
        Ok(projects)
    }

    fn names(projects: &BTreeSet<String>) -> Vec<&str> {
        projects.iter().map(String::as_str).collect()
    }

    #[test]
    fn active_ones_count_once_in_any_letter_case_and_those_being_deleted_do_not() {
        let projects = of(&[
            r#"{"projects": [{"projectId": "b", "lifecycleState": "ACTIVE", "labels": {"x": "y"}},
                {"projectId": "gone", "lifecycleState": "DELETE_REQUESTED"},
                {"lifecycleState": "DELETE_IN_PROGRESS"}], "nextPageToken": "2"}"#,
            r#"{"projects": [{"projectId": "a", "lifecycleState": "active"},
                {"projectId": "b", "lifecycleState": "Active"}]}"#,
            "{}",
            r#"{"projects": null}"#,
        ]);
        let projects = projects.unwrap();
        assert_eq!(names(&projects.active), ["a", "b"]);
        assert_eq!(names(&projects.unknown), [""; 0]);
    }

    #[test]
    fn one_without_a_state_is_neither_active_nor_forgotten() {
        let page = r#"{"projects": [{"projectId": "a"}, {"projectId": "c", "lifecycleState": null},
            {"projectId": "b", "lifecycleState": "LIFECYCLE_STATE_UNSPECIFIED"},
            {"projectId": "a", "lifecycleState": "ACTIVE"}, {"projectId": "d"}]}"#;
        let mut projects = of(&[page]).unwrap();
        projects.remove(&BTreeSet::from(["d".to_owned()]));
        assert_eq!(names(&projects.active), ["a"]);
        assert_eq!(names(&projects.unknown), ["b", "c"]);
    }

    #[test]
    fn a_page_that_hides_a_project_is_a_fault() {
        let unfit = |page| of(&[page]).unwrap_err();
        let hidden = r#"{"projects": [{"lifecycleState": "ACTIVE"}]}"#;
        assert_eq!(unfit(hidden), "a project has no `projectId`");
        let json = "the answer is not the JSON that was expected";
        for page in [
            "",
            "[]",
            r#"{"projects": {}}"#,
            r#"{"projects": [1]}"#,
            r#"{"projects": [{"projectId": 5, "lifecycleState": "ACTIVE"}]}"#,
            r#"{"nextPageToken": 5}"#,
            r#"{"projects": []"#,
        ] {
            assert_eq!(unfit(page), json, "{page}");
        }
    }
}
