//! Instances of Compute Engine, read from the pages of the aggregated list.

mod shape;
mod instance;
mod page;

pub(crate) use instance::{Instance, Interface, Wanted};
pub(crate) use page::{Page, read_page};
pub(crate) use shape::{Field, First, Text, text};
