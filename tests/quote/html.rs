//! Quoting of text in HTML.

use orchgen::render::quote::html;

#[test]
fn markup_is_text() {
    let quoted = html("<a title=\"x\" class='y'>A & B</a>");
    assert_eq!(quoted, "&lt;a title=&quot;x&quot; class=&#39;y&#39;&gt;A &amp; B&lt;/a&gt;");
    assert_eq!(html("18.3 t/s — déjà\n\tvu"), "18.3 t/s — déjà\n\tvu");
    assert_eq!(html("a\0b\u{1b}[1mc\u{85}\u{ffff}"), "a\u{fffd}b\u{fffd}[1mc\u{fffd}\u{fffd}");
}
