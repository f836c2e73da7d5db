//! Requests to Google's services.

mod client;
mod fault;
mod page;

pub(crate) use client::{Google, Service};
pub(crate) use fault::Fault;
pub(crate) use page::{Next, PageFault};
pub(crate) use reqwest::Url;
