//! What people ask of a workspace beyond the walk of its probe.

mod anonymise;
mod choices;
mod drift;
mod inventory;
mod life;
mod origins;
mod roads;

pub use anonymise::{Anonymised, anonymise};
pub use choices::{Choice, choose};
pub use drift::{Drift, DriftLine, drift, nearest};
pub use inventory::{Inventory, inventory};
pub use life::{Changes, Of, Operation, changes, ending, operations, perform, way};
pub use origins::{Made, Origin, field, made_anywhere_by, made_by, origins, sources};
pub use roads::{Share, Shares, shares};
