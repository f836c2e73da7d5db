//! The attribute `#[settings]` of `janitor-plugin-api`, which documents it for authors.
//!
//! It reads a struct or an enum once and writes both what reads values (a derive of `Deserialize`)
//! and what describes them (a schema). Neither is written by hand, so they cannot disagree.

mod attribute;
mod schema;
mod structs;
mod enums;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Result};

/// Makes a type usable as settings. See `janitor_plugin_api::settings`.
#[proc_macro_attribute]
pub fn settings(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = syn::parse_macro_input!(item as DeriveInput);
    expand(&arguments.into(), item).into()
}

fn expand(arguments: &TokenStream, item: DeriveInput) -> TokenStream {
    match checked(arguments, &item).and_then(|()| implement(item.clone())) {
        Ok(tokens) => tokens,
        Err(error) => {
            // With the type itself, or every use of it would be a further error.
            let error = error.into_compile_error();
            let bare = attribute::stripped(item);
            quote! { #error #bare }
        }
    }
}

fn implement(item: DeriveInput) -> Result<TokenStream> {
    match &item.data {
        Data::Struct(_) => structs::implement(item),
        Data::Enum(_) => enums::implement(item),
        Data::Union(_) => Err(Error::new_spanned(
            item,
            "settings are a struct with named fields, or an enum without any",
        )),
    }
}

fn checked(arguments: &TokenStream, item: &DeriveInput) -> Result<()> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(
            arguments,
            "`#[settings]` takes no arguments; those of a field stand in `#[setting(…)]`",
        ));
    }
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &item.generics,
            "settings have one schema, so their type has no parameters",
        ));
    }
    attribute::refuse_serde(&item.attrs)
}
