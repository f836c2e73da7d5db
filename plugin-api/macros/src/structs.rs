//! A struct with named fields: a table.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Error, Field, Fields, Result, Type};

use crate::attribute::{Default, Literal, Setting, description, refuse_foreign, strip};
use crate::schema::{Schema, check_name, push_literal};

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
    let checks = known.iter().map(checks);
    let schema = schema(&known).finish();
    let type_name = &item.ident;
    Ok(quote! {
        #[derive(::janitor_plugin_api::__private::serde::Deserialize)]
        #[serde(crate = "::janitor_plugin_api::__private::serde", deny_unknown_fields)]
        #item

        const _: () = {
            use ::janitor_plugin_api::__private;

            #(#checks)*

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
    refuse_foreign(&field.attrs)?;
    let setting = Setting::read(&field.attrs)?;
    let ident = field.ident.as_ref();
    let name = match &setting.rename {
        Some(name) => name.value(),
        None => ident
            .map(|ident| ident.unraw().to_string())
            .unwrap_or_default(),
    };
    match &setting.rename {
        Some(rename) => check_name(&name, rename)?,
        None => check_name(&name, &field.ident)?,
    }
    for alias in setting.all_aliases() {
        check_name(&alias.value(), alias)?;
    }
    if let Some(Default::Value(Literal::Text(text), span)) = &setting.default
        && !may_be(text, &field.ty.to_token_stream().to_string())
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
        Some(Default::OfType(_)) => {
            attributes.push(syn::parse_quote!(#[serde(default)]));
            None
        }
        Some(Default::Value(literal, _)) => {
            let ident = field.ident.as_ref().map(syn::ext::IdentExt::unraw);
            let function = format_ident!("__default_of_{}", ident.to_token_stream().to_string());
            let path = format!("{type_name}::{function}");
            attributes.push(syn::parse_quote!(#[serde(default = #path)]));
            let of_type = &known.of_type;
            let value = value(literal);
            Some(quote_spanned! {place(of_type.span())=>
                #[doc(hidden)]
                fn #function() -> #of_type {
                    __private::default_of(#name, #value)
                }
            })
        }
    };
    (attributes, function)
}

/// Whether a text may be of a type. It cannot be read as an address at compile time, so that its name
/// has to do here; for everything else [`checks`] look at the type itself.
fn may_be(text: &str, type_name: &str) -> bool {
    match type_name.rsplit(' ').next().unwrap_or_default() {
        "IpAddr" => text.parse::<IpAddr>().is_ok(),
        "Ipv4Addr" => text.parse::<Ipv4Addr>().is_ok(),
        "Ipv6Addr" => text.parse::<Ipv6Addr>().is_ok(),
        "SocketAddr" => text.parse::<SocketAddr>().is_ok(),
        _ => true,
    }
}

/// A value as TOML gives it.
fn value(literal: &Literal) -> TokenStream {
    match literal {
        Literal::Text(text) => quote!(#text),
        Literal::Boolean(boolean) => quote!(#boolean),
        Literal::Integer(number) => format!("{number}_i64").parse().unwrap_or_default(),
        Literal::Float(number) => format!("{number:?}").parse().unwrap_or_default(),
        // The type of nothing has to be said.
        Literal::List(values) if values.is_empty() => quote!(::std::vec::Vec::<u8>::new()),
        Literal::List(values) => {
            let values = values.iter().map(value);
            quote!(::std::vec![#(#values),*])
        }
    }
}

/// A value as checks at compile time see it.
fn checked(literal: &Literal) -> TokenStream {
    match literal {
        Literal::Text(_) => {
            let mut text = String::new();
            push_literal(&mut text, literal);
            quote!(__private::Literal::Text(#text))
        }
        Literal::Integer(_) => {
            let number = value(literal);
            quote!(__private::Literal::Integer(#number))
        }
        Literal::Float(_) => quote!(__private::Literal::Float),
        Literal::Boolean(_) => quote!(__private::Literal::Boolean),
        Literal::List(values) => {
            let values = values.iter().map(checked);
            quote!(__private::Literal::List(&[#(#values),*]))
        }
    }
}

/// Where errors are shown. The tokens themselves are ours, so that lints pass over them.
fn place(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// Checks at compile time that what is said of a setting fits its type.
fn checks(known: &Known) -> TokenStream {
    let setting = &known.setting;
    let of_type = &known.of_type;
    let mut checks = TokenStream::new();
    let mut check = |span: Span, is_so: TokenStream, otherwise: &str| {
        checks.extend(quote_spanned! {place(span)=>
            const _: () = ::std::assert!(#is_so, #otherwise);
        });
    };
    let schema = quote!(<#of_type as __private::SettingType>::SCHEMA);
    for (bound, span) in setting.min.iter().chain(&setting.max) {
        let bound = checked(bound);
        check(
            *span,
            quote!(__private::fits(#schema, #bound)),
            "a bound is a value of the setting's own type",
        );
    }
    match &setting.default {
        Some(Default::Value(literal, span)) => {
            check(
                *span,
                quote!(!<#of_type as __private::SettingType>::IS_OPTIONAL),
                "an `Option` with a default is never `None`: leave out one of the two",
            );
            let literal = checked(literal);
            check(
                *span,
                quote!(__private::fits(#schema, #literal)),
                "the default does not fit into the type",
            );
        }
        Some(Default::OfType(span)) if !setting.is_within(0.0) => check(
            *span,
            quote!(!__private::is_nought(<#of_type as __private::SettingType>::DEFAULT)),
            "the default of the type is out of bounds",
        ),
        Some(Default::OfType(_)) | None => {}
    }
    if let Some((example, span)) = &setting.example {
        let example = checked(example);
        check(
            *span,
            quote!(__private::fits(#schema, #example)),
            "the example does not fit into the type",
        );
    }
    if let Some(Default::OfType(span)) = &setting.default {
        // serde asks for it as well, but its complaint has no place.
        checks.extend(quote_spanned! {place(*span)=>
            const _: fn() -> #of_type = <#of_type as ::std::default::Default>::default;
        });
    }
    checks
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
        Some(Default::OfType(_)) => schema.part(quote_spanned! {place(of_type.span())=>
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
    if let Some((example, _)) = &setting.example {
        schema.keyword("examples", &Literal::List(vec![example.clone()]));
    }
    schema.texts("aliases", &setting.aliases);
    schema.texts("deprecatedAliases", &setting.deprecated_aliases);
}
