//! What the pages that a command writes share: one file each, that needs nothing else and no script, light and dark.

/// Colours, and what every page begins with.
const BASE: &str = include_str!("html.css");

/// The style of a page whose own rules are `own`.
pub(crate) fn style(own: &str) -> String {
    [BASE, own].concat()
}

/// A whole page. `title` is text; `body` is HTML.
pub(crate) fn document(title: &str, own_style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title),
        style(own_style)
    )
}

/// Text as text, inside an element and inside double quotes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
