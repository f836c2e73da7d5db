//! Command lines and what they mean.

use super::*;

fn parse(line: &str) -> Result<Args, clap::Error> {
    parse_from(
        ["gordon-janitor"]
            .into_iter()
            .chain(line.split_whitespace()),
    )
}

fn command(line: &str) -> Command {
    parse(line).unwrap().command
}

#[test]
fn the_command_line_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn no_command_means_run() {
    let args = parse("").unwrap();
    assert_eq!(args.command, Command::Run(Run::default()));
    assert_eq!(
        (args.config_root, args.plugin_dir),
        (PathBuf::from("."), None)
    );
    for line in ["--dry-run", "run --dry-run", "--dry-run run"] {
        let dry = Run {
            dry_run: true,
            ..Run::default()
        };
        assert_eq!(command(line), Command::Run(dry), "{line}");
    }
}

#[test]
fn global_options_stand_before_or_after_the_command() {
    for line in [
        "-c / --plugin-dir /p plan",
        "plan -c / --plugin-dir /p",
        "plan --config-root=/ --plugin-dir=/p",
    ] {
        let args = parse(line).unwrap();
        assert_eq!(args.config_root, PathBuf::from("/"), "{line}");
        assert_eq!(args.plugin_dir, Some(PathBuf::from("/p")), "{line}");
    }
    for line in ["--log-format json plan", "plan --log-format=json"] {
        assert_eq!(parse(line).unwrap().log_format, Form::Json, "{line}");
    }
}

#[test]
fn every_command_is_read() {
    assert_eq!(
        command("plan"),
        Command::Plan(Plan {
            shown: Shown::default(),
            out: None,
            exit_code: false,
            force: Vec::new(),
            in_process: false,
        })
    );
    assert_eq!(
        command("plan --format json --exit-code --out a/plan"),
        Command::Plan(Plan {
            shown: Shown {
                format: Format::Json,
                ..Shown::default()
            },
            out: Some("a/plan".into()),
            exit_code: true,
            force: Vec::new(),
            in_process: false,
        })
    );
    assert_eq!(
        command("apply a/plan"),
        Command::Apply(Apply {
            file: "a/plan".into(),
            in_process: false,
        })
    );
    let why = Why {
        name: "www.example.com.".parse().unwrap(),
        rtype: Some(Rtype::AAAA),
        json: true,
        in_process: false,
    };
    assert_eq!(
        command("why WWW.example.com aaaa --json"),
        Command::Why(why)
    );
    for line in [
        "why",
        "why a..b",
        "why a NONE",
        "plan --max-length 2000",
        "plan --format markdown --max-length 999",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    let show = Show {
        key: "a.b".into(),
        json: true,
    };
    assert_eq!(
        command("plugins show a.b --json"),
        Command::Plugins(Plugins::Show(show))
    );
    let key = "a.b".to_owned();
    assert_eq!(
        command("plugins sample a.b"),
        Command::Plugins(Plugins::Sample { key })
    );
    assert_eq!(command("plugins schema"), Command::Plugins(Plugins::Schema));
    assert_eq!(
        command("plugins list"),
        Command::Plugins(Plugins::List(List::default()))
    );
    let install = Install {
        file: "libx.so".into(),
        name: Some("liby.so".into()),
    };
    assert_eq!(
        command("plugins install libx.so --as liby.so"),
        Command::Plugins(Plugins::Install(install))
    );
    assert_eq!(
        command("check --user gordon"),
        Command::Check(Check {
            user: Some("gordon".into())
        })
    );
    assert_eq!(
        command("config"),
        Command::Config(ConfigCommand {
            key: None,
            json: false
        })
    );
    let config = ConfigCommand {
        key: Some("a.b".into()),
        json: true,
    };
    assert_eq!(command("config a.b --json"), Command::Config(config));
    let shell = clap_complete::Shell::Zsh;
    assert_eq!(
        command("completions zsh"),
        Command::Completions(Completions { shell })
    );
    assert_eq!(command("man"), Command::Man(Man { out: None }));
}

#[test]
fn plugins_run_in_a_worker_unless_told_otherwise() {
    for line in ["", "run", "plan", "--dry-run", "apply x"] {
        assert!(!parse(line).unwrap().in_process(), "{line}");
    }
    for line in [
        "--in-process",
        "run --in-process",
        "--in-process run",
        "plan --in-process",
        "--in-process plan",
        "apply x --in-process",
        "--in-process apply x",
    ] {
        assert!(parse(line).unwrap().in_process(), "{line}");
    }
    let worker = parse("--worker-of 7 plan").unwrap().worker;
    assert_eq!(worker.worker_of, Some(7));
    assert_eq!(worker.opening_limit, crate::worker::OPENING_LIMIT);
    assert_eq!(worker.stall_limit, crate::activity::STALL_LIMIT);
}

#[test]
fn faults_of_usage_exit_with_2_and_help_with_0() {
    for line in [
        "--unknown",
        "runn",
        "plugins",
        "plugins check",
        "plugins install",
        "plan --format yaml",
        "--log-format xml",
        "-c /does/not/exist",
        "plan --dry-run",
        "--dry-run plan",
        "--in-process config",
        "--opening-limit=-1",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
    for line in ["--help", "--version", "plan --help"] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 0, "{line}");
    }
}

#[test]
fn a_configuration_root_that_plugins_could_not_be_told_of_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join(OsString::from_vec(vec![b'a', 0xff]));
    fs::create_dir(&root).unwrap();
    let line = [
        OsStr::new("gordon-janitor"),
        OsStr::new("-c"),
        root.as_os_str(),
    ];
    let error = parse_from(line).unwrap_err();
    assert!(error.to_string().contains("is not UTF-8"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn the_version_names_commit_api_and_target() {
    let text = parse("--version").unwrap_err().to_string();
    let begin = format!("gordon-janitor {} (commit ", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(&begin), "{text}");
    assert!(
        text.contains(&format!("plugin API {API_VERSION}, ")),
        "{text}"
    );
}
