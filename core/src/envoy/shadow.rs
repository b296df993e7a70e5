//! Routes that no request reaches, because each that they would take is taken before.

use super::config::Config;
use super::object::Log;
use super::route::{PathMatch, RouteMatch};
use crate::say;
use crate::text::Diagnostic;

impl Config {
    /// Says of each such route which one is before it.
    pub(super) fn warn_of_shadowed_routes(&self, log: &Log) {
        for host in self.routes.values().flat_map(|r| &r.virtual_hosts) {
            for (at, route) in host.routes.iter().enumerate() {
                let earlier = host.routes.get(..at).unwrap_or(&[]);
                let Some(first) = earlier
                    .iter()
                    .find(|e| e.condition.covers(&route.condition))
                else {
                    continue;
                };
                let label = match first.condition.is_catch_all() {
                    true => say!("envoy/takes-everything"),
                    false => say!("envoy/takes-before"),
                };
                let message = say!("envoy/route-shadowed", host = host.name);
                let (at, before) = (route.condition.span, first.condition.span);
                log.push(Diagnostic::warning(at, message).label(before, label));
            }
        }
    }
}

impl RouteMatch {
    /// Whether it takes each request that the other would take. Where that cannot be told from the conditions, it does not.
    fn covers(&self, other: &Self) -> bool {
        let certain = self.fraction.is_none_or(|f| f.numerator >= f.denominator);
        let alike = self.ignore_case || !other.ignore_case;
        // A CONNECT has no path that a prefix could take.
        let any_path = self.any_path() && !matches!(other.path, PathMatch::Connect);
        certain
            && (any_path || alike && self.covers_path(other))
            && self
                .headers
                .iter()
                .all(|h| other.headers.iter().any(|o| h.same(o)))
            && self
                .query
                .iter()
                .all(|q| other.query.iter().any(|o| q.same(o)))
            && self.asks_no_more()
            && (!self.grpc || other.grpc)
            && (self.client_certificate.is_none()
                || self.client_certificate == other.client_certificate)
    }

    fn covers_path(&self, other: &Self) -> bool {
        let begins = |text: &str, start: &str| match text.get(..start.len()) {
            Some(head) if self.ignore_case => head.eq_ignore_ascii_case(start),
            Some(head) => head == start,
            None => false,
        };
        let under = |text: &str, start: &str| {
            begins(text, start) && matches!(text.as_bytes().get(start.len()), None | Some(b'/'))
        };
        use PathMatch::{Connect, Exact, Prefix, Regex, SeparatedPrefix, Template};
        match (&self.path, &other.path) {
            (Prefix(p), Prefix(q) | Exact(q) | SeparatedPrefix(q)) => begins(q, p),
            (SeparatedPrefix(p), Exact(q) | SeparatedPrefix(q)) => under(q, p),
            (SeparatedPrefix(p), Prefix(q)) => q.len() > p.len() && under(q, p),
            (Exact(p), Exact(q)) => p.len() == q.len() && begins(q, p),
            (Regex(p), Regex(q)) => p.as_str() == q.as_str(),
            (Regex(p), Exact(q)) => !other.ignore_case && p.is_match(q),
            (Template(p), Template(q)) => p.text == q.text,
            (Connect, Connect) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::envoy::{Config, Resources};
    use crate::text::FileId;
    use crate::yaml;

    /// Whether the second of two routes is said to be out of reach.
    fn check(first: &str, second: &str, shadowed: bool) {
        let text = format!(
            "name: r\nvirtual_hosts: [{{name: v, domains: ['*'], routes: [\
             {{match: {first}, route: {{cluster: a}}}}, {{match: {second}, route: {{cluster: b}}}}]}}]\n"
        );
        let routes = yaml::read(&text, FileId(0)).0;
        let (_, said) = Config::read(&Resources {
            routes,
            ..Resources::default()
        });
        assert_eq!(
            said.len(),
            usize::from(shadowed),
            "{first} {second}: {said:?}"
        );
    }

    #[test]
    fn a_prefix_covers_what_begins_with_it() {
        check("{prefix: /}", "{path: /a}", true);
        check("{prefix: /a}", "{prefix: /ab}", true);
        check("{prefix: /a}", "{path: /a/b}", true);
        check("{prefix: /ab}", "{prefix: /a}", false);
        check("{prefix: /A}", "{prefix: /a}", false);
        check("{prefix: /A, case_sensitive: false}", "{path: /a}", true);
        check("{prefix: /a}", "{path: /a, case_sensitive: false}", false);
        check("{prefix: /}", "{connect_matcher: {}}", false);
        check("{connect_matcher: {}}", "{connect_matcher: {}}", true);
    }

    #[test]
    fn a_separated_prefix_covers_what_is_under_it() {
        check("{path_separated_prefix: /a}", "{path: /a/b}", true);
        check("{path_separated_prefix: /a}", "{path: /ab}", false);
        check("{path_separated_prefix: /a}", "{prefix: /a}", false);
        check("{path_separated_prefix: /a}", "{prefix: /a/}", true);
    }

    #[test]
    fn more_conditions_cover_less() {
        let asks = "{prefix: /a, headers: [{name: x, string_match: {exact: '1'}}]}";
        check(asks, "{path: /a}", false);
        check("{prefix: /a}", asks, true);
        check(asks, asks, true);
        let other = "{prefix: /a, headers: [{name: x, string_match: {exact: '2'}}]}";
        check(asks, other, false);
        let half = "{prefix: /a, runtime_fraction: {default_value: {numerator: 50}}}";
        check(half, "{path: /a}", false);
        check("{safe_regex: {regex: '/a.*'}}", "{path: /ab}", true);
    }
}
