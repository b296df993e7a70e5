//! One step.

use super::caption::Caption;
use super::{Look, Sheet, WIDTH, draw, escaped, said, title};
use crate::state::{State, Zoom};
use crate::view_model::map::Map;

/// The map at the step at hand, with what the packet carries and what happened to it.
pub fn still(state: &State, look: Look) -> String {
    let map = map(state);
    let caption = Caption::of(state);
    let (below, bottom) = caption.draw(&map, map.height);
    let sheet = Sheet {
        size: (map.width, bottom),
        title: title(state),
        description: caption.text(),
        style: String::new(),
        look,
    };
    sheet.svg(state, &(drawn(&map) + &below))
}

/// Only the map, for a page that has the style sheets and says the rest beside it.
pub fn drawing(state: &State) -> String {
    let map = map(state);
    let (width, height) = (map.width, map.height);
    format!(
        "<svg class=\"drawing\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\">{}</svg>",
        escaped(&said(state)),
        drawn(&map)
    )
}

fn map(state: &State) -> Map {
    Map::seen(state, Zoom::at(state.zoom.level), WIDTH)
}

fn drawn(map: &Map) -> String {
    let mut all = draw::elements(map);
    all.sort_by_key(|(depth, _)| *depth);
    let all = all.into_iter().map(|(_, element)| element);
    all.chain(map.packet.map(draw::packet)).collect()
}
