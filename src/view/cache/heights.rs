//! Heights of entries one above the other, with their sums in a Fenwick tree: changing one,
//! finding where one starts and which one is at a row take logarithmic time.

/// Rows of each entry. Rows are `usize`: a transcript can have more than 65,535.
#[derive(Debug, Clone, Default)]
pub struct Heights {
    heights: Vec<usize>,
    /// At `i` the sum of the last `lowest_bit(i + 1)` heights up to `i`.
    sums: Vec<usize>,
}

impl Heights {
    pub fn len(&self) -> usize {
        self.heights.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heights.is_empty()
    }

    /// Rows of the entry; 0 where there is none.
    pub fn get(&self, index: usize) -> usize {
        self.heights.get(index).copied().unwrap_or(0)
    }

    pub fn push(&mut self, height: usize) {
        let position = self.heights.len() + 1;
        let covered = position - lowest_bit(position);
        self.sums.push(height + self.top(position - 1) - self.top(covered));
        self.heights.push(height);
    }

    pub fn truncate(&mut self, len: usize) {
        self.heights.truncate(len);
        self.sums.truncate(len);
    }

    pub fn set(&mut self, index: usize, height: usize) {
        let Some(old) = self.heights.get_mut(index) else { return };
        let before = std::mem::replace(old, height);
        let mut position = index + 1;
        while let Some(sum) = self.sums.get_mut(position - 1) {
            *sum = *sum + height - before;
            position += lowest_bit(position);
        }
    }

    /// The row where the entry starts: the sum of all heights before it.
    pub fn top(&self, index: usize) -> usize {
        let mut position = index.min(self.heights.len());
        let mut sum = 0;
        while position > 0 {
            sum += self.sums[position - 1];
            position -= lowest_bit(position);
        }
        sum
    }

    pub fn total(&self) -> usize {
        self.top(self.heights.len())
    }

    /// The entry that row `row` belongs to, and which of its rows that is; the end of the last
    /// entry for rows below all.
    pub fn find(&self, row: usize) -> Option<(usize, usize)> {
        let last = self.heights.len().checked_sub(1)?;
        let mut position = 0;
        let mut left = row;
        let mut step = self.heights.len().next_power_of_two();
        while step > 0 {
            let next = position + step;
            if let Some(sum) = self.sums.get(next - 1)
                && *sum <= left
            {
                left -= sum;
                position = next;
            }
            step /= 2;
        }
        if position > last {
            return Some((last, self.heights[last].saturating_sub(1)));
        }
        Some((position, left))
    }
}

fn lowest_bit(position: usize) -> usize {
    position & position.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Change {
        Push(usize),
        Set(prop::sample::Index, usize),
        Truncate(prop::sample::Index),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            4 => (0usize..9).prop_map(Change::Push),
            2 => (any::<prop::sample::Index>(), 0usize..9).prop_map(|(at, h)| Change::Set(at, h)),
            1 => any::<prop::sample::Index>().prop_map(Change::Truncate),
        ]
    }

    proptest! {
        #[test]
        fn equals_a_plain_list(changes in prop::collection::vec(change(), 0..60)) {
            let (mut heights, mut list) = (Heights::default(), Vec::new());
            for change in changes {
                match change {
                    Change::Push(height) => {
                        heights.push(height);
                        list.push(height);
                    }
                    Change::Set(at, height) if !list.is_empty() => {
                        let index = at.index(list.len());
                        heights.set(index, height);
                        list[index] = height;
                    }
                    Change::Set(..) => {}
                    Change::Truncate(at) => {
                        let len = at.index(list.len() + 1);
                        heights.truncate(len);
                        list.truncate(len);
                    }
                }
            }
            let rows = list.iter().enumerate().flat_map(|(i, h)| (0..*h).map(move |row| (i, row)));
            for (row, place) in rows.enumerate() {
                prop_assert_eq!(heights.find(row), Some(place));
            }
            for index in 0..=list.len() {
                prop_assert_eq!(heights.top(index), list[..index].iter().sum::<usize>());
            }
            prop_assert_eq!(heights.total(), list.iter().sum::<usize>());
            prop_assert_eq!(heights.find(heights.total()).is_some(), !list.is_empty());
        }
    }
}
