//! An enum without fields: a text out of a list.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Error, Fields, Result, Variant};

use crate::attribute::{Literal, Setting, description, refuse_foreign, strip};
use crate::schema::Schema;

pub(crate) fn implement(mut item: DeriveInput) -> Result<TokenStream> {
    let shown = item.ident.clone();
    let Data::Enum(data) = &mut item.data else {
        return Err(Error::new_spanned(shown, "an enum"));
    };
    if data.variants.is_empty() {
        return Err(Error::new_spanned(
            shown,
            "an enum without variants has no value",
        ));
    }
    let mut names = Vec::new();
    let mut descriptions = Vec::new();
    let mut default = None;
    for variant in &mut data.variants {
        let name = read(variant)?;
        if names
            .iter()
            .any(|known| matches!(known, Literal::Text(known) if *known == name))
        {
            let text = format!("two variants have the text `{name}`");
            return Err(Error::new_spanned(variant, text));
        }
        descriptions.push(Literal::Text(description(&variant.attrs)));
        if variant.attrs.iter().any(|a| a.path().is_ident("default")) {
            default = Some(Literal::Text(name.clone()));
        }
        strip(&mut variant.attrs);
        variant
            .attrs
            .push(syn::parse_quote!(#[serde(rename = #name)]));
        names.push(Literal::Text(name));
    }
    let mut schema = Schema::default();
    schema.text("type = \"string\"");
    schema.keyword("enum", &Literal::List(names));
    let is_described = |text: &Literal| matches!(text, Literal::Text(text) if !text.is_empty());
    if descriptions.iter().any(is_described) {
        schema.keyword("enumDescriptions", &Literal::List(descriptions));
    }
    let schema = schema.finish();
    let default = default.map(|default| {
        let mut text = String::new();
        crate::schema::push_literal(&mut text, &default);
        quote! {
            const DEFAULT: &'static [__private::Part] = &[__private::Part::Plain(#text)];
        }
    });
    let type_name = &item.ident;
    Ok(quote! {
        #[derive(::janitor_plugin_api::__private::serde::Deserialize)]
        #[serde(crate = "::janitor_plugin_api::__private::serde")]
        #item

        const _: () = {
            use ::janitor_plugin_api::__private;

            #[automatically_derived]
            impl __private::SettingType for #type_name {
                const SCHEMA: &'static [__private::Part] = #schema;
                #default
            }
        };
    })
}

/// The text that stands for a variant.
fn read(variant: &Variant) -> Result<String> {
    refuse_foreign(&variant.attrs)?;
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(
            variant,
            "a setting is one of several texts, so a variant has no fields; settings that belong together are a struct",
        ));
    }
    let setting = Setting::read(&variant.attrs)?;
    let only_names = setting.default.is_none()
        && !setting.secret
        && setting.unit.is_none()
        && setting.min.is_none()
        && setting.max.is_none()
        && setting.example.is_none()
        && setting.all_aliases().next().is_none();
    if !only_names {
        return Err(Error::new_spanned(
            variant,
            "of a variant only `rename` can be said",
        ));
    }
    Ok(match &setting.rename {
        Some(name) => name.value(),
        None => kebab(&variant.ident.unraw().to_string()),
    })
}

/// `BestEffort` as `best-effort`.
fn kebab(ident: &str) -> String {
    let mut out = String::new();
    for (index, character) in ident.chars().enumerate() {
        if character.is_uppercase() && index > 0 {
            out.push('-');
        }
        out.extend(character.to_lowercase());
    }
    out
}
