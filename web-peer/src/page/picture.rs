//! The pictures that `index.html` holds.

use leptos::prelude::*;

/// A small picture beside or instead of words; screen readers pass over it.
#[component]
pub(crate) fn Icon(name: &'static str) -> impl IntoView {
    view! { <svg class="icon" aria-hidden="true"><use_ href=format!("#icon-{name}")/></svg> }
}

/// A larger picture, its class its name.
#[component]
pub(crate) fn Picture(name: &'static str) -> impl IntoView {
    view! { <svg class=name aria-hidden="true"><use_ href=format!("#{name}")/></svg> }
}
