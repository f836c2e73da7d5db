//! Schemas as pieces of text: what is known now is written out, what a field's type adds is left to it.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Error, LitStr, Result};

use crate::attribute::Literal;

/// A list of `Part`s that grows; texts that follow each other become one.
#[derive(Default)]
pub(crate) struct Schema {
    parts: Vec<TokenStream>,
    text: String,
}

impl Schema {
    pub(crate) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds `, name = value`.
    pub(crate) fn keyword(&mut self, name: &str, value: &Literal) {
        self.text.push_str(", ");
        self.text.push_str(name);
        self.text.push_str(" = ");
        push_literal(&mut self.text, value);
    }

    pub(crate) fn texts(&mut self, name: &str, values: &[LitStr]) {
        if !values.is_empty() {
            let values = values.iter().map(|value| Literal::Text(value.value()));
            self.keyword(name, &Literal::List(values.collect()));
        }
    }

    /// Adds a part that is an expression.
    pub(crate) fn part(&mut self, part: TokenStream) {
        self.flush();
        self.parts.push(part);
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.parts.push(quote!(__private::Part::Plain(#text)));
        }
    }

    /// The expression of the whole: a `&'static [Part]`.
    pub(crate) fn finish(mut self) -> impl ToTokens {
        self.flush();
        let parts = self.parts;
        quote!(&[#(#parts),*])
    }
}

/// Writes a value as TOML.
pub(crate) fn push_literal(out: &mut String, value: &Literal) {
    let written = match value {
        Literal::Text(text) => {
            push_text(out, text);
            Ok(())
        }
        Literal::Integer(number) => write!(out, "{number}"),
        Literal::Float(number) => write!(out, "{number:?}"),
        Literal::Boolean(boolean) => write!(out, "{boolean}"),
        Literal::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                push_literal(out, value);
            }
            out.push(']');
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "a string takes everything");
}

/// Writes a basic string on one line.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ if character.is_control() => {
                out.push_str(&format!("\\u{:04X}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Refuses names that would need quotes.
pub(crate) fn check_name(name: &str, shown: &impl ToTokens) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::new_spanned(
        shown,
        "a name of a setting is made of letters, digits, `_` and `-`",
    ))
}
