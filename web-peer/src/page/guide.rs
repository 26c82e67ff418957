//! How it works, for somebody who has nothing here yet.

use leptos::prelude::*;

/// Three steps.
#[component]
pub(crate) fn Guide() -> impl IntoView {
    view! {
        <section class="guide" aria-labelledby="guide-heading">
            <h2 id="guide-heading">"How it works"</h2>
            <ol>
                <li>
                    <h3>"Drop a file"</h3>
                    <p>
                        "It is cut into pieces, and each piece gets a fingerprint. "
                        "Nothing is uploaded yet."
                    </p>
                </li>
                <li>
                    <h3>"Send the link"</h3>
                    <p>
                        "Whoever opens it fetches pieces from your tab, checks every one, "
                        "and passes it on to the others."
                    </p>
                </li>
                <li>
                    <h3>"Keep a tab open"</h3>
                    <p>
                        "Yours, until the others hold every piece among them. "
                        "After that they no longer need you."
                    </p>
                </li>
            </ol>
        </section>
    }
}
