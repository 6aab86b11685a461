//! `placet check`: what `placet.yaml` means.

use placet_runtime::Config;

use crate::webhook::words;
use crate::{Failure, environment};

pub fn run() -> Result<(), Failure> {
    let environment = environment::load()?;
    let config = environment::config(&environment)?;
    println!("project {}", config.project.as_str());
    for (name, _) in config.operations() {
        print_operation(&config, name);
    }
    for (name, source) in config.sources() {
        let paths = source.paths.iter().map(|path| path.as_str().to_owned());
        let paths: Vec<_> = [format!("/webhooks/{name}")].into_iter().chain(paths).collect();
        println!(
            "source {name}\n  preset    {}\n  at        {}\n  is        {}\n  secrets   {}\n  targets   {}",
            source.preset.as_deref().unwrap_or("none"),
            paths.join(", "),
            words::openness(source, &environment),
            words::secrets(source, &environment),
            words::targets(source),
        );
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
