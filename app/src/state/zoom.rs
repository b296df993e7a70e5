/// How near the map is looked at: what it shows, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zoom {
    pub level: Level,
    /// Percent.
    pub scale: u32,
}

/// What the map shows, from afar to near.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The whole way, machine by machine.
    Way,
    /// A machine with its hooks, tables, routes and bridges.
    Host,
    /// What stands in one of these: a chain.
    #[default]
    Chain,
    /// One rule, with what it asks.
    Rule,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Way, Level::Host, Level::Chain, Level::Rule];

    /// As links name it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Way => "way",
            Level::Host => "host",
            Level::Chain => "chain",
            Level::Rule => "rule",
        }
    }

    fn nearer(self) -> Option<Level> {
        Level::ALL.into_iter().find(|l| *l > self)
    }

    fn farther(self) -> Option<Level> {
        Level::ALL.into_iter().rev().find(|l| *l < self)
    }
}

impl Default for Zoom {
    fn default() -> Self {
        Zoom::at(Level::default())
    }
}

/// Of the nearest and of the farthest level; between levels, the next one takes over well before.
const SCALES: (u32, u32) = (25, 300);
const NEXT_LEVEL: (u32, u32) = (70, 160);

impl Zoom {
    pub const fn at(level: Level) -> Self {
        Self { level, scale: 100 }
    }

    /// Nearer or farther by a factor in percent. Past a bound the map shows more, or less, in its usual size.
    pub fn by(self, percent: u32) -> Self {
        let scale = (self.scale.saturating_mul(percent) / 100).clamp(SCALES.0, SCALES.1);
        let next = if scale > NEXT_LEVEL.1 {
            self.level.nearer()
        } else if scale < NEXT_LEVEL.0 {
            self.level.farther()
        } else {
            None
        };
        next.map_or(Self { scale, ..self }, Zoom::at)
    }

    /// In a pane that has room for so many percent of the narrowest map.
    pub fn within(self, room: u32) -> Self {
        let scale = self.scale * room.clamp(50, 100) / 100;
        Self { scale, ..self }
    }

    /// As for one who opens what they see.
    pub fn opening(self) -> Self {
        match self.level {
            Level::Way => Zoom::at(Level::Host),
            Level::Host => Zoom::at(Level::Chain),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_narrowest_map_has_no_room_it_is_drawn_smaller() {
        let zoom = Zoom::default();
        assert_eq!(zoom.within(88).scale, 88);
        assert_eq!((zoom.within(400), zoom.within(10).scale), (zoom, 50));
    }

    #[test]
    fn zooming_in_shows_more_and_out_shows_less() {
        let mut zoom = Zoom::at(Level::Way);
        let mut seen = vec![zoom.level];
        for _ in 0..20 {
            zoom = zoom.by(125);
            if seen.last() != Some(&zoom.level) {
                seen.push(zoom.level);
            }
        }
        assert_eq!(seen, Level::ALL);
        assert_eq!(zoom.scale, SCALES.1);
        for _ in 0..40 {
            zoom = zoom.by(80);
        }
        assert_eq!((zoom.level, zoom.scale), (Level::Way, SCALES.0));
    }
}
