//! Gateway API.
use super::mesh::MeshConfig;
use super::object::Object;
use super::service::Service;
use crate::manifest::Manifests;
use crate::text::Diagnostic;
pub(super) fn convert(
    _: &[(Object, bool)],
    _: &[Service],
    _: &Manifests,
    _: &MeshConfig,
    _: &mut Vec<Diagnostic>,
) -> (Vec<Object>, Vec<Object>) {
    (Vec::new(), Vec::new())
}
