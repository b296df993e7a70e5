//! One step.

use super::caption::Caption;
use super::{Look, NARROW, OURS, Sheet, WIDTH, draw, escaped, said, style, title};
use crate::state::{State, Zoom};
use crate::view_model::map::Map;

/// The map at the step at hand, with what the packet carries and what happened to it.
pub fn still(state: &State, look: Look) -> String {
    sheet(state, look, OURS, style(look.theme))
}

/// A column in which the wide picture's letters can be read, in CSS pixels.
const WIDE: u32 = 560;

/// The same twice, wide and narrow: a page shows the one that its column has room for. What has no style sheets shows the
/// wide one. The element around is to be a size container.
pub fn either(state: &State, look: Look) -> String {
    let less = WIDE - 1;
    let chosen = format!(
        "@container (max-width:{less}px){{svg.northsouth.wide{{display:none}}svg.northsouth.narrow{{display:block!important}}}}"
    );
    let narrow = Look {
        width: NARROW,
        ..look
    };
    let wide = "class=\"northsouth wide\"";
    let hidden = "class=\"northsouth narrow\" style=\"display:none\"";
    sheet(state, look, wide, style(look.theme) + &chosen)
        + &sheet(state, narrow, hidden, String::new())
}

fn sheet(state: &State, look: Look, attributes: &'static str, style: String) -> String {
    let map = map(state, look.width);
    let caption = Caption::of(state);
    let (below, bottom) = caption.draw(&map, map.height);
    let sheet = Sheet {
        size: (map.width, bottom),
        title: title(state),
        description: caption.text(),
        attributes,
        style,
        look,
    };
    sheet.svg(state, &(drawn(&map) + &below))
}

/// Only the map, for a page that has the style sheets and says the rest beside it.
pub fn drawing(state: &State) -> String {
    let map = map(state, WIDTH);
    let (width, height) = (map.width, map.height);
    format!(
        "<svg class=\"drawing\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\">{}</svg>",
        escaped(&said(state)),
        drawn(&map)
    )
}

fn map(state: &State, width: u32) -> Map {
    Map::seen(state, Zoom::at(state.zoom.level), width)
}

fn drawn(map: &Map) -> String {
    let mut all = draw::elements(map);
    all.sort_by_key(|(depth, _)| *depth);
    let all = all.into_iter().map(|(_, element)| element);
    all.chain(map.packet.map(draw::packet)).collect()
}
