//! `envoy.path.match.uri_template` and `envoy.path.rewrite.uri_template`.
//! Source: `source/extensions/path/uri_template_lib/uri_template_internal.cc`.

use super::regex::Regex;

/// What one `*` takes, and what stands for itself.
const LITERAL: &str =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()+,;:@=*";
const SEGMENT: &str = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=*]+";
/// What `**` takes.
const REST: &str = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=*/]*";

/// A pattern such as `/users/{id}/**`, with the names of its variables in order.
#[derive(Clone, Debug)]
pub struct Template {
    pub text: String,
    /// None where what Envoy makes of it is no regular expression, which then matches nothing.
    regex: Option<Regex>,
    variables: Vec<String>,
}

/// A pattern while it is read.
#[derive(Default)]
struct Reader {
    regex: String,
    variables: Vec<String>,
    /// A `**` was there: no other glob may follow.
    rest: bool,
}

impl Reader {
    fn literal(&mut self, text: &str) -> Option<()> {
        if text.is_empty() || !text.chars().all(|c| LITERAL.contains(c)) {
            return None;
        }
        for c in text.chars() {
            if "$()+.".contains(c) {
                self.regex.push('\\');
            }
            self.regex.push(c);
        }
        Some(())
    }

    /// `*` or `**`, and what follows.
    fn glob<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if self.rest {
            return None;
        }
        let after = text.strip_prefix('*')?;
        if let Some(after) = after.strip_prefix('*') {
            self.rest = true;
            self.regex.push_str(REST);
            return Some(after);
        }
        self.regex.push_str(SEGMENT);
        Some(after)
    }

    /// `{name}` or `{name=pattern}`, and what follows.
    fn variable<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
        let (name, pattern) = inside.split_once('=').unwrap_or((inside, "*"));
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(word);
        let known = self.variables.iter().any(|v| v == name);
        if !named || name.len() > 16 || known || self.variables.len() >= 5 {
            return None;
        }
        self.variables.push(name.to_string());
        self.regex.push('(');
        for (at, piece) in pattern.split('/').enumerate() {
            if at > 0 {
                self.regex.push('/');
            }
            if piece.starts_with('*') {
                let after = self.glob(piece)?;
                after.is_empty().then_some(())?;
            } else {
                self.literal(piece)?;
            }
        }
        self.regex.push(')');
        Some(after)
    }

    /// One piece between two `/`, and what follows.
    fn segment<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let end = |t: &str| t.find('/').unwrap_or(t.len());
        if text.starts_with('*') {
            let after = self.glob(text)?;
            if after.is_empty() || after.starts_with('/') {
                return Some(after);
            }
            // A suffix can only be the end of it.
            self.literal(after)?;
            return Some("");
        }
        let before = text.find('{').unwrap_or(text.len()).min(end(text));
        let (literal, mut after) = text.split_at_checked(before)?;
        if !literal.is_empty() {
            self.literal(literal)?;
        }
        if after.starts_with('{') {
            after = self.variable(after)?;
            let (suffix, rest) = after.split_at_checked(end(after))?;
            if !suffix.is_empty() {
                self.literal(suffix)?;
            }
            after = rest;
        } else if literal.is_empty() {
            return None;
        }
        Some(after)
    }
}

impl Template {
    pub fn new(text: &str) -> Result<Self, String> {
        let bad = || format!("path_match_policy.path_template {text} is invalid");
        let mut rest = text.strip_prefix('/').ok_or_else(bad)?;
        let mut reader = Reader::default();
        reader.regex.push('/');
        while !rest.is_empty() {
            rest = reader.segment(rest).ok_or_else(bad)?;
            if let Some(after) = rest.strip_prefix('/') {
                reader.regex.push('/');
                rest = after;
            }
        }
        Ok(Self {
            text: text.to_string(),
            regex: Regex::new(&reader.regex).ok(),
            variables: reader.variables,
        })
    }

    pub fn is_match(&self, path: &str) -> bool {
        self.regex.as_ref().is_some_and(|r| r.is_match(path))
    }

    /// A rewrite such as `/v2/{id}` as a substitution; an error where it names a variable that the pattern lacks.
    pub fn substitution(&self, rewrite: &str) -> Result<String, String> {
        let bad = || format!("path_rewrite_policy.path_template_rewrite {rewrite} is invalid");
        let literal = |t: &str| t.chars().all(|c| c == '/' || LITERAL.contains(c));
        if rewrite.contains("//") {
            return Err(bad());
        }
        let mut out = String::new();
        let mut rest = rewrite;
        while let Some((before, after)) = rest.split_once('{') {
            if !literal(before) {
                return Err(bad());
            }
            out.push_str(before);
            let (name, tail) = after.split_once('}').ok_or_else(bad)?;
            let at = self
                .variables
                .iter()
                .position(|v| v == name)
                .ok_or_else(bad)?;
            out.push_str(&format!("\\{}", at + 1));
            rest = tail;
        }
        if !literal(rest) || !rewrite.starts_with('/') {
            return Err(bad());
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The path under a substitution.
    pub fn rewrite(&self, path: &str, substitution: &str) -> String {
        match &self.regex {
            Some(regex) => regex.replace_all(path, substitution),
            None => path.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_takes_one_segment_that_is_not_empty() {
        let t = Template::new("/u/{id}/p/*").unwrap();
        assert!(t.is_match("/u/1/p/2"));
        assert!(!t.is_match("/u/1/p/") && !t.is_match("/u//p/2") && !t.is_match("/u/1/p/2/3"));
        assert!(Template::new("/a/**").unwrap().is_match("/a/b/c"));
        assert!(Template::new("/a[b]").is_err() && Template::new("/{a}/{a}").is_err());
        assert!(Template::new("/**/*").is_err() && Template::new("/*b/c").is_err());
    }

    #[test]
    fn pieces_stand_before_and_after_a_variable() {
        let t = Template::new("/a-{x}.json").unwrap();
        assert!(t.is_match("/a-1.json") && !t.is_match("/a-1xjson"));
        assert!(Template::new("/a{b}c{d}").is_err());
        assert!(Template::new("/{a=**}/b").unwrap().is_match("/x/y/b"));
    }

    #[test]
    fn variables_go_into_the_rewrite() {
        let t = Template::new("/u/{id}/{rest=**}").unwrap();
        let s = t.substitution("/v2/{rest}/of/{id}").unwrap();
        assert_eq!(t.rewrite("/u/7/a/b", &s), "/v2/a/b/of/7");
        assert!(t.substitution("/{other}").is_err());
    }
}
