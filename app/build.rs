//! Writes the look of pictures that leave the page, `drawing.css`, with the colours of `tokens.css` put in: what shows an SVG
//! elsewhere often knows neither variables nor `color-mix`. And asks the linker for what `app/parts/` needs to divide the page's
//! program.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs, io};

/// Names of custom properties, without their dashes, and values.
type Values = BTreeMap<String, String>;

/// A property, its value, and the layer's values that this takes.
type Declaration = (String, String, Values);

struct Rule {
    selectors: Vec<String>,
    declarations: Vec<(String, String)>,
}

fn main() -> io::Result<()> {
    ask_linker();
    let styles =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("styles");
    println!("cargo::rerun-if-changed={}", styles.display());
    let tokens = rules(&fs::read_to_string(styles.join("tokens.css"))?);
    let drawing = rules(&fs::read_to_string(styles.join("drawing.css"))?);
    let light = values(&tokens, ":root");
    let mut dark = light.clone();
    dark.extend(values(&tokens, ":root[data-theme=\"dark\"]"));
    let (mut in_light, mut in_dark) = (String::new(), String::new());
    for (selector, declarations) in by_layer(&drawing) {
        let (mut all, mut other) = (String::new(), String::new());
        for (name, value, layer) in declarations {
            let with = |values: &Values| {
                let mut values = values.clone();
                values.extend(layer.clone());
                mixed(&filled(&value, &values))
            };
            let (value, dark) = (with(&light), with(&dark));
            if dark != value {
                other += &format!("{name}:{dark};");
            }
            all += &format!("{name}:{value};");
        }
        for (out, declarations) in [(&mut in_light, all), (&mut in_dark, other)] {
            if !declarations.is_empty() {
                *out += &format!("{selector}{{{}}}", declarations.trim_end_matches(';'));
            }
        }
    }
    let to = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(to.join("light.css"), in_light)?;
    fs::write(to.join("dark.css"), in_dark)
}

/// For `northsouth-app.map` beside the program, which tells where each constant is; and for the table's places to begin where
/// few other numbers are, as a number that may be a place is taken for one.
fn ask_linker() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    // It is build/NAME/out below the folder where the program comes to be.
    let folder = out.ancestors().nth(3);
    if let Some(folder) =
        folder.filter(|_| env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32"))
    {
        let map = folder.join("northsouth-app.map");
        println!("cargo::rustc-link-arg-bins=-Map={}", map.display());
        println!("cargo::rustc-link-arg-bins=--table-base=3000");
    }
}

/// The rules of a style sheet that are not within another, such as `@media`.
fn rules(css: &str) -> Vec<Rule> {
    let mut plain = String::new();
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        plain += before;
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    plain += rest;
    let mut all = Vec::new();
    let mut rest = plain.as_str();
    while let Some((head, after)) = rest.split_once('{') {
        let mut depth = 1;
        let end = after.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        let (body, after) = after.split_at(end.unwrap_or(after.len()));
        rest = after.get(1..).unwrap_or("");
        let head = head.trim();
        if head.starts_with('@') {
            continue;
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let declarations = body.split(';').filter_map(|d| d.split_once(':'));
        all.push(Rule {
            selectors: head.split(',').map(words).collect(),
            declarations: declarations
                .map(|(name, value)| (words(name), words(value)))
                .collect(),
        });
    }
    all
}

fn values(rules: &[Rule], selector: &str) -> Values {
    let own = rules.iter().filter(|r| r.selectors == [selector]);
    let declared = own.flat_map(|r| &r.declarations);
    let custom = declared.filter_map(|(name, value)| Some((name.strip_prefix("--")?, value)));
    custom
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect()
}

/// Selectors with their declarations and the layer that these hold for. What takes a layer's hue is written once a layer.
fn by_layer(rules: &[Rule]) -> Vec<(String, Vec<Declaration>)> {
    let of_layer = |r: &&Rule| {
        r.declarations
            .iter()
            .all(|(name, _)| name.starts_with("--"))
    };
    let layers: Vec<(String, Values)> = rules
        .iter()
        .filter(of_layer)
        .flat_map(|r| r.selectors.clone())
        .map(|name| (name.clone(), values(rules, &name)))
        .filter(|(name, _)| name != ".box")
        .collect();
    let mut all = Vec::new();
    for rule in rules.iter().filter(|r| !of_layer(r)) {
        let (hued, plain): (Vec<_>, Vec<_>) =
            rule.declarations.iter().cloned().partition(|(_, value)| {
                value.contains("var(--hue)") || value.contains("var(--ground)")
            });
        let within = |selector: &String| format!(".northsouth {selector}");
        if !plain.is_empty() {
            let names: Vec<_> = rule.selectors.iter().map(within).collect();
            let plain = plain.into_iter().map(|(n, v)| (n, v, Values::new()));
            all.push((names.join(","), plain.collect()));
        }
        let own = |(layer, _): &&(String, Values)| rule.selectors.iter().all(|s| s.contains(layer));
        let of_one = layers.iter().any(|layer| own(&layer));
        for (layer, values) in layers.iter().filter(|l| !of_one || own(l)) {
            if hued.is_empty() {
                break;
            }
            // On the outermost element of those that it names, as that is where a layer's class is.
            let names = rule.selectors.iter().map(|selector| {
                let (first, rest) = selector.split_once(' ').unwrap_or((selector, ""));
                let layer = if of_one { "" } else { layer };
                within(&format!("{first}{layer} {rest}"))
            });
            let hued = hued.iter().cloned().map(|(n, v)| (n, v, values.clone()));
            all.push((names.collect::<Vec<_>>().join(","), hued.collect()));
        }
    }
    all
}

/// With the variables' values in their places.
fn filled(value: &str, values: &Values) -> String {
    let mut out = value.to_string();
    while let Some((before, after)) = out.split_once("var(--") {
        let (name, after) = after.split_once(')').unwrap_or((after, ""));
        let known = values.get(name).map_or("", String::as_str);
        out = format!("{before}{known}{after}");
    }
    out
}

/// `color-mix(in srgb, #rrggbb N%, #rrggbb)` as the colour that it gives.
fn mixed(value: &str) -> String {
    let mix = || {
        let inner = value
            .strip_prefix("color-mix(in srgb, ")?
            .strip_suffix(')')?;
        let (first, second) = inner.split_once(", ")?;
        let (first, share) = first.split_once(' ')?;
        let share: u32 = share.strip_suffix('%')?.parse().ok()?;
        let parts = [1, 3, 5].map(|at| {
            let of = |colour: &str| u32::from_str_radix(colour.get(at..at + 2)?, 16).ok();
            Some((of(first)? * share + of(second)? * (100 - share) + 50) / 100)
        });
        let [r, g, b] = parts;
        Some(format!("#{:02x}{:02x}{:02x}", r?, g?, b?))
    };
    mix().unwrap_or_else(|| value.to_string())
}
