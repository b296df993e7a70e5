use super::object::{Object, Read, Refusal};

/// `envoy.type.v3.FractionalPercent`: so many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    pub numerator: u64,
    pub denominator: u64,
}

impl Fraction {
    pub const ALWAYS: Fraction = Fraction {
        numerator: 100,
        denominator: 100,
    };
    pub const NEVER: Fraction = Fraction {
        numerator: 0,
        denominator: 100,
    };

    /// Whether a thrown number falls into it.
    pub fn takes(self, thrown: u64) -> bool {
        thrown % self.denominator < self.numerator
    }

    /// What falls into it, and what does not.
    pub(super) fn sides(self) -> Vec<u64> {
        let inside = self.numerator.min(self.denominator);
        vec![inside, self.denominator - inside]
    }

    pub(super) fn read(object: &Object) -> Read<Self> {
        Ok(Self {
            numerator: object.u32("numerator")?.unwrap_or(0).into(),
            denominator: object.choice(
                "denominator",
                &[
                    ("HUNDRED", 100),
                    ("TEN_THOUSAND", 10_000),
                    ("MILLION", 1_000_000),
                ],
            )?,
        })
    }

    /// A fraction that may be left out.
    pub(super) fn read_or(parent: &Object, field: &str, absent: Fraction) -> Read<Self> {
        let object = parent.message(field)?;
        object.map_or(Ok(absent), |o| Self::read(&o))
    }

    /// `RuntimeFractionalPercent`: its default, since nothing is set at run time here.
    pub(super) fn read_runtime(parent: &Object, field: &str) -> Read<Option<Self>> {
        let Some(object) = parent.message(field)? else {
            return Ok(None);
        };
        let Some(value) = object.message("default_value")? else {
            let why = "value is required";
            return Err(Refusal::field(object.span, "default_value", why));
        };
        Self::read(&value).map(Some)
    }
}
