//! What went wrong or happened, in words, until somebody dismisses it.

use std::time::Duration;

use leptos::prelude::*;

use super::picture::Icon;

/// A message that is no error goes away by itself.
const NOTE_SHOWN: Duration = Duration::from_secs(8);

/// More than these at once nobody reads.
const MOST_SHOWN: usize = 5;

/// The messages that are shown.
#[derive(Clone, Copy)]
pub(crate) struct Alerts {
    shown: RwSignal<Vec<Alert>>,
    next_id: StoredValue<u32>,
}

#[derive(Clone)]
struct Alert {
    id: u32,
    error: bool,
    text: String,
}

impl Alerts {
    /// None.
    pub(crate) fn new() -> Self {
        Alerts {
            shown: RwSignal::new(Vec::new()),
            next_id: StoredValue::new(0),
        }
    }

    /// Something went wrong.
    pub(crate) fn error(self, text: impl Into<String>) {
        self.show(true, text.into());
    }

    /// Something happened.
    pub(crate) fn note(self, text: impl Into<String>) {
        let id = self.show(false, text.into());
        set_timeout(move || self.dismiss(id), NOTE_SHOWN);
    }

    fn show(self, error: bool, text: String) -> u32 {
        let id = self.next_id.get_value();
        self.next_id.set_value(id + 1);
        self.shown.update(|shown| {
            // Said again it takes the place of the old one, and is read out again.
            shown.retain(|alert| alert.text != text);
            if shown.len() == MOST_SHOWN {
                shown.remove(0);
            }
            shown.push(Alert { id, error, text });
        });
        id
    }

    fn dismiss(self, id: u32) {
        self.shown
            .update(|shown| shown.retain(|alert| alert.id != id));
    }
}

/// The messages, at the top of the page.
#[component]
pub(crate) fn AlertList() -> impl IntoView {
    let alerts = expect_context::<Alerts>();
    view! {
        <div class="alerts">
            <For each=move || alerts.shown.get() key=|alert| alert.id let:alert>
                <div
                    class="alert"
                    class:error=alert.error
                    role=if alert.error { "alert" } else { "status" }
                    data-testid=if alert.error { "alert" } else { "notice" }
                >
                    <p>{alert.text}</p>
                    <button
                        type="button"
                        class="quiet icon-only"
                        aria-label="Dismiss this message"
                        on:click=move |_| alerts.dismiss(alert.id)
                    >
                        <Icon name="close"/>
                    </button>
                </div>
            </For>
        </div>
    }
}
