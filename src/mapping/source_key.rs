//! A key as the source writes it: the values of a dimension's columns.

/// The values of a dimension's columns, none of them NULL, compared byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceKey(String);

/// Text of PostgreSQL never holds this character, so it can stand between the columns.
const BETWEEN: char = '\0';

impl SourceKey {
    pub(crate) fn new<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> SourceKey {
        let mut key = SourceKey(String::new());
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                key.0.push(BETWEEN);
            }
            key.0.push_str(value.as_ref());
        }
        key
    }

    /// Becomes the key of other values, in the same memory; false when one is NULL, for NULL never matches.
    pub(crate) fn refill<'a>(&mut self, values: impl IntoIterator<Item = Option<&'a str>>) -> bool {
        self.0.clear();
        for (index, value) in values.into_iter().enumerate() {
            let Some(value) = value else {
                return false;
            };
            if index > 0 {
                self.0.push(BETWEEN);
            }
            self.0.push_str(value);
        }
        true
    }
}
