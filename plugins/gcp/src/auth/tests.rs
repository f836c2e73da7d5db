//! Credentials of every kind against servers that answer as a test says.

mod sharing;
mod secrets;
mod lateness;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use janitor_plugin_api::Error;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::places::{self, Found, World};
use super::{Secret, Token, Tokens};
use crate::http::tests::server::{Received, Reply, Server};
use crate::http::{Exchange, Fault};
use crate::settings::{Endpoints, GoogleSettings};

/// The private key of the tests' service account.
pub(super) const PRIVATE_KEY: &str = include_str!("../../testdata/keys/account.pkcs8.pem");

/// A machine: files, an environment, and settings.
pub(super) struct Machine {
    directory: TempDir,
    variables: BTreeMap<&'static str, String>,
    pub(super) settings: GoogleSettings,
    pub(super) exchange: Exchange,
}

impl Machine {
    /// One with nothing on it. What asks for a token has pauses that nobody notices.
    pub(super) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            variables: BTreeMap::new(),
            settings: GoogleSettings {
                keyfile: None,
                scopes: vec!["cloud-platform".to_owned()],
                endpoints: Endpoints::default(),
                timeout: Duration::from_secs(10),
                deadline: Duration::from_secs(20),
            },
            exchange: Exchange::testing(),
        }
    }

    /// One where the setting `keyfile` names a file with `json`.
    pub(super) fn with_key_file(json: &Value) -> Self {
        let mut machine = Self::new();
        machine.write("key.json", json.to_string());
        machine.settings.keyfile = Some("key.json".into());
        machine
    }

    /// Writes a file that its owner alone can read.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(super) fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.variables.insert(variable, value.into());
    }

    /// Sets a variable to the path of a file of its own.
    pub(super) fn set_path(&mut self, variable: &'static str, name: &str) {
        let path = self.path().join(name);
        self.set(variable, path.to_str().unwrap());
    }

    /// The path of its directory, where texts have `DIR`.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn tokens(&self) -> Result<Tokens, Error> {
        self.with_world(|world| Tokens::find(&self.settings, self.exchange.clone(), world))
    }

    /// The credentials that are found on it.
    pub(super) fn found(&self) -> Found {
        self.with_world(|world| places::find(self.settings.keyfile.as_deref(), world).unwrap())
    }

    fn with_world<T>(&self, work: impl FnOnce(&World<'_>) -> T) -> T {
        work(&World {
            variable: &|name| self.variables.get(name).map(OsString::from),
            resolve: &|path| self.path().join(path),
        })
    }

    /// The text of the error with which no credentials are found, or those that are cannot be used.
    pub(super) fn refusal(&self) -> String {
        self.without_paths(&text(&self.tokens().unwrap_err()))
    }

    /// The token that its credentials give.
    pub(super) fn token(&self) -> String {
        run(async {
            let access = self.tokens().unwrap().current().await.unwrap().unwrap();
            access.as_str().to_owned()
        })
    }

    /// The text of the fault with which its credentials give none.
    pub(super) fn fault(&self) -> String {
        let fault = run(async { self.tokens().unwrap().current().await.unwrap_err() });
        assert!(matches!(fault, Fault::Token(_)), "{fault:?}");
        assert_eq!(fault.answered(), None);
        let hint = fault.hint().map(|hint| format!("\nhint: {hint}"));
        let text = text(&fault) + &hint.unwrap_or_default();
        self.without_paths(&text)
    }

    pub(super) fn without_paths(&self, text: &str) -> String {
        text.replace(self.path().to_str().unwrap(), "DIR")
    }
}

/// An error and its causes, a line each.
pub(super) fn text(error: &(dyn StdError + 'static)) -> String {
    let links = std::iter::successors(Some(error), |&link| link.source());
    links
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Runs a test's exchanges on a thread of their own, as plugins do.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

/// A token as a test makes it.
pub(super) fn token(text: &str, seconds: u64) -> Token {
    Token::new(Secret::new(text.to_owned()), Duration::from_secs(seconds))
}

/// What an endpoint of OAuth 2.0 answers.
pub(super) fn granted(token: &str) -> Reply {
    let grant = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
    Reply::json(grant.to_string())
}

/// How an endpoint of OAuth 2.0 refuses.
pub(super) fn refused(status: u16, error: &str, description: &str) -> Reply {
    let refusal = json!({"error": error, "error_description": description});
    Reply::status(status, refusal.to_string())
}

/// The fields of a form, in their order.
pub(super) fn fields(request: &Received) -> Vec<(String, String)> {
    let content_type = request.header("content-type");
    assert_eq!(content_type, "application/x-www-form-urlencoded");
    form_urlencoded::parse(&request.body).into_owned().collect()
}

/// A key file of a service account that gets its tokens from `server`.
pub(super) fn service_account(server: &Server) -> Value {
    json!({
        "type": "service_account",
        "project_id": "dns-p",
        "private_key_id": "key-1",
        "private_key": PRIVATE_KEY,
        "client_email": "janitor@dns-p.iam.gserviceaccount.com",
        "client_id": "123",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": format!("{}token", server.url()),
        "universe_domain": "googleapis.com",
    })
}

/// What gcloud writes for a person who logs in.
pub(super) fn user(server: &Server) -> Value {
    json!({
        "account": "",
        "client_id": "764086051850.apps.googleusercontent.com",
        "client_secret": "client-hush",
        "refresh_token": "1//0/refresh-hush",
        "quota_project_id": "billing-p",
        "token_uri": format!("{}token", server.url()),
        "type": "authorized_user",
        "universe_domain": "googleapis.com",
    })
}
