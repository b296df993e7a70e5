use super::format::{Facts, Format};
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

    /// Removals first; then values are computed against what is left, overwriting before adding
    /// (`HeaderParser::evaluateHeaders`).
    pub fn apply(&self, headers: &mut Headers, facts: &Facts) {
        for name in &self.remove {
            headers.remove(name);
        }
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
            headers.add(&op.name, value);
        }
    }

    /// Reads `request_headers_to_add` and `request_headers_to_remove`, or the same for responses.
    pub(super) fn read(object: &Object, add: &str, remove: &str) -> Read<Self> {
        let mut ops = HeaderOps::default();
        for option in object.messages(add)? {
            ops.add.push(HeaderAdd::read(option)?);
        }
        for name in object.strings(remove)? {
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
        let name = header.str("key")?.to_ascii_lowercase();
        if name.is_empty() {
            let why = "value length must be at least 1 characters";
            return Err(Refusal::field(header.span, "key", why));
        }
        if name.starts_with(':') || name == "host" {
            let why = ":-prefixed or host headers may not be modified";
            return Err(Refusal::new(header.at("key"), why));
        }
        if option.has("append") && option.has("append_action") {
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
        let value = Format::read(header.str("value")?, header.at("value"))?;
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
