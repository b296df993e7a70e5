//! `northsouth package`: lessons and exercises for learning platforms.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use northsouth::exercise::Head;
use northsouth::text::Lang;

use crate::options::{Options, misused};

pub const USAGE: &str = "\
northsouth package PAGE OUT NAME...   a folder for a learning platform; zip what is in it and upload that
  PAGE                the built page (`make build` leaves it in dist/)
  OUT                 the new folder
  NAME                lesson/05-dnat, exercise/shadowed-route, …
  --title TEXT        of the package (default: that of the first)
  --xapi              tincan.xml and xAPI statements instead of SCORM 1.2
  --lang LANG         en or zh-CN (default: the terminal's)";

/// A lesson or an exercise of the package.
struct Item {
    /// `lesson` or `exercise`.
    page: String,
    name: String,
    title: String,
}

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let lang = options.lang()?;
    let xapi = options.flag("--xapi");
    let title = options.value("--title")?;
    let rest = options.rest()?;
    let [page, out, names @ ..] = &rest[..] else {
        return Err(misused(USAGE, "PAGE, OUT and NAME are wanted"));
    };
    let items: Vec<Item> = names
        .iter()
        .map(|name| item(name, lang))
        .collect::<Result<_, _>>()?;
    let first = items.first();
    let first = first.ok_or_else(|| misused(USAGE, "NAME is wanted"))?;
    let title = title.unwrap_or(&first.title).to_string();
    let (page, out) = (Path::new(page), Path::new(out));
    if !page.join("index.html").exists() {
        return Err(format!("{}: no built page is there", page.display()));
    }
    if out.exists() {
        return Err(format!("{}: is there already", out.display()));
    }
    // What is copied must not grow while it is.
    let into = out.ancestors().skip(1).find_map(|folder| {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        folder.canonicalize().ok()
    });
    if let (Some(into), Ok(page)) = (into, page.canonicalize())
        && into.starts_with(&page)
    {
        return Err(format!("{}: is within {}", out.display(), page.display()));
    }
    let mut copied = Vec::new();
    copy(page, &out.join("page"), "page", &mut copied)?;
    for item in &items {
        write(&out.join(file(item)), &sco(item, lang, xapi))?;
    }
    write(&out.join("report.js"), include_str!("package/report.js"))?;
    match xapi {
        true => write(&out.join("tincan.xml"), &tincan(&items, &title, lang))?,
        false => write(
            &out.join("imsmanifest.xml"),
            &manifest(&items, &title, &copied),
        )?,
    }
    println!("{}: {} ({})", out.display(), title, items.len());
    Ok(ExitCode::SUCCESS)
}

fn item(name: &str, lang: Lang) -> Result<Item, String> {
    let (page, short) = name
        .split_once('/')
        .ok_or(format!("`{name}` is not such as lesson/05-dnat"))?;
    let folder = match page {
        "lesson" => "lessons",
        "exercise" => "exercises",
        _ => return Err(format!("`{page}` is neither lesson nor exercise")),
    };
    let path = format!("{}/{folder}/{short}.md", lang.tag());
    let text = northsouth::content::file(&path).ok_or(format!("there is no {page} `{short}`"))?;
    let head = Head::read(text).ok_or(format!("{path}: can't be read"))?;
    Ok(Item {
        page: page.to_string(),
        name: short.to_string(),
        title: head.title,
    })
}

fn file(item: &Item) -> String {
    format!("{}-{}.html", item.page, item.name)
}

/// Copies a folder, and notes the files by their paths in the package.
fn copy(from: &Path, to: &Path, inside: &str, copied: &mut Vec<String>) -> Result<(), String> {
    let said = |e: std::io::Error| format!("{}: {e}", from.display());
    fs::create_dir_all(to).map_err(said)?;
    let entries = fs::read_dir(from).map_err(said)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let inside = format!("{inside}/{name}");
        if path.is_dir() {
            copy(&path, &to.join(&name), &inside, copied)?;
        } else {
            fs::copy(&path, to.join(&name)).map_err(said)?;
            copied.push(inside);
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// The page of an item: the built page in a frame, and the script that reports what it tells.
fn sco(item: &Item, lang: Lang, xapi: bool) -> String {
    let (page, name, title) = (&item.page, escaped(&item.name), escaped(&item.title));
    let kind = if xapi { "xapi" } else { "scorm" };
    let lang = lang.tag();
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>html, body, iframe {{ width: 100%; height: 100%; margin: 0; border: 0; display: block; }}</style>\n\
         <script src=\"report.js\" data-kind=\"{kind}\" data-item=\"{page}/{name}\"></script>\n\
         <iframe title=\"{title}\" src=\"page/index.html#{page}={name}\"></iframe>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&apos;")
}

/// SCORM 1.2 Content Aggregation Model, 2.3: one SCO for each item.
fn manifest(items: &[Item], title: &str, copied: &[String]) -> String {
    let title = escaped(title);
    let mut organization = String::new();
    let mut resources = String::new();
    for (n, item) in (1..).zip(items) {
        let (own, file) = (escaped(&item.title), escaped(&file(item)));
        organization.push_str(&format!(
            "      <item identifier=\"I{n}\" identifierref=\"R{n}\"><title>{own}</title></item>\n"
        ));
        resources.push_str(&format!(
            "    <resource identifier=\"R{n}\" type=\"webcontent\" adlcp:scormtype=\"sco\" href=\"{file}\">\n      \
             <file href=\"{file}\"/>\n      <dependency identifierref=\"PAGE\"/>\n    </resource>\n"
        ));
    }
    let files: String = copied
        .iter()
        .map(|name| format!("      <file href=\"{}\"/>\n", escaped(name)))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <manifest identifier=\"northsouth\" version=\"1.0\"\n    xmlns=\"http://www.imsproject.org/xsd/imscp_rootv1p1p2\"\n    \
         xmlns:adlcp=\"http://www.adlnet.org/xsd/adlcp_rootv1p2\">\n  \
         <metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion></metadata>\n  \
         <organizations default=\"O\">\n    <organization identifier=\"O\">\n      <title>{title}</title>\n{organization}    \
         </organization>\n  </organizations>\n  <resources>\n{resources}    \
         <resource identifier=\"PAGE\" type=\"webcontent\" adlcp:scormtype=\"asset\">\n      <file href=\"report.js\"/>\n{files}    \
         </resource>\n  </resources>\n</manifest>\n"
    )
}

/// The package's description as Tin Can launches it; the launch link tells the record store.
fn tincan(items: &[Item], title: &str, lang: Lang) -> String {
    let tag = match lang {
        Lang::En => "en-US",
        Lang::ZhCn => "zh-CN",
    };
    let mut activities = String::new();
    for item in items {
        let (own, file) = (escaped(&item.title), escaped(&file(item)));
        let id = format!("urn:northsouth:{}:{}", item.page, escaped(&item.name));
        activities.push_str(&format!(
            "    <activity id=\"{id}\" type=\"http://adlnet.gov/expapi/activities/lesson\">\n      \
             <name>{own}</name>\n      <description lang=\"{tag}\">{own}</description>\n      \
             <launch lang=\"{tag}\">{file}</launch>\n    </activity>\n"
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- {} -->\n\
         <tincan xmlns=\"http://projecttincan.com/tincan.xsd\">\n  <activities>\n{activities}  </activities>\n</tincan>\n",
        escaped(title).replace("--", "- -")
    )
}
