//! The load balancer's way of forwarding. It is a line of its file: the file is the truth, and a switch edits it.

use northsouth::topology::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The packet keeps its destination, the balancer's address.
    Keep,
    /// The destination becomes the node and its port.
    RewriteDestination,
    /// So does the source: it becomes the balancer's.
    FullNat,
}

impl Mode {
    pub const ALL: [Mode; 3] = [Mode::Keep, Mode::RewriteDestination, Mode::FullNat];

    /// As the file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Keep => "keep-destination",
            Mode::RewriteDestination => "rewrite-destination",
            Mode::FullNat => "full-nat",
        }
    }
}

/// How the world's load balancer forwards; `None` without one.
pub fn mode(world: &World) -> Option<Mode> {
    let balancer = world.hosts.iter().find_map(|h| h.balancer.as_ref())?;
    let name = balancer.forwarding.name();
    Mode::ALL.into_iter().find(|m| m.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_of_the_core_has_a_switch() {
        assert_eq!(
            Mode::ALL.map(Mode::name),
            northsouth::workspace::forwarding_names()
        );
    }
}
