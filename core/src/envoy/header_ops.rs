use super::format::{Facts, Format};
use super::inline;
use super::object::{Object, Read, Refusal};
use crate::net::Headers;
use crate::say;
use crate::text::Span;

/// What one level (route configuration, virtual host, route, weighted cluster) does to headers.
#[derive(Clone, Debug, Default)]
pub struct HeaderOps {
    pub add: Vec<HeaderAdd>,
    /// In lower case.
    pub remove: Vec<String>,
}

/// `envoy.config.core.v3.HeaderValueOption`.
#[derive(Clone, Debug)]
pub struct HeaderAdd {
    pub name: String,
    pub value: Format,
    pub action: Append,
    pub keep_empty: bool,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Append {
    Always,
    AddIfAbsent,
    OverwriteOrAdd,
    OverwriteIfExists,
}

impl HeaderOps {
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// First of all that is to be done at a level.
    pub fn take_off(&self, headers: &mut Headers) {
        for name in &self.remove {
            headers.remove(name);
        }
    }

    /// After [`HeaderOps::take_off`]: all values are computed before any is written, and overwriting comes before adding
    /// (`HeaderParser::evaluateHeaders`).
    pub fn put_on(&self, headers: &mut Headers, facts: &Facts) {
        let (mut overwrite, mut append) = (Vec::new(), Vec::new());
        for op in &self.add {
            let value = op.value.print(facts, "");
            if value.is_empty() && !op.keep_empty {
                continue;
            }
            let there = headers.has(&op.name);
            match op.action {
                Append::Always => append.push((op, value)),
                Append::AddIfAbsent if !there => append.push((op, value)),
                Append::OverwriteOrAdd => overwrite.push((op, value)),
                Append::OverwriteIfExists if there => overwrite.push((op, value)),
                Append::AddIfAbsent | Append::OverwriteIfExists => {}
            }
        }
        for (op, value) in overwrite {
            headers.set(&op.name, value);
        }
        for (op, value) in append {
            match facts.response {
                None => inline::add(headers, &op.name, &value, inline::Of::Requests),
                Some(_) => inline::add(headers, &op.name, &value, inline::Of::Responses),
            }
        }
    }

    /// Reads `request_headers_to_add` and `request_headers_to_remove`, or the same for responses.
    pub(super) fn read(object: &Object, add: &str, remove: &str) -> Read<Self> {
        let mut ops = HeaderOps::default();
        for option in object.messages(add)? {
            ops.add.push(HeaderAdd::read(option)?);
        }
        for name in object.strings(remove)? {
            if name.is_empty() {
                let why = "value length must be at least 1 characters";
                return Err(Refusal::field(object.at(remove), remove, why));
            }
            let name = name.to_ascii_lowercase();
            if name.starts_with(':') || name == "host" {
                let why = ":-prefixed or host headers may not be removed";
                return Err(Refusal::new(object.at(remove), why));
            }
            ops.remove.push(name);
        }
        Ok(ops)
    }
}

impl HeaderAdd {
    fn read(option: Object) -> Read<Self> {
        let Some(header) = option.message("header")? else {
            return Err(Refusal::field(option.span, "header", "value is required"));
        };
        header.filled("key")?;
        let name = header.for_header("key")?.to_ascii_lowercase();
        if name.starts_with(':') || name == "host" {
            let why = ":-prefixed or host headers may not be modified";
            return Err(Refusal::new(header.at("key"), why));
        }
        let default = "APPEND_IF_EXISTS_OR_ADD";
        let other = |n: &crate::yaml::Node| n.str().is_some_and(|s| s != default);
        if option.has("append") && option.get("append_action").is_some_and(other) {
            let why = "Both append and append_action are set and it's not allowed";
            return Err(Refusal::new(option.span, why));
        }
        let action = match option.maybe_bool("append")? {
            Some(true) => Append::Always,
            Some(false) => Append::OverwriteOrAdd,
            None => option.choice(
                "append_action",
                &[
                    ("APPEND_IF_EXISTS_OR_ADD", Append::Always),
                    ("ADD_IF_ABSENT", Append::AddIfAbsent),
                    ("OVERWRITE_IF_EXISTS_OR_ADD", Append::OverwriteOrAdd),
                    ("OVERWRITE_IF_EXISTS", Append::OverwriteIfExists),
                ],
            )?,
        };
        let text = header.for_header("value")?;
        if text.len() > 16_384 {
            let why = "value length must be at most 16384 bytes";
            return Err(Refusal::field(header.at("value"), "value", why));
        }
        let value = Format::read(text, header.at("value"))?;
        for command in value.unanswered() {
            let message = say!("envoy/command-not-modelled", command = command);
            option.log.warning(header.at("value"), message);
        }
        let read = Self {
            name,
            value,
            action,
            keep_empty: option.bool("keep_empty_value")?,
            span: option.span,
        };
        header.end();
        option.end();
        Ok(read)
    }
}
