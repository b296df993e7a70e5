//! What a plain scalar means. Kubernetes, istioctl and kubectl read YAML by go-yaml v2, whose booleans and numbers are
//! those of YAML 1.1 (sigs.k8s.io/yaml, `goyaml.v2/resolve.go`): `yes` and `on` are true, `0755` is octal, `1_000` is
//! a thousand. Dates stay strings.

use super::Value;

pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Value::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.');
    if !text.as_bytes().first().copied().is_some_and(numeric) {
        return Value::Str(text.into());
    }
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(int) = integer(&digits) {
        return match i64::try_from(int) {
            Ok(int) => Value::Int(int),
            Err(_) => Value::Float(int as f64),
        };
    }
    if is_float(&digits)
        && let Ok(float) = digits.parse()
    {
        return Value::Float(float);
    }
    Value::Str(text.into())
}

fn integer(text: &str) -> Option<i128> {
    let (negative, body) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = body.to_ascii_lowercase();
    let (radix, body) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if body.is_empty() || body.len() > 30 || body.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(body, radix).ok()?;
    Some(if negative { -value } else { value })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && !exponent.is_empty()
        && digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_go_yaml_v2_says() {
        for (text, value) in [
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("tRue", Value::Str("tRue".into())),
            ("80", Value::Int(80)),
            ("-1", Value::Int(-1)),
            ("0x4000", Value::Int(0x4000)),
            ("0755", Value::Int(0o755)),
            ("09", Value::Float(9.0)),
            ("1_000", Value::Int(1000)),
            ("1.5", Value::Float(1.5)),
            ("1e3", Value::Float(1000.0)),
            ("9223372036854775808", Value::Float(9223372036854775808.0)),
            ("10.0.0.1", Value::Str("10.0.0.1".into())),
            ("10s", Value::Str("10s".into())),
            ("2024-01-01", Value::Str("2024-01-01".into())),
            ("-", Value::Str("-".into())),
            ("+.", Value::Str("+.".into())),
            ("0x", Value::Str("0x".into())),
            ("--1", Value::Str("--1".into())),
            ("::1/128", Value::Str("::1/128".into())),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
    }
}
