//! `$((…))`: integers, `+`, `-`, `*`, `/`, `%` and parentheses.

/// The maximum depth of parentheses.
const MAX_DEPTH: usize = 32;

struct Reader<'e, 'v> {
    rest: &'e str,
    depth: usize,
    value: &'v dyn Fn(&str) -> Option<i64>,
}

/// The value of an expression. `None` if a variable is not known, or if the expression has another form.
pub(super) fn evaluate(expression: &str, value: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
    let mut reader = Reader { rest: expression, depth: 0, value };
    let result = reader.sum()?;
    reader.rest.trim_start().is_empty().then_some(result)
}

impl Reader<'_, '_> {
    fn eat(&mut self, operator: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(operator);
        // `**`, `++` and `--` are other operators.
        let rest = rest.filter(|rest| "()".contains(operator) || !rest.starts_with(operator));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn sum(&mut self) -> Option<i64> {
        let mut sum = self.product()?;
        loop {
            if self.eat('+') {
                sum = sum.checked_add(self.product()?)?;
            } else if self.eat('-') {
                sum = sum.checked_sub(self.product()?)?;
            } else {
                return Some(sum);
            }
        }
    }

    fn product(&mut self) -> Option<i64> {
        let mut product = self.atom()?;
        loop {
            if self.eat('*') {
                product = product.checked_mul(self.atom()?)?;
            } else if self.eat('/') {
                product = product.checked_div(self.atom()?)?;
            } else if self.eat('%') {
                product = product.checked_rem(self.atom()?)?;
            } else {
                return Some(product);
            }
        }
    }

    fn atom(&mut self) -> Option<i64> {
        if self.eat('(') {
            self.depth += 1;
            let inner = if self.depth > MAX_DEPTH { None } else { self.sum() };
            self.depth -= 1;
            return inner.filter(|_| self.eat(')'));
        }
        if self.eat('-') {
            let number = self.name_or_number()?;
            return number.checked_neg();
        }
        self.name_or_number()
    }

    fn name_or_number(&mut self) -> Option<i64> {
        let rest = self.rest.trim_start();
        let rest = rest.strip_prefix('$').unwrap_or(rest);
        let (rest, is_braced) = rest.strip_prefix('{').map_or((rest, false), |rest| (rest, true));
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end)?;
        self.rest = if is_braced { rest.strip_prefix('}')? } else { rest };
        match name.starts_with(|c: char| c.is_ascii_digit()) {
            // A leading zero is octal, and `16#ff` is another base.
            true if name.len() > 1 && name.starts_with('0') => None,
            true => name.parse().ok(),
            false => (self.value)(name),
        }
    }
}
