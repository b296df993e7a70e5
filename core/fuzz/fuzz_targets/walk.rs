#![no_main]

#[path = "../../tests/robust/drive.rs"]
#[allow(dead_code)]
mod drive;

use northsouth::text::File;

libfuzzer_sys::fuzz_target!(|text: &str| walk(text));

/// The article with one of its files, named by its number in the first line, replaced by the lines that follow.
fn walk(text: &str) {
    let (number, text) = text.split_once('\n').unwrap_or_default();
    let mut workspace = drive::article();
    let count = workspace.files.len();
    let at = number.trim().parse::<usize>().unwrap_or(0) % count;
    let file = &mut workspace.files[at];
    *file = File::new(&file.name, text);
    drive::play(&workspace);
}
