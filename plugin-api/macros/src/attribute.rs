//! `#[setting(…)]`, and the doc comment beside it.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, Result, Token,
};

/// What `#[setting(…)]` says of a field or a variant.
#[derive(Default)]
pub(crate) struct Setting {
    pub(crate) default: Option<Default>,
    pub(crate) secret: bool,
    pub(crate) unit: Option<LitStr>,
    pub(crate) min: Option<(Literal, Span)>,
    pub(crate) max: Option<(Literal, Span)>,
    pub(crate) example: Option<Literal>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) deprecated_aliases: Vec<LitStr>,
}

/// What stands in the place of a value that is not there.
pub(crate) enum Default {
    /// `Default::default()` of the type.
    OfType,
    /// This value.
    Value(Literal, Span),
}

/// A value that Rust and TOML can both write.
#[derive(Clone)]
pub(crate) enum Literal {
    Text(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    List(Vec<Self>),
}

impl Setting {
    /// Reads every `#[setting(…)]` among `attributes`.
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut setting = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("setting")) {
            attribute.parse_args_with(|input: ParseStream<'_>| setting.arguments(input))?;
        }
        setting.check()?;
        Ok(setting)
    }

    fn arguments(&mut self, input: ParseStream<'_>) -> Result<()> {
        while !input.is_empty() {
            let name = input.call(Ident::parse_any)?;
            self.argument(&name, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    fn argument(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        let is_new = match name.to_string().as_str() {
            "default" if !input.peek(Token![=]) => self.default.replace(Default::OfType).is_none(),
            "default" => {
                let default = Default::Value(value(input)?, name.span());
                self.default.replace(default).is_none()
            }
            "secret" => !std::mem::replace(&mut self.secret, true),
            "unit" => self.unit.replace(value(input)?).is_none(),
            "min" => self.min.replace((value(input)?, name.span())).is_none(),
            "max" => self.max.replace((value(input)?, name.span())).is_none(),
            "example" => self.example.replace(value(input)?).is_none(),
            "rename" => self.rename.replace(value(input)?).is_none(),
            "alias" => {
                self.aliases.push(value(input)?);
                true
            }
            "deprecated_alias" => {
                self.deprecated_aliases.push(value(input)?);
                true
            }
            _ => {
                return Err(Error::new(
                    name.span(),
                    format!(
                        "`{name}` is nothing that can be said of a setting; known are default, secret, unit, min, max, example, rename, alias, deprecated_alias"
                    ),
                ));
            }
        };
        if is_new {
            Ok(())
        } else {
            Err(Error::new(name.span(), format!("`{name}` is said twice")))
        }
    }

    /// What can be judged without knowing the type.
    fn check(&self) -> Result<()> {
        for (bound, span) in self.min.iter().chain(&self.max) {
            if bound.number().is_none() {
                return Err(Error::new(*span, "a bound is a number"));
            }
        }
        let number = |bound: &Option<(Literal, Span)>| bound.as_ref().and_then(|(b, _)| b.number());
        let (min, max) = (number(&self.min), number(&self.max));
        if let (Some(min), Some(max), Some((_, span))) = (min, max, &self.max)
            && min > max
        {
            return Err(Error::new(*span, "`max` is below `min`"));
        }
        if let Some(Default::Value(literal, span)) = &self.default
            && let Some(default) = literal.number()
            && (min.is_some_and(|min| default < min) || max.is_some_and(|max| default > max))
        {
            return Err(Error::new(*span, "the default is out of bounds"));
        }
        if self.secret
            && let Some(Default::Value(_, span)) = &self.default
        {
            return Err(Error::new(*span, "a secret with a default is none"));
        }
        Ok(())
    }

    /// Every name but the first.
    pub(crate) fn all_aliases(&self) -> impl Iterator<Item = &LitStr> {
        self.aliases.iter().chain(&self.deprecated_aliases)
    }
}

fn value<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

impl Parse for Literal {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(syn::token::Bracket) {
            let list;
            syn::bracketed!(list in input);
            let values = list.parse_terminated(Self::parse, Token![,])?;
            return Ok(Self::List(values.into_iter().collect()));
        }
        let is_negative = input.parse::<Option<Token![-]>>()?.is_some();
        let literal: Lit = input.parse()?;
        match &literal {
            Lit::Str(text) if !is_negative => Ok(Self::Text(text.value())),
            Lit::Bool(boolean) if !is_negative => Ok(Self::Boolean(boolean.value)),
            Lit::Int(number) => {
                let number: i128 = number.base10_parse()?;
                Ok(Self::Integer(if is_negative { -number } else { number }))
            }
            Lit::Float(number) => {
                let number: f64 = number.base10_parse()?;
                Ok(Self::Float(if is_negative { -number } else { number }))
            }
            _ => Err(Error::new_spanned(
                literal,
                "a text, a number, a boolean, or a list of them in brackets",
            )),
        }
    }
}

impl Literal {
    /// The number, if it is one.
    #[expect(
        clippy::cast_precision_loss,
        reason = "bounds are compared with each other, and beyond 2^53 the nearest will do"
    )]
    fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Text(_) | Self::Boolean(_) | Self::List(_) => None,
        }
    }
}

/// The text of the doc comment: lines joined, paragraphs apart.
pub(crate) fn description(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        let Expr::Lit(ExprLit {
            lit: Lit::Str(line),
            ..
        }) = &pair.value
        else {
            continue;
        };
        if !pair.path.is_ident("doc") {
            continue;
        }
        // A block comment has all of its lines in one attribute.
        for line in line.value().split('\n') {
            let line = line.trim();
            if line.is_empty() {
                text.push('\n');
            } else {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push(' ');
                }
                text.push_str(line);
            }
        }
    }
    text.trim().to_owned()
}

/// Refuses attributes that would make what is read differ from what is described.
pub(crate) fn refuse_serde(attributes: &[Attribute]) -> Result<()> {
    for attribute in attributes {
        if attribute.path().is_ident("serde") {
            return Err(Error::new_spanned(
                attribute,
                "`#[settings]` writes what serde needs; say it in `#[setting(…)]`, or implement `SettingType` by hand for a type of its own",
            ));
        }
        if attribute.path().is_ident("derive") {
            attribute.parse_nested_meta(|derived| {
                let is_deserialize = derived
                    .path
                    .segments
                    .last()
                    .is_some_and(|s| s.ident == "Deserialize");
                if is_deserialize {
                    return Err(derived.error("`#[settings]` derives `Deserialize` itself"));
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// The item without what only this macro understands.
pub(crate) fn stripped(mut item: DeriveInput) -> DeriveInput {
    match &mut item.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|f| strip(&mut f.attrs)),
        Data::Enum(data) => data.variants.iter_mut().for_each(|v| strip(&mut v.attrs)),
        Data::Union(_) => {}
    }
    item
}

pub(crate) fn strip(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| !attribute.path().is_ident("setting"));
}
