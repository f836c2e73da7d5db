//! A struct with named fields: a table.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Error, Field, Fields, Result, Type};

use crate::attribute::{Default, Literal, Setting, description, refuse_serde, strip};
use crate::schema::{Schema, check_name};

/// What a field becomes.
struct Known {
    name: String,
    setting: Setting,
    description: String,
    of_type: Type,
}

pub(crate) fn implement(mut item: DeriveInput) -> Result<TokenStream> {
    let shown = item.ident.clone();
    let Data::Struct(data) = &mut item.data else {
        return Err(Error::new_spanned(shown, "a struct"));
    };
    let Fields::Named(fields) = &mut data.fields else {
        return Err(Error::new_spanned(
            shown,
            "settings have names, so the struct has named fields; `janitor_plugin_api::NoSettings` is for none",
        ));
    };
    let mut known = Vec::new();
    let mut names = BTreeSet::new();
    let mut defaults = Vec::new();
    for field in &mut fields.named {
        let read = read(field)?;
        let aliases = read.setting.all_aliases().map(syn::LitStr::value);
        for name in aliases.chain([read.name.clone()]) {
            if !names.insert(name.clone()) {
                let text = format!("two settings have the name `{name}`");
                return Err(Error::new_spanned(field, text));
            }
        }
        let (attributes, default) = serde_attributes(&shown.to_string(), field, &read);
        strip(&mut field.attrs);
        field.attrs.extend(attributes);
        defaults.extend(default);
        known.push(read);
    }
    let bounds = known.iter().filter_map(bounds_fit);
    let schema = schema(&known).finish();
    let type_name = &item.ident;
    Ok(quote! {
        #[derive(::janitor_plugin_api::__private::serde::Deserialize)]
        #[serde(crate = "::janitor_plugin_api::__private::serde", deny_unknown_fields)]
        #item

        const _: () = {
            use ::janitor_plugin_api::__private;

            #(#bounds)*

            #[automatically_derived]
            impl #type_name {
                #(#defaults)*
            }

            #[automatically_derived]
            impl __private::Settings for #type_name {
                const SCHEMA: &'static [__private::Part] = #schema;
            }

            #[automatically_derived]
            impl __private::SettingType for #type_name {
                const SCHEMA: &'static [__private::Part] =
                    <Self as __private::Settings>::SCHEMA;
            }
        };
    })
}

fn read(field: &Field) -> Result<Known> {
    refuse_serde(&field.attrs)?;
    let setting = Setting::read(&field.attrs)?;
    let ident = field.ident.as_ref();
    let name = match &setting.rename {
        Some(name) => name.value(),
        None => ident
            .map(|ident| ident.unraw().to_string())
            .unwrap_or_default(),
    };
    check_name(&name, field)?;
    for alias in setting.all_aliases() {
        check_name(&alias.value(), alias)?;
    }
    if let Some(Default::Value(literal, span)) = &setting.default
        && !may_be(literal, &field.ty.to_token_stream().to_string())
    {
        return Err(Error::new(*span, "the default does not fit into the type"));
    }
    Ok(Known {
        name,
        setting,
        description: description(&field.attrs),
        of_type: field.ty.clone(),
    })
}

/// The attributes that serde understands, and the function that gives the default.
fn serde_attributes(
    type_name: &str,
    field: &Field,
    known: &Known,
) -> (Vec<syn::Attribute>, Option<TokenStream>) {
    let name = &known.name;
    let mut attributes = vec![syn::parse_quote!(#[serde(rename = #name)])];
    for alias in known.setting.all_aliases() {
        attributes.push(syn::parse_quote!(#[serde(alias = #alias)]));
    }
    let function = match &known.setting.default {
        None => None,
        Some(Default::OfType) => {
            attributes.push(syn::parse_quote!(#[serde(default)]));
            None
        }
        Some(Default::Value(literal, _)) => {
            let ident = field.ident.as_ref().map(syn::ext::IdentExt::unraw);
            let function = format_ident!("__default_of_{}", ident.to_token_stream().to_string());
            let path = format!("{type_name}::{function}");
            attributes.push(syn::parse_quote!(#[serde(default = #path)]));
            let of_type = &known.of_type;
            let value = default_value(literal, of_type, name);
            Some(quote! {
                #[doc(hidden)]
                fn #function() -> #of_type {
                    #value
                }
            })
        }
    };
    (attributes, function)
}

/// The default as an expression. What the compiler can judge it judges; the rest is read as if it
/// stood in the configuration.
fn default_value(literal: &Literal, of_type: &Type, name: &str) -> TokenStream {
    let span = place(of_type.span());
    let primitive = of_type.to_token_stream().to_string();
    match (literal, primitive.as_str()) {
        (Literal::Boolean(value), "bool") => quote_spanned!(span=> #value),
        (Literal::Integer(_), primitive) if range(primitive).is_some() => {
            let number = number(literal);
            quote_spanned!(span=> #number)
        }
        (Literal::Float(_), "f32" | "f64") => {
            let number = number(literal);
            quote_spanned!(span=> #number)
        }
        (Literal::Integer(number), "f32" | "f64") => {
            let number: TokenStream = format!("{number}.0").parse().unwrap_or_default();
            quote_spanned!(span=> #number)
        }
        _ => {
            let value = value(literal);
            quote_spanned!(span=> __private::default_of(#name, #value))
        }
    }
}

/// Whether a value may be of a type, as far as the type's name tells. The compiler does not warn of
/// a number that is too large if a macro wrote it, and a text is read only when it is needed.
fn may_be(literal: &Literal, type_name: &str) -> bool {
    match type_name {
        "bool" => matches!(literal, Literal::Boolean(_)),
        "f32" | "f64" => matches!(literal, Literal::Integer(_) | Literal::Float(_)),
        "String" | "PathBuf" => matches!(literal, Literal::Text(_)),
        _ => match (range(type_name), literal) {
            (None, _) => true,
            (Some(range), Literal::Integer(number)) => range.contains(number),
            (Some(_), _) => false,
        },
    }
}

/// What a whole number of a primitive type can be.
fn range(primitive: &str) -> Option<RangeInclusive<i128>> {
    Some(match primitive {
        "u8" => 0..=u8::MAX.into(),
        "u16" => 0..=u16::MAX.into(),
        "u32" => 0..=u32::MAX.into(),
        "u64" | "usize" => 0..=u64::MAX.into(),
        "i8" => i8::MIN.into()..=i8::MAX.into(),
        "i16" => i16::MIN.into()..=i16::MAX.into(),
        "i32" => i32::MIN.into()..=i32::MAX.into(),
        "i64" | "isize" => i64::MIN.into()..=i64::MAX.into(),
        _ => return None,
    })
}

/// A number as the field's own type writes it.
fn number(literal: &Literal) -> TokenStream {
    let text = match literal {
        Literal::Integer(number) => number.to_string(),
        Literal::Float(number) => format!("{number:?}"),
        Literal::Text(_) | Literal::Boolean(_) | Literal::List(_) => String::new(),
    };
    text.parse().unwrap_or_default()
}

/// A value as TOML gives it.
fn value(literal: &Literal) -> TokenStream {
    match literal {
        Literal::Text(text) => quote!(#text),
        Literal::Boolean(boolean) => quote!(#boolean),
        Literal::Integer(number) => format!("{number}_i64").parse().unwrap_or_default(),
        Literal::Float(number) => format!("{number:?}").parse().unwrap_or_default(),
        Literal::List(values) => {
            let values = values.iter().map(value);
            quote!(::std::vec![#(#values),*])
        }
    }
}

/// Where errors are shown. The tokens themselves are ours, so that lints pass over them.
fn place(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// A check at compile time that `min` and `max` stand at a number.
fn bounds_fit(known: &Known) -> Option<TokenStream> {
    let (_, span) = known.setting.min.as_ref().or(known.setting.max.as_ref())?;
    let span = place(*span);
    let of_type = &known.of_type;
    Some(quote_spanned! {span=>
        const _: () = ::std::assert!(
            __private::is_number(<#of_type as __private::SettingType>::SCHEMA),
            "`min` and `max` are for numbers"
        );
    })
}

fn schema(known: &[Known]) -> Schema {
    let mut schema = Schema::default();
    schema.text("type = \"object\", additionalProperties = false, required = [");
    for known in known.iter().filter(|known| known.setting.default.is_none()) {
        let of_type = &known.of_type;
        let entry = format!("\"{}\", ", known.name);
        schema.part(quote_spanned! {place(of_type.span())=>
            __private::Part::When(
                !<#of_type as __private::SettingType>::IS_OPTIONAL,
                &[__private::Part::Plain(#entry)],
            )
        });
    }
    schema.text("], properties = {");
    for (index, known) in known.iter().enumerate() {
        schema.text(if index == 0 { " " } else { ", " });
        schema.text(&format!("{} = {{ ", known.name));
        property(&mut schema, known);
        schema.text(" }");
    }
    schema.text(" }");
    schema
}

fn property(schema: &mut Schema, known: &Known) {
    let of_type = &known.of_type;
    let setting = &known.setting;
    schema.part(quote_spanned! {place(of_type.span())=>
        __private::Part::Nested(<#of_type as __private::SettingType>::SCHEMA)
    });
    if !known.description.is_empty() {
        schema.keyword("description", &Literal::Text(known.description.clone()));
    }
    match &setting.default {
        None => {}
        Some(Default::OfType) => schema.part(quote_spanned! {place(of_type.span())=>
            __private::Part::When(
                !<#of_type as __private::SettingType>::DEFAULT.is_empty(),
                &[
                    __private::Part::Plain(", default = "),
                    __private::Part::Nested(<#of_type as __private::SettingType>::DEFAULT),
                ],
            )
        }),
        Some(Default::Value(literal, _)) => schema.keyword("default", literal),
    }
    if let Some((bound, _)) = &setting.min {
        schema.keyword("minimum", bound);
    }
    if let Some((bound, _)) = &setting.max {
        schema.keyword("maximum", bound);
    }
    if setting.secret {
        schema.keyword("writeOnly", &Literal::Boolean(true));
    }
    if let Some(unit) = &setting.unit {
        schema.keyword("unit", &Literal::Text(unit.value()));
    }
    if let Some(example) = &setting.example {
        schema.keyword("examples", &Literal::List(vec![example.clone()]));
    }
    schema.texts("aliases", &setting.aliases);
    schema.texts("deprecatedAliases", &setting.deprecated_aliases);
}
