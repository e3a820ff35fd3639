//! The OpenAPI description as one HTML page that needs no network and no script.

use std::fmt::{self, Write};

use serde_json::Value;

const STYLE: &str = include_str!("style.css");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Draws the page of an OpenAPI document.
pub(super) fn render(api: &Value) -> String {
    let mut page = String::with_capacity(64 * 1024);
    // Writing to a string cannot fail.
    let _ = draw(&mut page, api);
    page
}

fn draw(page: &mut String, api: &Value) -> fmt::Result {
    let title = escape(text(&api["info"]["title"]));
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1><p>Version {}. <a href=\"openapi.json\">openapi.json</a></p><p>{}</p>",
        escape(text(&api["info"]["version"])),
        prose(text(&api["info"]["description"])),
    )?;
    for tag in api["tags"].as_array().into_iter().flatten() {
        draw_tag(page, api, tag)?;
    }
    page.push_str("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in entries(&api["components"]["schemas"]) {
        draw_schema(page, name, schema)?;
    }
    page.push_str("</body></html>\n");
    Ok(())
}

fn draw_tag(page: &mut String, api: &Value, tag: &Value) -> fmt::Result {
    let name = text(&tag["name"]);
    write!(
        page,
        "<h2>{}</h2><p>{}</p>",
        escape(name),
        prose(text(&tag["description"]))
    )?;
    for (path, operations) in entries(&api["paths"]) {
        for method in METHODS {
            let operation = &operations[method];
            if text(&operation["tags"][0]) == name && operation.is_object() {
                draw_operation(page, method, path, operation)?;
            }
        }
    }
    Ok(())
}

fn draw_operation(page: &mut String, method: &str, path: &str, operation: &Value) -> fmt::Result {
    write!(
        page,
        "<details><summary><span class=\"method {method}\">{}</span> <code>{}</code> <span class=\"about\">{}</span>\
         </summary><p>{}</p>",
        method.to_uppercase(),
        escape(path),
        prose(text(&operation["summary"])),
        prose(text(&operation["description"])),
    )?;
    if let Some(parameters) = operation["parameters"].as_array() {
        page.push_str("<table><tr><th>Parameter</th><th>In</th><th>What it is</th></tr>");
        for parameter in parameters {
            let required = if parameter["required"] == true {
                ", required"
            } else {
                ""
            };
            write!(
                page,
                "<tr><td><code>{}</code></td><td>{}{required}</td><td>{}</td></tr>",
                escape(text(&parameter["name"])),
                escape(text(&parameter["in"])),
                prose(text(&parameter["description"])),
            )?;
        }
        page.push_str("</table>");
    }
    for (media, body) in entries(&operation["requestBody"]["content"]) {
        write!(
            page,
            "<p>Body: <code>{}</code>, {}</p>",
            escape(media),
            shape(&body["schema"])
        )?;
    }
    page.push_str("<table><tr><th>Status</th><th>What it means</th><th>Body</th></tr>");
    for (status, response) in entries(&operation["responses"]) {
        let body = entries(&response["content"])
            .next()
            .map_or_else(String::new, |(_, body)| shape(&body["schema"]));
        let meaning = prose(text(&response["description"]));
        write!(
            page,
            "<tr><td>{}</td><td>{meaning}</td><td>{body}</td></tr>",
            escape(status)
        )?;
    }
    page.push_str("</table></details>");
    Ok(())
}

fn draw_schema(page: &mut String, name: &str, schema: &Value) -> fmt::Result {
    let name = escape(name);
    write!(
        page,
        "<h3 id=\"schema-{name}\">{name}</h3><p>{}</p><table><tr><th>Field</th><th>Type</th><th>What it is</th></tr>",
        prose(text(&schema["description"]))
    )?;
    for (field, property) in entries(&schema["properties"]) {
        let required = schema["required"]
            .as_array()
            .is_some_and(|names| names.iter().any(|name| name == field));
        let required = if required { ", required" } else { "" };
        let mut about = prose(text(&property["description"]));
        if !property["example"].is_null() {
            let example = escape(&property["example"].to_string());
            write!(about, " Example: <code>{example}</code>")?;
        }
        write!(
            page,
            "<tr><td><code>{}</code></td><td>{}{required}</td><td>{about}</td></tr>",
            escape(field),
            shape(property)
        )?;
    }
    page.push_str("</table>");
    Ok(())
}

/// A schema in a few words, with a link where it has a name.
fn shape(schema: &Value) -> String {
    if let Some(name) = text(&schema["$ref"]).rsplit_once('/').map(|(_, name)| name) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", shape(&schema["items"])),
        Value::String(kind) => escape(kind),
        Value::Array(kinds) => escape(&kinds.iter().map(text).collect::<Vec<_>>().join(" or ")),
        _ => String::new(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.as_str(), value))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Prose with its `code` marked, as rustdoc writes it.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = escape(part);
        if index % 2 == 1 {
            html.extend(["<code>", &part, "</code>"]);
        } else {
            html.push_str(&part);
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_alone_and_shows_every_operation() {
        let api = serde_json::json!(crate::openapi());
        let page = render(&api);
        for (path, _) in entries(&api["paths"]) {
            let shown = format!("<code>{path}</code>");
            assert!(page.contains(&shown), "{path}");
        }
        for outside in ["<script", "<link", "href=\"http", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn what_the_document_says_is_no_markup() {
        assert_eq!(
            prose("a <b> & `c<d`"),
            "a &lt;b&gt; &amp; <code>c&lt;d</code>"
        );
    }
}
