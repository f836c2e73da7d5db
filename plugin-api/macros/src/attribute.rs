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
    pub(crate) example: Option<(Literal, Span)>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) deprecated_aliases: Vec<LitStr>,
}

/// What stands in the place of a value that is not there.
pub(crate) enum Default {
    /// `Default::default()` of the type.
    OfType(Span),
    /// This value.
    Value(Literal, Span),
}

/// A value that Rust and TOML can both write.
#[derive(Clone)]
pub(crate) enum Literal {
    Text(String),
    Integer(i64),
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
            "default" if !input.peek(Token![=]) => {
                let default = Default::OfType(name.span());
                self.default.replace(default).is_none()
            }
            "default" => {
                let default = Default::Value(value(input)?, name.span());
                self.default.replace(default).is_none()
            }
            "secret" => !std::mem::replace(&mut self.secret, true),
            "unit" => self.unit.replace(value(input)?).is_none(),
            "min" => self.min.replace((value(input)?, name.span())).is_none(),
            "max" => self.max.replace((value(input)?, name.span())).is_none(),
            "example" => {
                let example = (value(input)?, name.span());
                self.example.replace(example).is_none()
            }
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
        let (min, max) = self.bounds();
        if let (Some(min), Some(max), Some((_, span))) = (min, max, &self.max)
            && min > max
        {
            return Err(Error::new(*span, "`max` is below `min`"));
        }
        let is_within = |literal: &Literal| literal.number().is_none_or(|n| self.is_within(n));
        if let Some(Default::Value(literal, span)) = &self.default
            && !is_within(literal)
        {
            return Err(Error::new(*span, "the default is out of bounds"));
        }
        if let Some((literal, span)) = &self.example
            && !is_within(literal)
        {
            return Err(Error::new(*span, "the example is out of bounds"));
        }
        if self.secret
            && let Some(Default::Value(_, span)) = &self.default
        {
            return Err(Error::new(*span, "a secret with a default is none"));
        }
        Ok(())
    }

    fn bounds(&self) -> (Option<f64>, Option<f64>) {
        let number = |bound: &Option<(Literal, Span)>| bound.as_ref().and_then(|(b, _)| b.number());
        (number(&self.min), number(&self.max))
    }

    /// Whether a number is within the bounds.
    pub(crate) fn is_within(&self, number: f64) -> bool {
        let (min, max) = self.bounds();
        min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
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
                let sign = if is_negative { "-" } else { "" };
                let signed = format!("{sign}{}", number.base10_digits());
                match signed.parse() {
                    Ok(number) => Ok(Self::Integer(number)),
                    Err(_) => Err(Error::new_spanned(
                        number,
                        "a whole number of a configuration has 64 bits with a sign",
                    )),
                }
            }
            Lit::Float(number) => match number.base10_parse::<f64>()? {
                parsed if parsed.is_infinite() => {
                    Err(Error::new_spanned(number, "the number is too large"))
                }
                parsed => Ok(Self::Float(if is_negative { -parsed } else { parsed })),
            },
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

/// Refuses attributes of a field or variant that would make what is read differ from what is described.
pub(crate) fn refuse_foreign(attributes: &[Attribute]) -> Result<()> {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            return Err(Error::new_spanned(
                attribute,
                "a schema has every setting in every build; put the condition on the whole type",
            ));
        }
    }
    refuse_serde(attributes)
}

/// Refuses what `#[settings]` writes itself.
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

/// The item without what only this macro and serde's derive understand.
pub(crate) fn stripped(mut item: DeriveInput) -> DeriveInput {
    let bare = |attributes: &mut Vec<Attribute>| {
        strip(attributes);
        attributes.retain(|attribute| !attribute.path().is_ident("serde"));
    };
    bare(&mut item.attrs);
    match &mut item.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|f| bare(&mut f.attrs)),
        Data::Enum(data) => data.variants.iter_mut().for_each(|v| bare(&mut v.attrs)),
        Data::Union(_) => {}
    }
    item
}

pub(crate) fn strip(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| !attribute.path().is_ident("setting"));
}
