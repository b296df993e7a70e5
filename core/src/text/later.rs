use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

type Make<T> = Box<dyn FnOnce() -> T + Send + Sync>;

/// What is made when someone first looks at it, and then kept: of a large cluster a walk meets a few machines. Cloning is
/// cheap, and makes nothing.
pub struct Later<T>(Arc<Place<T>>);

struct Place<T>(LazyLock<T, Make<T>>);

impl<T> Later<T> {
    pub fn new(make: impl FnOnce() -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(Place(LazyLock::new(Box::new(make)))))
    }

    /// Whether someone has looked at it.
    pub fn is_made(&self) -> bool {
        LazyLock::get(&self.0.0).is_some()
    }

    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: Clone + Send + Sync + 'static> Later<T> {
    /// Makes it, and something else of it; for who shares it all stays as it was.
    pub fn change(&mut self, change: impl FnOnce(&mut T)) {
        let mut value = T::clone(self);
        change(&mut value);
        *self = value.into();
    }
}

/// What is there already.
impl<T: Send + Sync + 'static> From<T> for Later<T> {
    fn from(value: T) -> Self {
        let made = Self::new(|| value);
        LazyLock::force(&made.0.0);
        made
    }
}

impl<T: Default + Send + Sync + 'static> Default for Later<T> {
    fn default() -> Self {
        T::default().into()
    }
}

impl<T> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.0
    }
}

impl<T> Clone for Later<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: PartialEq> PartialEq for Later<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || **self == **other
    }
}

impl<T: Eq> Eq for Later<T> {}

/// Makes nothing.
impl<T: fmt::Debug> fmt::Debug for Later<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match LazyLock::get(&self.0.0) {
            Some(value) => value.fmt(f),
            None => f.write_str("Later"),
        }
    }
}

/// A text that is there, or is made when someone reads it. Cloning is cheap.
#[derive(Clone)]
pub enum Text {
    There(Arc<str>),
    Made(Arc<dyn Readable>),
}

/// What a text is made for.
pub trait Readable: Send + Sync {
    fn text(&self) -> &str;
}

impl<T: AsRef<str> + Send + Sync> Readable for Place<T> {
    fn text(&self) -> &str {
        self.0.as_ref()
    }
}

impl Text {
    pub fn made<T: AsRef<str> + Send + Sync + 'static>(of: &Later<T>) -> Self {
        Text::Made(of.0.clone())
    }

    /// Whether the two are one, which they can be told without being made.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Text::There(a), Text::There(b)) => Arc::ptr_eq(a, b),
            (Text::Made(a), Text::Made(b)) => std::ptr::addr_eq(Arc::as_ptr(a), Arc::as_ptr(b)),
            _ => false,
        }
    }

    /// The same, to be kept by itself.
    pub fn shared(&self) -> Arc<str> {
        match self {
            Text::There(text) => text.clone(),
            Text::Made(made) => made.text().into(),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::There(text) => text,
            Text::Made(made) => made.text(),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || **self == **other
    }
}

impl Eq for Text {}

impl Default for Text {
    fn default() -> Self {
        Text::There(Arc::default())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Text::There(text) => text.fmt(f),
            Text::Made(_) => f.write_str("Made"),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<T: Into<Arc<str>>> From<T> for Text {
    fn from(text: T) -> Self {
        Text::There(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_before_someone_looks_and_then_once() {
        let text = Later::new(|| "a".to_string());
        let (clone, read) = (text.clone(), Text::made(&text));
        assert_eq!(format!("{text:?} {read:?}"), "Later Made");
        assert!(clone.is(&text) && clone == text && read == Text::made(&clone));
        assert!(!text.is_made());
        assert_eq!(&*read, "a");
        assert!(clone.is_made());
        assert_eq!(read, Text::from("a"));
        assert_ne!(read, Text::from("b"));
        let mut one = Later::from(1);
        let before = one.clone();
        assert!(one.is_made());
        one.change(|n| *n += 1);
        assert_eq!((*before, *one), (1, 2));
    }
}
