use crate::janitor::Janitor;

#[test]
fn smoke() {
    let janitor = Janitor::new()
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "old A 192.0.2.1");
    for args in [&["plan"][..], &["run"], &["plan", "--exit-code"]] {
        let run = janitor.command(args);
        println!("{} {}\n{}\n{}", run.exit_code(), run.stdout(), run.errors(), run.log().join("\n"));
    }
    println!("{}", janitor.served_file("example.com"));
    for key in ["panics-in-new", "panics-in-run", "panics-in-a-task", "panics-with-a-bomb","panics-in-drop","panics-in-cleanup","hangs-in-cleanup","fails","refuses-to-start","leaves-out","is-unsure","repeats-itself","talks","measures"] {
        let key = format!("villain.authority.{key}");
        let run = Janitor::new()
            .authorities(&["files.zones", &key])
            .desired("example.com", "www A 192.0.2.1")
            .served("example.com", "old A 192.0.2.1")
            .settings("[villain]\nzones = ['other.test']")
            .served("other.test", "")
            .run();
        println!("{key}\n{} {}\n{}\n{}", run.exit_code(), run.stdout(), run.errors(), run.log().join("\n"));
    }
}
