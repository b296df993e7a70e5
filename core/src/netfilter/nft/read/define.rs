//! `define NAME = …` and `$NAME`.

use std::collections::BTreeMap;

use super::lex::{Kind, Token};
use crate::say;
use crate::text::Diagnostic;

/// Tokens that definitions may grow a text to; definitions of definitions double quickly.
const MOST_TOKENS: usize = 1 << 20;

/// The tokens with all definitions taken out and put in where they are named, there with the place where they are named.
pub(super) fn expand<'t>(
    tokens: Vec<Token<'t>>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Token<'t>> {
    if !tokens
        .iter()
        .any(|t| t.kind == Kind::Sign && t.text == "$" || is_define(t))
    {
        return tokens;
    }
    let mut known: BTreeMap<&'t str, Vec<Token<'t>>> = BTreeMap::new();
    let mut out: Vec<Token<'t>> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    let mut starts = true;
    while let Some(token) = rest.next() {
        if starts && is_define(&token) {
            let name = rest.next_if(|t| t.kind == Kind::Word);
            let equals = rest.next_if(|t| t.text == "=");
            let mut value = Vec::new();
            let mut depth = 0_u32;
            while let Some(part) = rest.next_if(|t| depth > 0 || t.kind != Kind::End) {
                match part.text {
                    "{" => depth += 1,
                    "}" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                put(part, &mut rest, &known, &mut value, diagnostics);
            }
            match (name, equals) {
                (Some(name), Some(_)) => {
                    known.insert(name.text, value);
                }
                _ => diagnostics.push(Diagnostic::error(token.span, say!("nft/bad-define"))),
            }
            continue;
        }
        starts = token.kind == Kind::End || token.text == "{" || token.text == "}";
        put(token, &mut rest, &known, &mut out, diagnostics);
        if out.len() > MOST_TOKENS {
            if let Some(last) = out.last() {
                diagnostics.push(Diagnostic::error(
                    last.span,
                    say!("nft/definitions-too-large"),
                ));
            }
            break;
        }
    }
    out
}

fn is_define(token: &Token) -> bool {
    token.kind == Kind::Word && matches!(token.text, "define" | "redefine")
}

fn put<'t>(
    token: Token<'t>,
    rest: &mut std::iter::Peekable<std::vec::IntoIter<Token<'t>>>,
    known: &BTreeMap<&'t str, Vec<Token<'t>>>,
    out: &mut Vec<Token<'t>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if token.kind != Kind::Sign || token.text != "$" {
        out.push(token);
        return;
    }
    let Some(name) = rest.next_if(|t| t.kind == Kind::Word) else {
        out.push(token);
        return;
    };
    let span = token.span.to(name.span);
    match known.get(name.text) {
        Some(value) if out.len() + value.len() <= MOST_TOKENS => {
            out.extend(value.iter().map(|t| Token { span, ..t.clone() }));
        }
        Some(_) => diagnostics.push(Diagnostic::error(span, say!("nft/definitions-too-large"))),
        None => diagnostics.push(Diagnostic::error(
            span,
            say!("nft/unknown-variable", name = name.text),
        )),
    }
}
