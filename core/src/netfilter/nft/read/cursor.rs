//! The tokens of a text, one after the other.

use super::lex::{Kind, Token};
use crate::netfilter::matches::Unsupported;
use crate::say;
use crate::text::{Diagnostic, Say, Span};

/// Why a statement could not be read.
pub(super) enum Fault {
    Wrong(Box<Diagnostic>),
    /// nft knows it, the model does not.
    NotModelled(Box<Unsupported>),
}

pub(super) type Parse<T> = Result<T, Fault>;

pub(super) fn wrong<T>(span: Span, message: Say) -> Parse<T> {
    Err(Fault::Wrong(Box::new(Diagnostic::error(span, message))))
}

pub(super) fn not_modelled<T>(token: &Token) -> Parse<T> {
    not_modelled_as(token.text, token.span)
}

pub(super) fn not_modelled_as<T>(name: &str, span: Span) -> Parse<T> {
    let text = name.into();
    Err(Fault::NotModelled(Box::new(Unsupported {
        name: name.into(),
        text,
        span,
    })))
}

pub(super) struct Cursor<'t> {
    tokens: Vec<Token<'t>>,
    pub at: usize,
    /// Stands behind the last token.
    end: Token<'t>,
}

impl<'t> Cursor<'t> {
    pub fn new(tokens: Vec<Token<'t>>, end: Span) -> Self {
        Self {
            tokens,
            at: 0,
            end: Token {
                kind: Kind::End,
                text: "",
                span: end,
            },
        }
    }

    pub fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub fn peek(&self) -> &Token<'t> {
        self.peek_at(0)
    }

    pub fn peek_at(&self, ahead: usize) -> &Token<'t> {
        self.tokens.get(self.at + ahead).unwrap_or(&self.end)
    }

    pub fn next(&mut self) -> Token<'t> {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    /// The span from a token on to the last one read.
    pub fn since(&self, start: usize) -> Span {
        let last = self
            .tokens
            .get(self.at.saturating_sub(1).max(start))
            .unwrap_or(&self.end);
        self.tokens
            .get(start)
            .unwrap_or(&self.end)
            .span
            .to(last.span)
    }

    pub fn is_sign(&self, sign: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Sign && token.text == sign
    }

    pub fn is_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Word && token.text == word
    }

    pub fn eat_sign(&mut self, sign: &str) -> bool {
        let is = self.is_sign(sign);
        self.at += usize::from(is);
        is
    }

    pub fn eat_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    /// One of two spellings, such as `!=` and `ne`.
    pub fn eat_either(&mut self, sign: &str, word: &str) -> bool {
        self.eat_sign(sign) || self.eat_word(word)
    }

    pub fn sign(&mut self, sign: &str) -> Parse<()> {
        if self.eat_sign(sign) {
            Ok(())
        } else {
            self.expected(sign)
        }
    }

    pub fn word(&mut self, word: &str) -> Parse<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            self.expected(word)
        }
    }

    pub fn expected<T>(&self, wanted: &str) -> Parse<T> {
        let token = self.peek();
        if self.ends_rule() {
            wrong(token.span, say!("nft/ends-early", wanted = wanted))
        } else {
            wrong(
                token.span,
                say!("nft/unexpected", text = token.text, wanted = wanted),
            )
        }
    }

    /// A name: a word or a quoted string.
    pub fn name(&mut self, what: &str) -> Parse<Token<'t>> {
        match self.peek().kind {
            Kind::Word | Kind::Quoted => Ok(self.next()),
            _ => self.expected(what),
        }
    }

    pub fn quoted(&mut self) -> Parse<Box<str>> {
        if self.peek().kind == Kind::Quoted {
            Ok(self.next().text.into())
        } else {
            self.expected("\"…\"")
        }
    }

    pub fn number(&mut self, most: u64) -> Parse<u64> {
        let token = self.peek();
        match token.kind {
            Kind::Number(n) if n <= most => {
                self.at += 1;
                Ok(n)
            }
            Kind::Number(_) => wrong(
                token.span,
                say!("nft/out-of-range", text = token.text, most = most),
            ),
            _ => self.expected("a number"),
        }
    }

    pub fn number32(&mut self) -> Parse<u32> {
        let n = self.number(u64::from(u32::MAX))?;
        Ok(u32::try_from(n).unwrap_or(u32::MAX))
    }

    /// Milliseconds; a bare number counts seconds.
    pub fn duration(&mut self) -> Parse<u64> {
        let token = self.peek();
        let found = match token.kind {
            Kind::Duration(ms) => ms,
            Kind::Number(s) => s.saturating_mul(1000),
            _ => return self.expected("a duration such as 1h30m"),
        };
        self.at += 1;
        Ok(found)
    }

    pub fn skip_ends(&mut self) {
        while self.peek().kind == Kind::End && !self.done() {
            self.at += 1;
        }
    }

    /// A rule ends at the end of its line, at `;`, and before the `}` of its chain.
    pub fn ends_rule(&self) -> bool {
        self.peek().kind == Kind::End || self.is_sign("}")
    }

    /// Goes on behind the current statement, over blocks that are opened in it.
    pub fn skip_statement(&mut self) {
        let mut depth = 0_u32;
        while !self.done() {
            match self.peek() {
                Token {
                    kind: Kind::End, ..
                } if depth == 0 => return,
                Token {
                    kind: Kind::Sign,
                    text: "{",
                    ..
                } => depth += 1,
                Token {
                    kind: Kind::Sign,
                    text: "}",
                    ..
                } if depth == 0 => return,
                Token {
                    kind: Kind::Sign,
                    text: "}",
                    ..
                } => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }
}
