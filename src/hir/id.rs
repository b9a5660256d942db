//! Arenas of items, and typed ids that only an arena can create.

use std::fmt;
use std::marker::PhantomData;

/// The index of an item in its arena. Only the arena creates ids, so an id is always valid.
pub struct Id<T>(u32, PhantomData<fn() -> T>);

/// All items of one kind, in the order of declaration.
#[derive(Clone, Debug)]
pub struct Arena<T>(Vec<T>);

impl<T> Id<T> {
    /// The number of the item in order of declaration, from 0.
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

impl<T> Arena<T> {
    /// Reserves memory for exactly `count` further items.
    pub fn reserve(&mut self, count: usize) {
        self.0.reserve_exact(count);
    }

    /// Adds an item.
    pub fn add(&mut self, item: T) -> Id<T> {
        self.0.push(item);
        Id(u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX), PhantomData)
    }

    /// The ids that the next `count` items will get, for items that refer to later ones.
    pub fn next_ids(&self, count: usize) -> impl Iterator<Item = Id<T>> {
        let first = self.0.len();
        (first..first + count).map(|n| Id(u32::try_from(n).unwrap_or(u32::MAX), PhantomData))
    }

    /// The item of an id.
    #[expect(clippy::indexing_slicing, reason = "only the arena creates ids, and it never shrinks")]
    pub fn get(&self, id: Id<T>) -> &T {
        &self.0[id.number()]
    }

    /// The items in the order of declaration.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.0.iter()
    }

    /// The items in the order of declaration, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }

    /// The items with their ids.
    pub fn entries(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.0.iter().zip(0..).map(|(item, n)| (Id(n, PhantomData), item))
    }

    /// The items with their ids, by value.
    pub fn into_entries(self) -> impl Iterator<Item = (Id<T>, T)> {
        self.0.into_iter().zip(0..).map(|(item, n)| (Id(n, PhantomData), item))
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are no items.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> PartialEq for Arena<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

// Implemented manually, because a derive would require the same traits of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
