//! Whole numbers of both languages.

use super::Value;

/// The value of digits with their sign, if there is one: an integer if it needs at most 127 bits, or else a float. Ignores
/// `_`.
pub(super) fn whole_number(sign: &str, digits: &str, radix: u32) -> Value<'static> {
    if sign != "-"
        && let Ok(number) = u64::from_str_radix(digits, radix)
    {
        return Value::Integer(number.into());
    }
    let number = [sign, digits].concat().replace('_', "");
    i128::from_str_radix(&number, radix).map_or_else(|_| Value::Float(large(&number, radix)), Value::Integer)
}

fn large(number: &str, radix: u32) -> f64 {
    if radix == 10 {
        return number.parse().unwrap_or(f64::NAN);
    }
    let digits = number.chars().filter_map(|c| c.to_digit(radix));
    let value = digits.fold(0.0, |value, digit| value * f64::from(radix) + f64::from(digit));
    if number.starts_with('-') { -value } else { value }
}
