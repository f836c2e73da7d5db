//! Sealed plans: what is applied is what was planned, or nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::janitor::{HEAD, Janitor, Run, with_mount};

/// Two zones to change, one that is as desired.
fn deployment() -> Janitor {
    Janitor::new()
        .desired(
            "a.test",
            "new A 192.0.2.1\nttl 600 A 192.0.2.1\nstay A 192.0.2.3",
        )
        .served(
            "a.test",
            "old A 192.0.2.1\nttl A 192.0.2.1\nstay A 192.0.2.3",
        )
        .desired("b.test", "www A 192.0.2.2")
        .served("b.test", "www A 192.0.2.1")
        .desired("same.test", "www A 192.0.2.1")
        .served("same.test", "www A 192.0.2.1")
}

fn plan_of(janitor: &Janitor) -> String {
    janitor.path("plan").display().to_string()
}

/// Seals a plan, and says how that ended.
fn seal(janitor: &Janitor) -> i32 {
    janitor.plan(&["--out", &plan_of(janitor)]).exit_code()
}

fn apply(janitor: &Janitor) -> Run {
    janitor.command(&["apply", &plan_of(janitor)])
}

/// What is served in every zone.
fn served(janitor: &Janitor) -> [String; 3] {
    ["a.test", "b.test", "same.test"].map(|zone| janitor.served_file(zone))
}

/// Applies the plan, sees that nothing is changed, and returns what was said.
fn refused(janitor: &Janitor) -> String {
    let before = served(janitor);
    let run = apply(janitor);
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert_eq!(served(janitor), before);
    without_time(&run.errors())
}

/// The text with `<time>` for a time.
fn without_time(text: &str) -> String {
    let Some((before, rest)) = text.split_once("made at ") else {
        return text.to_owned();
    };
    let (_, rest) = rest.split_once('Z').expect("a time ends with Z");
    format!("{before}made at <time>{rest}")
}

#[test]
fn a_plan_is_applied_and_then_nothing_is_left_to_do() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let run = apply(&janitor);
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert_eq!(run.errors(), "");
    assert!(
        janitor
            .served_file("a.test")
            .contains("new.a.test. 300 IN A 192.0.2.1")
    );
    assert!(!janitor.served_file("a.test").contains("old.a.test."));
    assert!(janitor.served_file("b.test").contains("192.0.2.2"));
    assert_eq!(janitor.plan(&["--exit-code"]).exit_code(), 0);
}

#[test]
fn a_plan_says_whether_changes_are_pending_when_it_is_sealed() {
    let janitor = deployment();
    let plan = plan_of(&janitor);
    let out = ["--exit-code", "--out", &plan];
    assert_eq!(janitor.plan(&out).exit_code(), 4);
    assert_eq!(apply(&janitor).exit_code(), 0);
    assert_eq!(janitor.plan(&out).exit_code(), 0);
    assert_eq!(apply(&janitor).exit_code(), 0);
}

#[test]
fn authorities_take_no_part_when_a_plan_is_applied() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    for zone in ["a.test", "b.test"] {
        fs::remove_file(janitor.path(&format!("desired/{zone}.zone"))).expect("a file can go");
    }
    let run = janitor.command(&["apply", &plan_of(&janitor), "--in-process"]);
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert!(
        run.log_with("Loaded 2 plugins: ['files.served', 'files.apply']")
            .len()
            == 1
    );
}

#[test]
fn a_new_serial_and_new_signatures_are_no_other_zone() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let signed = "\
www A 192.0.2.1
www RRSIG A 13 3 300 20300101000000 20200101000000 1 b.test. AAAA
@ DNSKEY 257 3 13 AAAA
@ NS ns2.example.net.
";
    let head = HEAD.replace(" 1 3600", " 7 3600");
    let janitor = janitor.file("served/b.test.zone", format!("{head}{signed}"));
    assert_eq!(apply(&janitor).exit_code(), 0);
    let served = janitor.served_file("b.test");
    assert!(
        served.contains("www.b.test. 300 IN A 192.0.2.2"),
        "{served}"
    );
    assert!(served.contains("RRSIG"), "{served}");
}

#[test]
fn a_zone_that_changed_meanwhile_refuses_the_whole_plan() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let head = HEAD.replace(" 1 3600", " 2 3600");
    let janitor = janitor.file(
        "served/b.test.zone",
        format!("{head}www A 192.0.2.7\nmore A 192.0.2.1\n"),
    );
    assert_snapshot!(refused(&janitor), @"
    error[GJ814]: zone `b.test.` is not as it was when the plan was made
      found: planned for serial 1 with 3 RRsets, now serial 2 with 4 RRsets
      found: the change deletes A of `www.b.test.` in a form that is not served
      because: a plan is applied only to what it was made for; none of it was applied
      help: plan again, and look at what changed: gordon-janitor plan --out FILE
    ");
}

#[test]
fn a_zone_that_changed_elsewhere_than_the_plan_does_refuses_it_too() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let janitor = janitor.served("b.test", "www A 192.0.2.1\nmore A 192.0.2.1");
    assert_snapshot!(refused(&janitor), @"
    error[GJ814]: zone `b.test.` is not as it was when the plan was made
      found: planned for serial 1 with 3 RRsets, now serial 1 with 4 RRsets
      because: a plan is applied only to what it was made for; none of it was applied
      help: plan again, and look at what changed: gordon-janitor plan --out FILE
    ");
}

#[test]
fn a_zone_that_cannot_be_read_any_more_refuses_the_whole_plan() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let path = janitor.path("served/b.test.zone");
    fs::rename(&path, janitor.path("kept")).expect("a file can be moved");
    let run = apply(&janitor);
    fs::rename(janitor.path("kept"), &path).expect("a file can be moved");
    assert_eq!(run.exit_code(), 1);
    assert_snapshot!(run.errors(), @"
    error[GJ817]: nobody can tell whether zone `b.test.` is as it was when the plan was made
      found: cannot read the served zone: `<root>/served` holds no file for it, so it is not served there
      because: a plan is applied only to what it was made for; none of it was applied
      help: apply it again once the zone can be read, or plan again
    ");
    assert_eq!(janitor.plan(&["--exit-code"]).exit_code(), 4);
}

#[test]
fn a_plan_without_changes_to_a_zone_does_not_care_about_it() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let janitor = janitor.served("same.test", "other A 192.0.2.1");
    assert_eq!(apply(&janitor).exit_code(), 0);
}

#[test]
fn a_plan_is_not_applied_twice_even_if_the_zones_are_as_they_were() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    assert_eq!(apply(&janitor).exit_code(), 0);
    let janitor = janitor.served("b.test", "www A 192.0.2.1");
    assert_snapshot!(refused(&janitor), @"
    error[GJ815]: the plan for zone `a.test.` was overtaken
      found: run 1 applied this plan
      because: an older plan would take back what a newer one has done
      help: plan again: gordon-janitor plan --out FILE
    error[GJ815]: the plan for zone `b.test.` was overtaken
      found: run 1 applied this plan
      because: an older plan would take back what a newer one has done
      help: plan again: gordon-janitor plan --out FILE
    ");
}

#[test]
fn a_plan_is_not_applied_after_one_that_was_made_later() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let plan = fs::read(janitor.path("plan")).expect("the plan can be read");
    let janitor = janitor.desired("b.test", "www A 192.0.2.3");
    assert_eq!(janitor.run().exit_code(), 0);
    let janitor = deployed_again(janitor).file("plan", plan);
    let said = refused(&janitor);
    assert!(
        said.contains("error[GJ815]: the plan for zone `b.test.` was overtaken"),
        "{said}"
    );
    assert!(
        said.contains("run 1 applied one that was made at "),
        "{said}"
    );
}

/// The zones as they were served at first.
fn deployed_again(janitor: Janitor) -> Janitor {
    janitor
        .served(
            "a.test",
            "old A 192.0.2.1\nttl A 192.0.2.1\nstay A 192.0.2.3",
        )
        .served("b.test", "www A 192.0.2.1")
}

#[test]
fn without_a_history_a_plan_is_held_against_the_zones_alone() {
    let janitor = deployment().settings("[core.history]\nenabled = false");
    assert_eq!(seal(&janitor), 0);
    assert_eq!(apply(&janitor).exit_code(), 0);
    assert!(refused(&janitor).contains("error[GJ814]"));
    assert_eq!(apply(&deployed_again(janitor)).exit_code(), 0);
}

#[test]
fn what_was_left_out_of_a_plan_is_left_out_when_it_is_applied() {
    let janitor = deployment().desired("missing.test", "www A 192.0.2.1");
    assert_eq!(seal(&janitor), 3);
    let run = apply(&janitor);
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_eq!(run.left_out().len(), 1);
    assert!(janitor.served_file("b.test").contains("192.0.2.2"));
}

#[test]
fn what_was_withheld_or_forced_when_it_was_planned_is_so_when_it_is_applied() {
    let losing = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let losing = losing
        .map(|owner| format!("{owner} A 192.0.2.1"))
        .join("\n");
    let janitor = deployment()
        .desired("much.test", "a A 192.0.2.1")
        .served("much.test", &losing)
        .settings("[core.guard.run]\ndeletions_percent = 'off'");
    assert_eq!(seal(&janitor), 3);
    let run = apply(&janitor);
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    let told = "warning[GJ822]: nothing of `much.test.` is published: ";
    assert!(run.errors().contains(told), "{}", run.errors());
    assert!(janitor.served_file("b.test").contains("192.0.2.2"));
    assert!(janitor.served_file("much.test").contains("d A 192.0.2.1"));

    let plan = plan_of(&janitor);
    let forced = janitor.plan(&["--force", "much.test", "--out", &plan]);
    assert_eq!(forced.exit_code(), 0, "{}", forced.stderr());
    assert_eq!(apply(&janitor).exit_code(), 0);
    assert!(!janitor.served_file("much.test").contains("d A"));
    assert!(!janitor.served_file("much.test").contains("d.much.test."));
    let refused = janitor.command(&["apply", &plan, "--force", "much.test"]);
    assert_eq!(refused.exit_code(), 2, "{}", refused.stderr());
}

#[test]
fn another_configuration_refuses_a_plan_and_is_named() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let other = janitor.settings("[files.zones]\nmax_octets = 1000000\n[core]\ngrace = 3");
    assert_snapshot!(refused(&other), @"
    error[GJ813]: the plan `<root>/plan` was made with another configuration
      where: <root>
      found: made at <time>; since then or elsewhere, there are differences in [files.zones]
      because: they decide which changes are made and where they go
      help: plan again with this configuration, or apply it with the one that it was made with (--config-root)
    error: nothing was published
    ");
}

#[test]
fn what_only_changes_how_a_run_goes_does_not_refuse_a_plan() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let other = janitor
        .settings("[core]\ngrace = 3\nchannel_capacity = 2\n[core.logging]\nlevel = 'debug'");
    assert_eq!(apply(&other).exit_code(), 0);
}

#[test]
fn nothing_is_gone_on_without_when_a_plan_is_applied() {
    let janitor = deployment()
        .publishers(&["files.apply", "villain.publisher.panics-in-new"])
        .settings("[core]\ndebug = true");
    let plan = plan_of(&janitor);
    assert_eq!(janitor.plan(&["--out", &plan]).exit_code(), 0);
    let before = served(&janitor);
    let run = apply(&janitor);
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert!(run.errors().contains("error[GJ501]"), "{}", run.errors());
    assert_eq!(served(&janitor), before);
}

#[test]
fn a_reconciler_that_gave_no_actual_zone_makes_no_plan_that_can_be_applied() {
    let janitor = Janitor::new()
        .reconcilers(&["villain.reconciler.hides-what-is-served"])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.9")
        .settings(
            "[core.guard]\ndeletions_percent = 'off'\n[core.guard.run]\ndeletions_percent = 'off'",
        );
    assert_eq!(seal(&janitor), 0);
    let run = apply(&janitor);
    assert_eq!(run.exit_code(), 1);
    assert_snapshot!(run.errors(), @"
    error[GJ817]: nobody can tell whether zone `a.test.` is as it was when the plan was made
      found: when the plan was made, the reconciler did not give the actual zone
      because: a plan is applied only to what it was made for; none of it was applied
      help: apply it again once the zone can be read, or plan again
    ");
}

#[test]
fn every_wrong_answer_to_the_question_to_read_refuses_the_plan() {
    for (reconciler, said) in [
        ("is-silent", "the reconciler did not answer"),
        ("leaves-out", "cannot ask the servers: they are asleep"),
        ("invents", "answered something else"),
    ] {
        let key = format!("villain.reconciler.{reconciler}");
        let honest = Janitor::new()
            .reconcilers(&["villain.reconciler.behaves"])
            .publishers(&["villain.publisher.behaves"])
            .desired("a.test", "new A 192.0.2.1");
        assert_eq!(seal(&honest), 0, "{reconciler}");
        // The plan of an honest one, in the hands of another that says it is the same.
        let plan = fs::read_to_string(honest.path("plan")).expect("the plan can be read");
        let janitor = Janitor::new()
            .reconcilers(&[&key])
            .publishers(&["villain.publisher.behaves"])
            .desired("a.test", "new A 192.0.2.1");
        let own = janitor.plan(&["--format", "json"]).stdout();
        let own = own
            .lines()
            .next()
            .expect("there is a header")
            .replace("\"sealed\":false", "\"sealed\":true");
        let rest = plan.split_once('\n').expect("there are lines").1;
        let rest = rest.replace("villain.reconciler.behaves", &key);
        let janitor = janitor.file("plan", resealed(&format!("{own}\n{rest}")));
        let run = apply(&janitor);
        assert_eq!(run.exit_code(), 1, "{reconciler}: {}", run.stderr());
        assert!(run.errors().contains("error[GJ817]"), "{}", run.errors());
        assert!(run.errors().contains(said), "{}", run.errors());
        assert_eq!(run.given(), Vec::<String>::new());
    }
}

#[test]
fn a_plan_is_for_its_owner_and_replaces_only_plans() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let mode = fs::metadata(janitor.path("plan"))
        .expect("the plan is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(seal(&janitor), 0);

    let janitor = janitor.file("plan", "my notes\n");
    let run = janitor.plan(&["--out", &plan_of(&janitor)]);
    assert_eq!((run.exit_code(), run.stdout().as_str()), (1, ""));
    assert_snapshot!(run.errors(), @"
    error[GJ816]: `<root>/plan` is there, and not a plan
      because: only a plan is written over by a plan
      help: name another file, or remove this one
    error: nothing was published
    ");
    assert_eq!(
        fs::read_to_string(janitor.path("plan")).ok().as_deref(),
        Some("my notes\n")
    );

    for (path, said) in [
        ("served", "is there, and not a regular file"),
        ("nowhere/plan", "create the directory, or name another"),
    ] {
        let path = janitor.path(path).display().to_string();
        let run = janitor.plan(&["--out", &path]);
        assert_eq!(run.exit_code(), 1);
        assert!(run.errors().contains(said), "{}", run.errors());
    }
}

#[test]
fn a_plan_of_a_run_that_failed_is_not_written() {
    let janitor = deployment().authorities(&["files.zones", "villain.authority.fails"]);
    let run = janitor.plan(&["--out", &plan_of(&janitor)]);
    assert_eq!(run.exit_code(), 1);
    assert!(!janitor.path("plan").exists());
    assert!(
        run.errors()
            .contains("error[GJ816]: the plan is not written to `<root>/plan`: it is not whole"),
        "{}",
        run.errors()
    );
}

#[test]
fn a_full_disk_leaves_nothing_half() {
    let mut records = String::new();
    for number in 0..3000 {
        records.push_str(&format!("host-{number} A 192.0.2.1\n"));
    }
    let janitor = deployment().desired("a.test", &records);
    fs::create_dir(janitor.path("small")).expect("a directory can be made");
    let before = "cp /etc/hostname before 2>/dev/null; true";
    let out = janitor.path("small/plan").display().to_string();
    let arguments = ["plan", "--out", &out, "--format", "json"];
    let Some(output) = with_mount(&janitor, "small", "size=64k", before, &arguments) else {
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("error[GJ816]: cannot write the plan to"),
        "{errors}"
    );
    assert!(errors.contains("No space left on device"), "{errors}");
    assert!(errors.contains("nothing of it is left"), "{errors}");
}

/// The text of a plan with the closing digest that its lines have now.
fn resealed(text: &str) -> String {
    let (body, _) = text
        .rsplit_once(",\"sha256\":")
        .expect("the end has a digest");
    format!("{body},\"sha256\":\"{}\"}}\n", sha256(body.as_bytes()))
}

fn sha256(octets: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(octets);
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What is said of the plan once `edit` has changed it, and it was sealed anew.
fn said_of(janitor: &Janitor, edit: impl Fn(&str) -> String) -> String {
    let path = janitor.path("plan");
    let plan = fs::read_to_string(&path).expect("the plan can be read");
    let edited = edit(&plan);
    assert_ne!(edited, plan, "the edit has an effect");
    fs::write(&path, &edited).expect("the plan can be written");
    let said = refused(janitor);
    fs::write(&path, plan).expect("the plan can be written");
    said
}

#[test]
fn what_is_no_sealed_plan_is_not_applied() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    assert_snapshot!(said_of(&janitor, |_| "my notes\n".to_owned()), @"
    error[GJ811]: `<root>/plan` is not a sealed plan
      found: it does not begin as a plan does
      help: make one: gordon-janitor plan --out FILE
    error: nothing was published
    ");
    assert_snapshot!(said_of(&janitor, |plan| plan.replacen("\"plan\":1", "\"plan\":2", 1)), @"
    error[GJ811]: `<root>/plan` is not a sealed plan
      found: it is a plan of version 2, and this gordon-janitor reads version 1
      help: make one: gordon-janitor plan --out FILE
    error: nothing was published
    ");
    let shown = janitor.plan(&["--format", "json"]).stdout();
    assert_snapshot!(said_of(&janitor, |_| shown.clone()), @"
    error[GJ811]: `<root>/plan` is not a sealed plan
      found: it only shows a plan, as plan --format json does
      help: make one: gordon-janitor plan --out FILE
    error: nothing was published
    ");
    let run = janitor.command(&["apply", "/nowhere/plan"]);
    assert_eq!(run.exit_code(), 1);
    assert_snapshot!(run.errors(), @"
    error[GJ818]: cannot read the plan `/nowhere/plan`: No such file or directory (os error 2)
      help: name a file that gordon-janitor plan --out has written
    error: nothing was published
    ");
}

#[test]
fn an_edited_plan_is_not_applied_even_if_its_digest_is_made_to_fit() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    assert_snapshot!(said_of(&janitor, |plan| plan.replacen("192.0.2.2", "192.0.2.9", 1)), @"
    error[GJ812]: the plan `<root>/plan` is not as it was sealed: line 3: what it says is not what would be applied
      because: it was cut short, damaged or edited; nothing of it can be relied on
      help: plan again: gordon-janitor plan --out FILE
    error: nothing was published
    ");
    let edit = |from: &'static str, to: &'static str| {
        said_of(&janitor, move |plan| resealed(&plan.replacen(from, to, 1)))
    };
    assert_snapshot!(edit("192.0.2.2", "192.0.2.9"), @"
    error[GJ812]: the plan `<root>/plan` is not as it was sealed: line 3: what it says is not what would be applied
      because: it was cut short, damaged or edited; nothing of it can be relied on
      help: plan again: gordon-janitor plan --out FILE
    error: nothing was published
    ");
    for (from, to) in [
        ("\"additions\":1", "\"additions\":2"),
        ("\"action\":\"deletion\"", "\"action\": \"deletion\""),
        ("{\"zone\":\"b.test.\"", "{\"zone\":\"B.test.\""),
        ("{\"zone\":\"b.test.\"", "{\"zone\":\"c.test.\""),
        ("{\"zone\":\"b.test.\"", "{\"extra\":1,\"zone\":\"b.test.\""),
        ("\"complete\":true", "\"complete\":true,\"complete\":true"),
        (
            "\"publishers\":[\"files.apply\"]",
            "\"publishers\":[\"files.changes\"]",
        ),
        ("\"reconciler\":\"files.served\",", ""),
        ("\"end\":{\"zones\":3", "\"end\":{\"zones\":2"),
        ("\"policy\":{\"sha256\":\"", "\"policy\":{\"sha256\":\"0"),
    ] {
        let said = edit(from, to);
        assert!(
            said.starts_with("error[GJ812]: the plan `<root>/plan` is not as it was sealed: line "),
            "{from}: {said}"
        );
    }
}

#[test]
fn a_plan_for_a_publisher_that_takes_no_part_is_not_applied() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let said = said_of(&janitor, |plan| {
        let own = "{\"key\":\"files.apply\",";
        let other = "{\"key\":\"other\",\"role\":\"publisher\",\"version\":\"1\",\"sha256\":null,\"conditional\":true},";
        let plan = plan.replacen(own, &format!("{other}{own}"), 1);
        resealed(&plan.replacen("\"publishers\":[", "\"publishers\":[\"other\",", 1))
    });
    assert_snapshot!(said, @r#"
    error[GJ819]: the plan is for the publisher "other", which takes no part
      because: a change is applied when all its publishers say so; none of it was applied
      help: plan again: gordon-janitor plan --out FILE
    "#);
}

#[test]
fn a_plan_whose_lines_are_taken_away_or_mixed_is_not_applied() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let without = |number: usize| {
        said_of(&janitor, move |plan| {
            let lines = plan.lines().enumerate();
            let kept = lines.filter(|(at, _)| *at != number);
            let kept = kept
                .map(|(_, line)| format!("{line}\n"))
                .collect::<String>();
            if number == 4 { kept } else { resealed(&kept) }
        })
    };
    for number in 1..=4 {
        assert!(without(number).contains("GJ812"), "line {number}");
    }
    assert!(without(0).contains("GJ811"));
    let swapped = said_of(&janitor, |plan| {
        let mut lines = plan.lines().collect::<Vec<_>>();
        lines.swap(1, 2);
        resealed(&(lines.join("\n") + "\n"))
    });
    assert!(
        swapped.contains("the zones are not in canonical order"),
        "{swapped}"
    );
    let longer = said_of(&janitor, |plan| format!("{plan}{plan}"));
    assert!(
        longer.contains("it stands behind the last line"),
        "{longer}"
    );
}

#[test]
fn many_zones_that_changed_are_counted() {
    let mut janitor = Janitor::new();
    for number in 0..13 {
        let zone = format!("z{number:02}.test");
        janitor = janitor.desired(&zone, "www A 192.0.2.1").served(&zone, "");
    }
    assert_eq!(seal(&janitor), 0);
    for number in 0..13 {
        janitor = janitor.served(&format!("z{number:02}.test"), "other A 192.0.2.1");
    }
    let run = apply(&janitor);
    assert_eq!(run.exit_code(), 1);
    let errors = run.errors();
    assert_eq!(errors.matches("error[GJ814]").count(), 10, "{errors}");
    assert!(
        errors.contains("also: 3 more zones stood in the way of the plan"),
        "{errors}"
    );
}

#[test]
fn every_line_of_a_plan_fits_the_schema_that_is_documented() {
    let janitor = deployment()
        .desired("missing.test", "www A 192.0.2.1")
        .desired("much.test", "www A 192.0.2.1")
        .served(
            "much.test",
            "a A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1\nd A 192.0.2.1",
        );
    assert_eq!(seal(&janitor), 3);
    let plan = fs::read_to_string(janitor.path("plan")).expect("the plan can be read");
    assert!(plan.contains("\"guard\":\"withheld\""), "{plan}");
    let good = plan.lines().map(str::to_owned).collect::<Vec<_>>();
    let bad = [
        ("\"plan\":1", "\"plan\":2"),
        ("\"serial\":1", "\"serial\":-1"),
        ("\"action\":\"update\"", "\"action\":\"addition\""),
        ("\"guard\":\"passed\"", "\"guard\":\"asleep\""),
        ("\"end\":{", "\"ends\":{"),
        ("\"what\":", "\"which\":"),
    ];
    let bad = bad.map(|(from, to)| {
        let line = good.iter().find(|line| line.contains(from));
        line.expect("a line has it").replacen(from, to, 1)
    });
    let lines = good.iter().chain(&bad).collect::<Vec<_>>();
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan.schema.json");
    let Some(verdicts) = crate::peers::fit_schema(&schema, &janitor.path(""), &lines) else {
        return;
    };
    let expected = (0..lines.len()).map(|at| at < good.len());
    assert_eq!(verdicts, expected.collect::<Vec<_>>());
}

#[test]
fn what_had_no_route_or_was_named_by_nobody_is_told_again_when_a_plan_is_applied() {
    let janitor =
        deployment().settings("[core.routes]\n'a.test' = { reconciler = 'files.served' }");
    assert_eq!(seal(&janitor), 3);
    let run = apply(&janitor);
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    assert_eq!(run.left_out().len(), 2);
    assert!(janitor.served_file("a.test").contains("new.a.test."));

    let janitor = deployment();
    assert_eq!(janitor.run().exit_code(), 0);
    assert_eq!(janitor.run().exit_code(), 0);
    fs::remove_file(janitor.path("desired/same.test.zone")).expect("a file can go");
    let janitor = janitor.desired("b.test", "www A 192.0.2.3");
    assert_eq!(seal(&janitor), 3);
    let run = apply(&janitor);
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert!(run.errors().contains("same.test"), "{}", run.errors());
    assert!(janitor.served_file("b.test").contains("192.0.2.3"));
}

#[test]
fn a_plan_from_the_future_is_not_applied() {
    let janitor = deployment();
    assert_eq!(seal(&janitor), 0);
    let said = said_of(&janitor, |plan| {
        resealed(&plan.replacen("\"made_at\":\"20", "\"made_at\":\"29", 1))
    });
    assert!(
        said.starts_with("error[GJ815]: the plan `<root>/plan` was made in the future"),
        "{said}"
    );
}

#[test]
fn a_plan_that_goes_another_way_than_is_configured_is_not_applied() {
    let janitor = deployment().publishers(&["files.apply", "villain.publisher.behaves"]);
    assert_eq!(seal(&janitor), 0);
    let both = "\"publishers\":[\"files.apply\",\"villain.publisher.behaves\"]";
    let one = "\"publishers\":[\"files.apply\"]";
    for (from, to) in [
        (both, one),
        (both, "\"publishers\":[]"),
        (
            "\"reconciler\":\"files.served\"",
            "\"reconciler\":\"files.zones\"",
        ),
    ] {
        let said = said_of(&janitor, |plan| resealed(&plan.replacen(from, to, 1)));
        assert!(
            said.starts_with("error[GJ812]: the plan of zone `a.test.` goes another way"),
            "{to}: {said}"
        );
    }
}

#[test]
fn what_is_no_file_or_has_no_line_is_refused_at_once() {
    let janitor = deployment();
    let pipe = janitor.path("plan");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    for path in [pipe.display().to_string().as_str(), "/dev/zero", "/"] {
        let run = janitor.command(&["apply", path]);
        assert_eq!(run.exit_code(), 1);
        assert!(
            run.errors().contains("it is not a regular file"),
            "{}",
            run.errors()
        );
    }
    let hole = fs::File::create(janitor.path("hole")).expect("a file can be made");
    hole.set_len(1 << 33).expect("a hole takes no room");
    let path = janitor.path("hole").display().to_string();
    let run = janitor.command(&["apply", &path]);
    assert_eq!(run.exit_code(), 1);
    assert!(
        run.errors().contains("it does not begin as a plan does"),
        "{}",
        run.errors()
    );
}
