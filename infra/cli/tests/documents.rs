//! What the README and `docs/` promise: examples of `placet.yaml` that Placet accepts, and links that lead somewhere.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use placet_runtime::Config;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn every_documented_configuration_is_accepted() {
    let mut examples = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for (line, example) in yaml_blocks(&text) {
            let whole = format!("project: default\n{example}");
            if let Err(error) = Config::parse(&whole) {
                panic!("{}:{line}: {error}\n{whole}", page.display());
            }
            examples += 1;
        }
    }
    assert!(examples > 10, "{examples} examples were found");
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            if !leads_to(&target, heading) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, <[String; 0]>::default());
}

fn leads_to(target: &Path, heading: &str) -> bool {
    match (target.exists(), heading) {
        (found, "") => found,
        (false, _) => false,
        (true, heading) => {
            let text = fs::read_to_string(target).unwrap_or_default();
            text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading)
        }
    }
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// The targets of the links inside the repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The README, `docs/`, and the README of each folder.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    let docs = inside(&root.join("docs"));
    let docs = docs.into_iter().filter(|path| path.extension().is_some_and(|end| end == "md"));
    let folders = inside(root).into_iter().filter(|path| path.is_dir() && !is_hidden(path));
    let packages = folders.flat_map(|folder| [vec![folder.clone()], inside(&folder)].concat());
    let readmes = packages.map(|folder| folder.join("README.md")).filter(|path| path.exists());
    docs.chain(readmes).chain([root.join("README.md")]).collect()
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Whether a folder is not ours: build output, virtual environments, data.
fn is_hidden(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "target"
}

/// The blocks of YAML in a page, each with its line and without its indentation.
fn yaml_blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut indentation = None;
    for (number, line) in text.lines().enumerate() {
        match indentation {
            None if line.trim_start() == "```yaml" => {
                indentation = Some(line.len() - line.trim_start().len());
                blocks.push((number + 2, String::new()));
            }
            Some(_) if line.trim_start() == "```" => indentation = None,
            Some(width) => {
                let (_, block) = blocks.last_mut().expect("a block");
                block.push_str(line.get(width..).unwrap_or_default());
                block.push('\n');
            }
            None => {}
        }
    }
    blocks
}
