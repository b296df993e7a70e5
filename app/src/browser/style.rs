//! Numbers that only the program knows, handed to the style sheet. The page's policy forbids `style` attributes in markup;
//! single properties set from here are allowed.

use yew::NodeRef;

/// Sets a property of the whole page, such as `--files-width`.
pub fn set_root(property: &str, value: &str) {
    if let Some(root) = super::root() {
        let _ = root.style().set_property(property, value);
    }
}

/// Moves an SVG element to a place of its drawing. By the style and not by the attribute, so that the style sheet can make
/// it take its time.
pub fn move_to(node: &NodeRef, x: i32, y: i32) {
    if let Some(element) = node.cast::<web_sys::SvgElement>() {
        let _ = element
            .style()
            .set_property("transform", &format!("translate({x}px, {y}px)"));
    }
}
