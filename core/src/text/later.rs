use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Pace, at_once};

/// Something on its way, which pauses as its [`Pace`] wants it to.
pub type Along<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

enum Make<T> {
    Once(Box<dyn FnOnce() -> T + Send + Sync>),
    Along(Arc<dyn Fn(Pace) -> Along<'static, T> + Send + Sync>),
}

/// What is made when someone first looks at it, and then kept: of a large cluster a walk meets a few machines. Cloning is
/// cheap, and makes nothing.
pub struct Later<T>(Arc<Place<T>>);

struct Place<T> {
    value: OnceLock<T>,
    /// Until it is made.
    make: Mutex<Option<Make<T>>>,
}

impl<T> Place<T> {
    fn of(make: Make<T>) -> Self {
        Self {
            value: OnceLock::new(),
            make: Mutex::new(Some(make)),
        }
    }

    fn make(&self) -> std::sync::MutexGuard<'_, Option<Make<T>>> {
        self.make.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&self) -> &T {
        self.value.get_or_init(|| {
            let make = self.make().take();
            match make {
                Some(Make::Once(make)) => make(),
                Some(Make::Along(make)) => at_once(make(Pace::AT_ONCE)),
                None => unreachable!("made once"),
            }
        })
    }

    async fn make_along(&self, pace: &Pace) {
        let make = match &*self.make() {
            Some(Make::Along(make)) => Some(make.clone()),
            _ => None,
        };
        if let Some(make) = make {
            let value = make(pace.clone()).await;
            // Who looked meanwhile made the same.
            let _ = self.value.set(value);
            *self.make() = None;
        }
        self.value();
    }
}

impl<T> Later<T> {
    pub fn new(make: impl FnOnce() -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(Place::of(Make::Once(Box::new(make)))))
    }

    /// What takes long: it can be [made along](Self::make_along) before someone looks.
    pub fn along(make: impl Fn(Pace) -> Along<'static, T> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Place::of(Make::Along(Arc::new(make)))))
    }

    /// Makes it, pausing on the way. Who gives up on that has changed nothing.
    pub async fn make_along(&self, pace: &Pace) {
        self.0.make_along(pace).await;
    }

    /// Whether someone has looked at it.
    pub fn is_made(&self) -> bool {
        self.0.value.get().is_some()
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
        Self(Arc::new(Place {
            value: value.into(),
            make: Mutex::default(),
        }))
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
        self.0.value()
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
        match self.0.value.get() {
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
    fn make_along<'a>(&'a self, pace: &'a Pace) -> Along<'a, ()>;
}

impl<T: AsRef<str> + Send + Sync> Readable for Place<T> {
    fn text(&self) -> &str {
        self.value().as_ref()
    }

    fn make_along<'a>(&'a self, pace: &'a Pace) -> Along<'a, ()> {
        Box::pin(self.make_along(pace))
    }
}

impl Text {
    pub fn made<T: AsRef<str> + Send + Sync + 'static>(of: &Later<T>) -> Self {
        Text::Made(of.0.clone())
    }

    /// [`Later::make_along`]
    pub async fn make_along(&self, pace: &Pace) {
        if let Text::Made(made) = self {
            made.make_along(pace).await;
        }
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
    use crate::text::Stretches;

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

    #[test]
    fn what_is_given_up_on_the_way_is_made_by_who_looks() {
        let make = |pace: Pace| -> Along<'static, u32> {
            Box::pin(async move {
                pace.went(10).await;
                7
            })
        };
        let one = Later::along(make);
        let half = |later: Later<u32>| {
            let made = Stretches::new(async move |pace| later.make_along(&pace).await);
            made.go_on(5).err()
        };
        let way = half(one.clone());
        assert!(way.is_some() && !one.is_made());
        assert_eq!(*one, 7);
        assert!(way.and_then(|way| way.go_on(5).ok()).is_some());
        drop(half(Later::along(make)));
        let other = Later::along(make);
        at_once(other.make_along(&Pace::AT_ONCE));
        assert!(other.is_made());
        assert_eq!(*other, 7);
    }
}
