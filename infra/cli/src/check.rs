//! `placet check`: what `placet.yaml` means.

use placet_runtime::Config;

use crate::{Failure, environment};

pub fn run() -> Result<(), Failure> {
    let environment = environment::load()?;
    let config = environment::config(&environment)?;
    println!("project {}", config.project.as_str());
    for (name, _) in config.operations() {
        print_operation(&config, name);
    }
    for (name, source) in config.sources() {
        let paths = source.paths.iter().map(|path| path.as_str());
        let paths: Vec<_> =
            paths.chain([format!("/webhooks/{name}").as_str()]).map(str::to_owned).collect();
        let open = match source.secret.resolve(&environment) {
            Ok(_) => "open".to_owned(),
            Err(error) => format!("closed: {error}"),
        };
        println!("source {name}\n  at        {}\n  is        {open}", paths.join(", "));
    }
    Ok(())
}

fn print_operation(config: &Config, name: &str) {
    let deadline = config.time_to_decide(name);
    println!("operation {name}\n  decide in {deadline:?}");
    match config.plan(name) {
        Some(plan) => println!(
            "  runs      {}\n  attempts  up to {} of {:?}{}",
            plan.executor,
            plan.max_attempts,
            plan.timeout,
            if plan.idempotent {
                ""
            } else {
                "; not idempotent: an unclear one waits for a person"
            },
        ),
        None => println!("  runs      nothing here: the asker acts on the answer"),
    }
}
