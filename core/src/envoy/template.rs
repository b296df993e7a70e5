//! `envoy.path.match.uri_template` and `envoy.path.rewrite.uri_template`.
//! Source: `source/extensions/path/uri_template_lib/uri_template_internal.cc`.

use super::regex::Regex;

/// What one `*` takes: the characters of a path segment.
const SEGMENT: &str = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]";
/// What `**` takes.
const REST: &str = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=/]*";

/// A pattern such as `/users/{id}/**`, with the names of its variables in order.
#[derive(Clone, Debug)]
pub struct Template {
    pub text: String,
    regex: Regex,
    variables: Vec<String>,
}

impl Template {
    pub fn new(text: &str) -> Result<Self, String> {
        let bad = || format!("path_match_policy.path_template {text} is invalid");
        if !text.starts_with('/') || text.contains(['?', '#']) {
            return Err(bad());
        }
        let mut pattern = String::new();
        let mut variables = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, after) = rest.split_at(at);
            pattern.push_str(&globs(before).ok_or_else(bad)?);
            let (inside, tail) = after
                .get(1..)
                .and_then(|s| s.split_once('}'))
                .ok_or_else(bad)?;
            let (name, glob) = inside.split_once('=').unwrap_or((inside, "*"));
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let named =
                name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(word);
            if !named
                || variables.iter().any(|v| v == name)
                || !tail.is_empty() && !tail.starts_with('/')
            {
                return Err(bad());
            }
            variables.push(name.to_string());
            pattern.push_str(&format!("({})", globs(glob).ok_or_else(bad)?));
            rest = tail;
        }
        pattern.push_str(&globs(rest).ok_or_else(bad)?);
        if variables.len() > 5 || text.matches("**").count() > 1 {
            return Err(bad());
        }
        Ok(Self {
            text: text.to_string(),
            regex: Regex::new(&pattern).map_err(|_| bad())?,
            variables,
        })
    }

    pub fn is_match(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// A rewrite such as `/v2/{id}` as a substitution; an error where it names a variable that the pattern lacks.
    pub fn substitution(&self, rewrite: &str) -> Result<String, String> {
        let bad = || format!("path_rewrite_policy.path_template_rewrite {rewrite} is invalid");
        let mut out = String::new();
        let mut rest = rewrite;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(&before.replace('\\', r"\\"));
            let (name, tail) = after.split_once('}').ok_or_else(bad)?;
            let at = self
                .variables
                .iter()
                .position(|v| v == name)
                .ok_or_else(bad)?;
            out.push_str(&format!("\\{}", at + 1));
            rest = tail;
        }
        if rest.contains('}') || !rewrite.starts_with('/') {
            return Err(bad());
        }
        out.push_str(&rest.replace('\\', r"\\"));
        Ok(out)
    }

    /// The path under a substitution.
    pub fn rewrite(&self, path: &str, substitution: &str) -> String {
        self.regex.replace_all(path, substitution)
    }
}

/// A piece of a pattern as a regular expression; none where a `*` stands beside other characters of its segment.
fn globs(piece: &str) -> Option<String> {
    let mut out = Vec::new();
    for segment in piece.split('/') {
        out.push(match segment {
            "*" => format!("{SEGMENT}+"),
            "**" => REST.to_string(),
            other if other.contains(['*', '}']) => return None,
            other => format!(r"\Q{other}\E"),
        });
    }
    Some(out.join("/"))
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
        assert!(Template::new("/a*").is_err() && Template::new("/{a}/{a}").is_err());
    }

    #[test]
    fn variables_go_into_the_rewrite() {
        let t = Template::new("/u/{id}/{rest=**}").unwrap();
        let s = t.substitution("/v2/{rest}/of/{id}").unwrap();
        assert_eq!(t.rewrite("/u/7/a/b", &s), "/v2/a/b/of/7");
        assert!(t.substitution("/{other}").is_err());
    }
}
