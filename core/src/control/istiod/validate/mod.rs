use super::mesh::MeshConfig;
use crate::manifest::Manifests;
/// x
#[derive(Clone, Debug)]
pub struct Verdict {
    pub kind: &'static str,
    pub namespace: String,
    pub name: String,
    pub error: Option<String>,
    pub warning: Option<String>,
}
/// x
pub fn validate(_: &Manifests, _: &MeshConfig) -> Vec<Verdict> {
    Vec::new()
}
